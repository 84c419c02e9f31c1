"""The rows of one window of an object, whichever API they came by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa


@dataclass(frozen=True)
class WindowRows:
    """Rows as they come, with what Salesforce says they are.

    Attributes:
        rows: Text columns; to be gone through once.
        source_count: Rows Salesforce itself says they are.
        counted_by: Where it says so, for messages.
        details: What is kept beside the load: the API and the job.
    """

    rows: Iterator[pa.RecordBatch | pa.Table]
    source_count: int
    counted_by: str
    details: dict[str, str] = field(default_factory=dict)
