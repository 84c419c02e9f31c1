"""Find records that the source no longer has: alive in the lake, and absent from a load that brings every record.

A deletion that the source still shows comes as a row like any other. A record deleted for good (gone from the bin)
shows only by its absence: its newest row is then written once more, as deleted. What belongs here: finding such records
over files, in DuckDB with bounded memory, and writing those rows. What does not: which loads bring every record, and
asking the source about a record that did not come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

import duckdb
import pyarrow as pa

from ingestion.landing.comparison import same_values
from ingestion.landing.stamping import with_storable_types
from storage.file_queries import read_files
from storage.lake import BROKEN_RULES, KNOWN_FROM, LOAD_ID, RESERVED_COLUMNS, stamp_rows
from storage.lake_writer import LoadWriter, Part
from storage.sql import quote_name
from storage.stamps import to_utc
from storage.withdrawals import Withdrawal, standing_rows

ROWS_AT_A_TIME = 32_768
BELIEVED_ROWS = 100  # this few may vanish whatever their share: an object of ten records that lost one has lost a tenth
# In a load's details: `records gone/records alive`, where so many were gone that none was marked deleted.
_DOUBTED = "vanished"


@dataclass(frozen=True)
class Whole:
    """What a load must provide to count as one that brings every record of its source.

    Attributes:
        deleted_column: Column with the text `true` in a deleted record.
        read_others: Reads the keys of records that the source has but this load need not bring, because they changed
            after its window. Called once all rows are read, and only if a record is missing.
        share: Share of the records alive in the lake that may vanish at once. If more vanish, and more than
            `BELIEVED_ROWS` or all there are, the source more likely hides them, and none is marked deleted. 0: never
            mark any.
    """

    deleted_column: str
    read_others: Callable[[], Iterable[pa.Table]]
    share: Decimal


@dataclass(frozen=True)
class Vanished:
    """Records gone from the source.

    Attributes:
        records: How many.
        alive: Records alive in the lake before, if any are gone.
        is_believed: Whether they are marked deleted.
    """

    records: int = 0
    alive: int = 0
    is_believed: bool = True

    @property
    def tombstones(self) -> int:
        """Rows that mark a record deleted."""
        return self.records if self.is_believed else 0

    @property
    def details(self) -> dict[str, str]:
        """The details to store with the load."""
        return {} if self.is_believed else {_DOUBTED: f"{self.records}/{self.alive}"}


def read_doubted_share(details: dict[str, str]) -> Fraction | None:
    """The share of records that was gone at a load but not marked deleted; None if there was no doubt."""
    return Fraction(details[_DOUBTED]) if _DOUBTED in details else None


def keep_doubt(details: dict[str, str]) -> dict[str, str]:
    """The doubt that a later load must carry over if it does not bring every record."""
    return {_DOUBTED: details[_DOUBTED]} if _DOUBTED in details else {}


def find_vanished(
    connection: duckdb.DuckDBPyConnection,
    committed: Sequence[str],
    parts: Sequence[Part],
    whole: Whole,
    *,
    withdrawals: Sequence[Withdrawal] = (),
    key: Sequence[str],
    order_column: str | None,
    known_at: datetime,
) -> Vanished:
    """Find the records that are alive in the lake and gone from the source.

    The lake's state is what staging shows (the macro `latest_version`), so quarantined rows do not count. A record has
    come even if its row in this load is quarantined. A row that the lake knows since later than `known_at` is left
    alone: this load is older and cannot have seen it.

    Args:
        connection: From `query_files`; keeps the rows found for `write_tombstones`.
        committed: The lake's files of the load's table.
        parts: The load's files: all rows that came, held ones included.
        whole: What the load says about itself.
        withdrawals: What was withdrawn from the table; such rows are not alive.
        key: Columns that identify a record.
        order_column: The stamp that orders versions of a record, before their load does; or None.
        known_at: The load's instant.
    """
    if not committed:
        return Vanished()
    rows = standing_rows(connection, read_files(committed, with_positions=True), withdrawals)
    connection.execute(f"create or replace temp view kept_rows as from {rows}")
    held = connection.view("kept_rows").columns
    if whole.deleted_column not in held:
        return Vanished()
    names = ", ".join(map(quote_name, key))
    came = ""
    if parts:
        connection.execute(
            f"create or replace temp view came as select {names} from {read_files(part.path for part in parts)}"
        )
        came = f"anti join came on {same_values('kept_rows', 'came', key)}"
    by_age = [quote_name(order_column)] if order_column in held else []
    by_age = [f"{column} desc nulls last" for column in (*by_age, KNOWN_FROM, LOAD_ID)]
    newest = f"where {BROKEN_RULES} is null qualify row_number() over (partition by {names} order by {', '.join(by_age)}) = 1"
    is_alive = f"{quote_name(whole.deleted_column)} is distinct from 'true'"
    state = (
        f"select {names}, filename, file_row_number, {KNOWN_FROM} as known_from, {is_alive} as is_alive from kept_rows"
    )
    connection.execute(
        f"create or replace temp table vanished as from ({state} {came} {newest}) where is_alive and known_from <= ?",
        [to_utc(known_at).replace(tzinfo=None)],
    )
    if not _count(connection, "vanished"):
        return Vanished()
    for others in whole.read_others():
        connection.register("others", others)
        connection.execute(f"delete from vanished using others where {same_values('vanished', 'others', key)}")
        connection.unregister("others")
    records = _count(connection, "vanished")
    if not records:
        return Vanished()
    alive = _count(connection, f"({state} {newest}) where is_alive")
    are_few = whole.share > 0 and records <= BELIEVED_ROWS and records < alive
    return Vanished(records, alive, are_few or records <= whole.share * alive)


def write_tombstones(
    connection: duckdb.DuckDBPyConnection, writer: LoadWriter, whole: Whole, *, load_id: str, known_at: datetime
) -> None:
    """For every record that `find_vanished` found, write its newest row once more: deleted, known since this load.

    Args:
        connection: The one passed to `find_vanished`.
        writer: The load's writer.
        whole: What the load says about itself.
        load_id: The load's name.
        known_at: The load's instant.
    """
    deleted = quote_name(whole.deleted_column)
    columns = [
        name
        for name in connection.view("kept_rows").columns
        if name not in {*RESERVED_COLUMNS, "filename", "file_row_number"}
    ]
    values = [f"'true' as {deleted}" if name == whole.deleted_column else quote_name(name) for name in columns]
    rows = f"select {', '.join(values)} from kept_rows semi join vanished using (filename, file_row_number)"
    for batch in connection.sql(rows).to_arrow_reader(ROWS_AT_A_TIME):
        if batch.num_rows:
            writer.write(
                stamp_rows(with_storable_types(pa.Table.from_batches([batch])), load_id=load_id, known_from=known_at)
            )


def _count(connection: duckdb.DuckDBPyConnection, rows: str) -> int:
    ((count,),) = connection.execute(f"select count(*) from {rows}").fetchall()
    return int(count)
