"""The reserved columns of every lake row: which load brought it, since when we know it, which rules it broke.

What belongs here: their names and how they are added. What does not: committing rows (`lake`).
"""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa

LOAD_ID = "_load_id"  # string: the load that brought the row
KNOWN_FROM = "_known_from"  # timestamp[us]: UTC instant since which we know this version
# string: 'load' | 'record' (a source's first load trusts the record's own stamp)
KNOWN_TIME_BASIS = "_known_time_basis"
BROKEN_RULES = "_broken_rules"  # string: NULL where the row passed, else the names of the broken rules, joined by ';'
RESERVED_COLUMNS = (LOAD_ID, KNOWN_FROM, KNOWN_TIME_BASIS, BROKEN_RULES)


def to_utc(instant: datetime) -> datetime:
    """The same instant in UTC.

    Raises:
        ValueError: It has no time zone.
    """
    if instant.tzinfo is None:
        raise ValueError("known_at needs a time zone")
    return instant.astimezone(UTC)


def stamp_rows(
    rows: pa.Table,
    *,
    load_id: str,
    known_from: datetime | pa.Array,
    basis: str = "load",
    broken_rules: pa.Array | None = None,
) -> pa.Table:
    """Add the reserved columns to a load's rows.

    Args:
        rows: The source's own columns.
        load_id: Id of the load.
        known_from: One UTC instant for all rows, or one per row (timestamp[us], UTC without zone).
        basis: `load` or `record`, see `KNOWN_TIME_BASIS`.
        broken_rules: Per row, NULL or the broken rules; None if every row passed.
    """
    count = rows.num_rows
    if isinstance(known_from, datetime):
        naive = known_from.astimezone(UTC).replace(tzinfo=None)
        known_from = pa.repeat(pa.scalar(naive, pa.timestamp("us")), count)
    stamped = {
        LOAD_ID: pa.repeat(pa.scalar(load_id, pa.string()), count),
        KNOWN_FROM: known_from,
        KNOWN_TIME_BASIS: pa.repeat(pa.scalar(basis, pa.string()), count),
        BROKEN_RULES: broken_rules if broken_rules is not None else pa.nulls(count, pa.string()),
    }
    for name, values in stamped.items():
        rows = rows.append_column(name, values)
    return rows
