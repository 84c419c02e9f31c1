"""The rows of one window of an object, whichever API they came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa


@dataclass(frozen=True)
class WindowRows:
    """Rows as they come, with the number that Salesforce states.

    Attributes:
        rows: Text columns; can be iterated once.
        source_count: Number of rows according to Salesforce itself.
        counted_by: Where Salesforce says so, for messages.
        details: The details to store with the load: the API and the job.
    """

    rows: Iterator[pa.RecordBatch | pa.Table]
    source_count: int
    counted_by: str
    details: dict[str, str] = field(default_factory=dict)
