"""Append to the tables that we write ourselves: settings, plans, predictions, the erasure log, replayed rows.

What belongs here: one load as one commit, and only once. What does not: what a source delivers, which is checked and
compared before it lands (`ingestion.landing`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from storage.file_queries import query_files, read_files
from storage.lake import Lake
from storage.load_ids import LOAD_COUNTER, next_load_id, number_of
from storage.load_record import LoadRecord
from storage.sql import quote_name
from storage.stamps import stamp_rows, to_utc

_POSITION = "_position"


@dataclass(frozen=True)
class Appended:
    """The result of an append to one table.

    Attributes:
        table: Lake table.
        landed: Rows committed.
        unchanged: Rows that the table already held.
        version: The table's version after it; None where nothing was committed.
        load_id: The load's id; None where nothing was committed.
        notice: A sentence for the user, if there is something to say about what was appended.
    """

    table: str
    landed: int = 0
    unchanged: int = 0
    version: int | None = None
    load_id: str | None = None
    notice: str = ""

    @property
    def is_changed(self) -> bool:
        """Whether the append changed the lake."""
        return self.version is not None


def append_once(
    lake: Lake,
    table: str,
    rows: pa.Table | Iterable[pa.Table],
    *,
    known_at: datetime,
    run_id: str,
    key: Sequence[str] = (),
    state: tuple[str, str] | None = None,
    after: LoadRecord | None = None,
    cursor: str | None = None,
    details: Mapping[str, str] | None = None,
) -> Appended:
    """Append rows as one load and one commit, unless the table holds them already.

    Of two concurrent appends to one table the second is refused. If no row is left, nothing is committed.

    Args:
        lake: The lake.
        table: Lake table; its first load creates it.
        rows: The table's own columns, without the reserved ones; a table, or pieces of it as they come.
        known_at: The instant since which the rows are known, with a time zone.
        run_id: The orchestrator's run.
        key: Columns by which held rows are recognised: a row is skipped if the table holds its values in them.
        state: `(name, value)` of a detail that identifies the whole content, for tables whose newest load is the one in
            force. If the newest load carries it, nothing is appended; otherwise everything is, even without rows.
        after: The load that the rows were made from; the append is refused if another has landed since. By default the
            newest.
        cursor: Stored with the load.
        details: Stored with the load.

    Raises:
        StorageError: The disk or store cannot be written, a type changed, or another load was faster. Nothing was
            committed.
    """
    pieces = [rows] if isinstance(rows, pa.Table) else rows
    with lake.begin(table) as writer:
        previous = after or writer.newest_load()
        if state and previous and previous.details.get(state[0]) == state[1]:
            return Appended(table, unchanged=sum(piece.num_rows for piece in pieces))
        load_id = next_load_id(table, previous, known_at)
        held = writer.committed_files() if key else []
        arrived = landed = 0
        for piece in pieces:
            new = _leave_out_held(piece, held, key)
            arrived, landed = arrived + piece.num_rows, landed + new.num_rows
            if new.num_rows or state:
                writer.write(stamp_rows(new, load_id=load_id, known_from=known_at))
        if not landed and not state:
            return Appended(table, unchanged=arrived)
        record = LoadRecord(
            load_id=load_id,
            known_at=to_utc(known_at).isoformat(),
            source_count=arrived,
            landed_count=landed,
            unchanged_count=arrived - landed,
            cursor=cursor,
            run_id=run_id,
            details={**(details or {}), **(dict([state]) if state else {})},
        )
        version = writer.commit(record, once=(LOAD_COUNTER, number_of(load_id)))
    return Appended(table, landed, arrived - landed, version, load_id)


def _leave_out_held(rows: pa.Table, files: list[str], key: Sequence[str]) -> pa.Table:
    if not files or not rows.num_rows:
        return rows
    same = " and ".join(f"arrived.{quote_name(name)} is not distinct from lake.{quote_name(name)}" for name in key)
    with query_files() as connection:
        connection.register(
            "arrived", rows.select(list(key)).append_column(_POSITION, pa.array(range(rows.num_rows), pa.int64()))
        )
        connection.register("lake", connection.sql(f"from {read_files(files)}"))
        new = connection.sql(
            f"select {_POSITION} from arrived anti join lake on {same} order by {_POSITION}"
        ).to_arrow_table()
    return rows if new.num_rows == rows.num_rows else rows.take(new.column(0))
