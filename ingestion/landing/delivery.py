"""What a source hands over for one load."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

import pyarrow as pa

from ingestion.contracts import Rule
from ingestion.landing.vanished import Whole

T = TypeVar("T")
Late: TypeAlias = (
    "T | Callable[[], T]"  # what a stream can only say when it has ended may be given as a function, called then
)


@dataclass(frozen=True)
class Delivery:
    """Rows, and what the source says of them.

    Attributes:
        rows: The source's own columns; one row per record version. A table, or batches as they come.
        source_count: Rows the source itself said it delivered.
        cursor: Where the next load goes on, in the source's own terms.
        window: `[from, until)` that was asked for.
        details: Anything else worth keeping beside the load (file name and hash, job id).
        more_rules: Rules of this load alone.
        compare_values: Hold a row against the newest row of its key by all its values, although the table has a version column: some fields
            (formulas) change without the record's stamp.
        whole: Given where the load brings every record of its source: those alive in the lake that did not come are then marked deleted. Such
            rows are counted apart, for the source delivered none of them.
    """

    rows: pa.Table | Iterable[pa.RecordBatch | pa.Table]
    source_count: Late[int]
    cursor: Late[str | None] = None
    window: tuple[str | None, str | None] = (None, None)
    details: Late[Mapping[str, str]] = field(default_factory=dict)
    more_rules: tuple[Rule, ...] = ()
    compare_values: bool = False
    whole: Whole | None = None


def settle(value: Late[T]) -> T:
    """The value, asked for now where it was given as a function."""
    return value() if callable(value) else value
