"""Load plan and board files into the lake: content by hash, and the list of hashes in force."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from incentives.boards import Board
from incentives.plan_files import read_boards, read_plans
from incentives.plan_tables import FILE_SCHEMA, FILE_TABLE, HASH_COLUMNS, ROW_FORMAT, SCHEMAS, build_tables
from incentives.plans import Plan
from storage.append import Appended, append_once
from storage.lake import Lake
from storage.operator_files import OperatorFile

PLAN_TABLES = (*SCHEMAS, FILE_TABLE)
_SET_HASH = "set_hash"


def load_plans_into_lake(
    lake: Lake, plans_dir: Path, boards_dir: Path, *, known_at: datetime, run_id: str
) -> list[Appended]:
    """Read every plan and board file and land what is new; commit nothing if nothing changed.

    Rows are keyed by the SHA-256 of their file and never change. `plans__file`, committed last, lists the files in
    force, so a run killed half-way leaves the previous plans in force. Its load carries the files' notices.

    Args:
        lake: The lake to write to.
        plans_dir: Folder of plan files (`*.yml`).
        boards_dir: Folder of board files (`*.yml`).
        known_at: The run's instant, with zone.
        run_id: The orchestrator's run.

    Raises:
        OperatorFileError: A file cannot be used. Nothing was committed.
        StorageError: The lake cannot be written.
    """
    plans, boards = read_plans(plans_dir), read_boards(boards_dir)
    files = _list_files(plans, boards)
    set_hash = hashlib.sha256(repr([ROW_FORMAT, *files.to_pylist()]).encode()).hexdigest()
    loads = [
        append_once(
            lake,
            table,
            rows,
            known_at=known_at,
            run_id=run_id,
            key=(HASH_COLUMNS[table], "row_format"),
            details={_SET_HASH: set_hash},
        )
        for table, rows in build_tables(plans, boards).items()
    ]
    listed = append_once(lake, FILE_TABLE, files, known_at=known_at, run_id=run_id, state=(_SET_HASH, set_hash))
    return [*loads, replace(listed, notice=" ".join(notice.sentence for file in plans for notice in file.notices))]


def _list_files(plans: list[OperatorFile[Plan]], boards: list[OperatorFile[Board]]) -> pa.Table:
    rows: list[dict[str, str | None]] = [
        {"file_kind": "plan", "file_name": file.path.name, "file_hash": file.sha256} for file in plans
    ]
    rows += [{"file_kind": "board", "file_name": file.path.name, "file_hash": file.sha256} for file in boards]
    # An empty folder is a set too: without a row, the previous load would still be the newest.
    return pa.Table.from_pylist(rows or [{"file_kind": "none"}], schema=FILE_SCHEMA)
