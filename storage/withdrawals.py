"""Rows of the lake that were withdrawn: they stay in their files, and nothing that is built counts them.

What belongs here: the log of withdrawals and the condition that leaves withdrawn rows out. Staging applies the same
condition (the dbt macro `lake`). What does not: what may be withdrawn, and on whose word (`ingestion.withdrawal`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Literal

import duckdb
import pyarrow as pa

from storage.append import append_once
from storage.file_queries import query_files, read_files
from storage.lake import KNOWN_FROM, LOAD_ID, Lake
from storage.sql import quote_name, quote_text

WITHDRAWAL_TABLE = "withdrawal__log"

# `load`: all rows of a load. `key`: a record's rows up to a load. `absence`: the same, because a complete file of its
# feed no longer has the record.
Kind = Literal["load", "key", "absence"]


@dataclass(frozen=True)
class Withdrawal:
    """One entry of the log.

    Attributes:
        withdrawal_id: Its id; reinstating appends a second entry of the same id.
        table_name: The lake table.
        kind: See `Kind`.
        load_id: The load that is withdrawn, or the last load whose rows of the record are.
        record_key: JSON object of the record's key columns and their values as text, without blanks around them; NULL
            for a whole load.
        reason: Why, as the operator or the feed says it.
        row_count: Rows withdrawn when it was logged.
        is_in_force: False where the entry reinstates the rows.
    """

    withdrawal_id: str
    table_name: str
    kind: Kind
    load_id: str
    record_key: str | None
    reason: str
    row_count: int
    is_in_force: bool = True

    @property
    def key(self) -> dict[str, str]:
        """The record's key; empty for a whole load."""
        return dict(json.loads(self.record_key)) if self.record_key else {}


_COLUMNS = pa.schema(
    [
        ("withdrawal_id", pa.string()),
        ("table_name", pa.string()),
        ("kind", pa.string()),
        ("load_id", pa.string()),
        ("record_key", pa.string()),
        ("key_columns", pa.string()),  # JSON list: what staging compares
        ("reason", pa.string()),
        ("row_count", pa.int64()),
        ("is_in_force", pa.bool_()),
    ]
)


def log_withdrawals(lake: Lake, entries: Sequence[Withdrawal], *, known_at: datetime, run_id: str) -> None:
    """Append entries to the log, as one commit; an entry that it holds already is not repeated.

    Raises:
        StorageError: The lake cannot be written, or another process was faster. Nothing was logged.
    """
    rows = pa.Table.from_pylist(
        [{**asdict(entry), "key_columns": json.dumps([*entry.key]) if entry.key else None} for entry in entries],
        schema=_COLUMNS,
    )
    append_once(
        lake,
        WITHDRAWAL_TABLE,
        rows,
        known_at=known_at,
        run_id=run_id,
        key=("withdrawal_id", "is_in_force"),
    )


def read_withdrawals(lake: Lake, table: str | None = None) -> list[tuple[datetime, Withdrawal]]:
    """The newest entry of each withdrawal with the instant it was logged, oldest first; of one table, or of all."""
    newest = f"row_number() over (partition by withdrawal_id order by {LOAD_ID} desc) = 1"
    rows = lake.query(
        WITHDRAWAL_TABLE,
        f"select * from lake where table_name = coalesce(?, table_name) qualify {newest} order by {LOAD_ID}, record_key",
        [table],
    )
    if rows is None:
        return []
    names = [each.name for each in fields(Withdrawal)]
    return [(row[KNOWN_FROM], Withdrawal(**{name: row[name] for name in names})) for row in rows.to_pylist()]


def list_in_force(lake: Lake, table: str) -> list[Withdrawal]:
    """The withdrawals that a table's readers respect."""
    return [entry for _, entry in read_withdrawals(lake, table) if entry.is_in_force]


def standing_rows(connection: duckdb.DuckDBPyConnection, rows: str, withdrawals: Sequence[Withdrawal]) -> str:
    """SQL for the rows that no withdrawal covers.

    Args:
        connection: Gets the temporary tables that the SQL reads.
        rows: SQL of the rows in a `from` clause, such as `read_files` gives.
        withdrawals: What is withdrawn from their table.
    """
    loads = sorted({entry.load_id for entry in withdrawals if not entry.key})
    conditions = [f"{LOAD_ID} not in ({', '.join(map(quote_text, loads))})"] if loads else []
    by_columns: dict[tuple[str, ...], list[Withdrawal]] = {}
    for entry in withdrawals:
        if entry.key:
            by_columns.setdefault(tuple(entry.key), []).append(entry)
    for number, (columns, entries) in enumerate(by_columns.items()):
        name = f"withdrawn_keys_{number}"
        keys = pa.table(
            {
                **{
                    f"k{place}": pa.array([entry.key[column] for entry in entries], pa.string())
                    for place, column in enumerate(columns)
                },
                "until": pa.array([entry.load_id for entry in entries], pa.string()),
            }
        )
        connection.register("withdrawn_keys", keys)
        connection.execute(f"create or replace temp table {name} as from withdrawn_keys")
        connection.unregister("withdrawn_keys")
        same = " and ".join(
            f"{name}.k{place} = trim(cast(lake_row.{quote_name(column)} as varchar))"
            for place, column in enumerate(columns)
        )
        conditions.append(f"not exists (from {name} where {same} and lake_row.{LOAD_ID} <= {name}.until)")
    return f"(from {rows} as lake_row where {' and '.join(conditions)})" if conditions else rows


def query_standing(lake: Lake, table: str, sql: str, parameters: Sequence[object] = ()) -> pa.Table | None:
    """As `Lake.query`, over the rows of the table that were not withdrawn."""
    if not (files := lake.local_files(table)):
        return None
    with query_files() as connection:
        rows = standing_rows(connection, read_files(files), list_in_force(lake, table))
        connection.register("lake", connection.sql(f"from {rows}"))
        return connection.sql(sql, params=list(parameters)).to_arrow_table()
