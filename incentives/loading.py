"""Bring the plan and board files into the lake: content by hash, and which hashes are in force."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from incentives.boards import Board
from incentives.plan_tables import FILE_SCHEMA, FILE_TABLE, HASH_COLUMNS, ROW_FORMAT, SCHEMAS, build_tables
from incentives.plans import Plan
from incentives.reading import PlanFile, read_boards, read_plans
from storage.lake import Lake, LoadRecord, stamp_rows

PLAN_TABLES = (*SCHEMAS, FILE_TABLE)
_SET_HASH = "set_hash"


@dataclass(frozen=True)
class PlanTableLoad:
    """The load of one table.

    Attributes:
        table: Lake table.
        landed: Rows committed.
        unchanged: Rows that the lake already held.
        version: The table's version after the load; None where nothing was new and nothing was committed.
        notice: What the files' writer should know: keys that have another name by now. It stands at the list of files.
    """

    table: str
    landed: int
    unchanged: int
    version: int | None
    notice: str = ""

    @property
    def is_changed(self) -> bool:
        """Whether the lake is another one than before."""
        return self.version is not None


def load_plans_into_lake(lake: Lake, plans_dir: Path, boards_dir: Path, *, known_at: datetime, run_id: str) -> list[PlanTableLoad]:
    """Read every plan and board file and land what the lake does not hold yet; commit nothing where nothing changed.

    Rows are kept by the SHA-256 of their file and never change. `plans__file` is committed last and lists the files in force, so that a
    run killed half-way leaves the plans that were in force before.

    Args:
        lake: The lake to write to.
        plans_dir: Folder of plan files (`*.yml`).
        boards_dir: Folder of board files (`*.yml`).
        known_at: The run's instant, with zone.
        run_id: The orchestrator's run.

    Raises:
        PlanFileError: A file cannot be used. Nothing was committed.
        StorageError: The lake cannot be written.
    """
    plans, boards = read_plans(plans_dir), read_boards(boards_dir)
    files = _list_files(plans, boards)
    set_hash = hashlib.sha256(repr([ROW_FORMAT, *files.to_pylist()]).encode()).hexdigest()
    newest = lake.newest_load(FILE_TABLE)
    is_in_force = newest is not None and newest.details.get(_SET_HASH) == set_hash
    number = sum(1 for _ in lake.loads(FILE_TABLE)) + 1
    # The number makes names rise where two loads have one instant, so that "the newest" is never a matter of chance.
    load_id = f"plans-{known_at.astimezone(UTC):%Y%m%dT%H%M%S}-{number:05d}-{set_hash[:8]}"
    loads = []
    for table, rows in build_tables(plans, boards).items():
        new = rows if rows.num_rows == 0 else _leave_out_held(lake, table, rows)
        loads.append(_commit(lake, table, new, rows.num_rows - new.num_rows, load_id, set_hash, known_at, run_id))
    listed = _commit(lake, FILE_TABLE, files.slice(0, 0) if is_in_force else files, files.num_rows * is_in_force, load_id, set_hash, known_at, run_id)
    return [*loads, replace(listed, notice=" ".join(f"{notice.where}: {notice.what} {notice.fix}" for file in plans for notice in file.notices))]


def _list_files(plans: list[PlanFile[Plan]], boards: list[PlanFile[Board]]) -> pa.Table:
    rows: list[dict[str, str | None]] = [{"file_kind": "plan", "file_name": file.path.name, "file_hash": file.sha256} for file in plans]
    rows += [{"file_kind": "board", "file_name": file.path.name, "file_hash": file.sha256} for file in boards]
    # A folder that was emptied is a set too: without a row the newest load would still be the one before.
    return pa.Table.from_pylist(rows or [{"file_kind": "none"}], schema=FILE_SCHEMA)


def _leave_out_held(lake: Lake, table: str, rows: pa.Table) -> pa.Table:
    column = HASH_COLUMNS[table]
    held = lake.query(table, f"select distinct {column} as file_hash from lake where row_format = ?", [ROW_FORMAT])
    return rows if held is None else rows.filter(pc.invert(pc.is_in(rows[column], value_set=held["file_hash"].combine_chunks())))


def _commit(lake: Lake, table: str, rows: pa.Table, unchanged: int, load_id: str, set_hash: str, known_at: datetime, run_id: str) -> PlanTableLoad:
    if rows.num_rows == 0:
        return PlanTableLoad(table, 0, unchanged, None)
    record = LoadRecord(
        load_id=load_id,
        known_at=known_at.astimezone(UTC).isoformat(),
        source_count=rows.num_rows + unchanged,
        landed_count=rows.num_rows,
        unchanged_count=unchanged,
        run_id=run_id,
        details={_SET_HASH: set_hash},
    )
    version = lake.commit(table, stamp_rows(rows, load_id=load_id, known_from=known_at), record)
    return PlanTableLoad(table, rows.num_rows, unchanged, version)
