"""What a source hands over for one load."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

import pyarrow as pa

from ingestion.contracts import Rule
from ingestion.landing.vanished import Whole

T = TypeVar("T")
# What a stream knows only once it has ended may be given as a function, which is called then.
Late: TypeAlias = "T | Callable[[], T]"


@dataclass(frozen=True)
class Delivery:
    """Rows, and what the source says about them.

    Attributes:
        rows: The source's own columns; one row per record version. A table, or batches as they come.
        source_count: Rows the source itself said it delivered.
        cursor: Where the next load continues, in the source's own terms.
        window: The `[from, until)` that was requested.
        is_delta: Whether the load brings only what is new since the load before, where no window says so.
        details: Anything else worth keeping with the load (file name and hash, job id).
        more_rules: Rules of this load only.
        compare_values: Compare a row with the newest row of its key in all values, although the table has a version
            column: some fields (formulas) change without the record's stamp.
        whole: Set where the load brings every record of its source: records alive in the lake that did not come are
            then marked deleted. Those rows are counted apart, because the source delivered none of them.
    """

    rows: pa.Table | Iterable[pa.RecordBatch | pa.Table]
    source_count: Late[int]
    cursor: Late[str | None] = None
    window: tuple[str | None, str | None] = (None, None)
    is_delta: bool = False
    details: Late[Mapping[str, str]] = field(default_factory=dict)
    more_rules: tuple[Rule, ...] = ()
    compare_values: bool = False
    whole: Whole | None = None

    @property
    def is_full(self) -> bool:
        """Whether the rows are a whole file or object, not only what changed."""
        return not self.is_delta and self.window[0] is None


def settle(value: Late[T]) -> T:
    """The value; calls it if it is a function."""
    return value() if callable(value) else value
