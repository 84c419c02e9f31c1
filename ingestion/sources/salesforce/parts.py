"""Read a window whole, or in parts where the org finds it too large."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from ingestion.errors import SalesforceJobFailed, SalesforceRefused
from ingestion.sources.salesforce.client import SalesforceClient
from ingestion.sources.salesforce.objects import SalesforceObject
from ingestion.sources.salesforce.query import read_window
from ingestion.sources.salesforce.refusals import TOO_LARGE
from ingestion.sources.salesforce.soql import Window

# How often a window is cut before its API is given up. A query by REST may take two minutes before it is refused.
MOST_CUTS_BY_REST, MOST_CUTS_BY_BULK = 3, 8


@dataclass
class WindowParts:
    """The rows of one window, and what is known about them once they were read.

    Attributes:
        client: The signed-in org.
        salesforce_object: The object.
        window: What to read.
        expected_rows: About how many rows there are; None to read by Bulk.
        source_count: The sum of what Salesforce says about each part.
        details: The details to store with the load: the API, its jobs, and the parts if there were several.
    """

    client: SalesforceClient
    salesforce_object: SalesforceObject
    window: Window
    expected_rows: int | None
    source_count: int = 0
    details: dict[str, str] = field(default_factory=dict)

    def read(self) -> Iterator[pa.RecordBatch | pa.Table]:
        """The rows; can be read once.

        A part that is refused as too large before it gave a row is cut in halves.

        Raises:
            IngestionError: As `read_window` raises; a refusal as too large once a part cannot be cut again.
        """
        waiting, cuts, read = deque([self.window]), 0, 0
        while waiting:
            part, has_begun = waiting.popleft(), False
            try:
                with read_window(self.client, self.salesforce_object, part, self.expected_rows) as reading:
                    for batch in reading.rows:
                        has_begun = True
                        yield batch
            except SalesforceRefused as refusal:
                most = MOST_CUTS_BY_BULK if isinstance(refusal, SalesforceJobFailed) else MOST_CUTS_BY_REST
                if has_begun or refusal.code not in TOO_LARGE or cuts >= most or part.halves is None:
                    raise
                waiting.extendleft(reversed(part.halves))
                cuts += 1
                continue
            read += 1
            self._keep(reading.source_count, reading.details, read)

    def _keep(self, count: int, details: dict[str, str], parts: int) -> None:
        self.source_count += count
        jobs = " ".join(filter(None, (self.details.get("job_id"), details.get("job_id"))))
        self.details |= {
            **details,
            **({"job_id": jobs} if jobs else {}),
            **({"parts": str(parts)} if parts > 1 else {}),
        }
