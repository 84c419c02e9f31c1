"""Withdraw what landed and should not have: a load, or a record; and reinstate it.

The rows stay in the lake. Nothing that is built counts them, and each withdrawal and reinstatement is logged with its
reason (`storage.withdrawals`). A source that delivers the same rows again after their load was withdrawn lands them
again: it insists. A record that was withdrawn by its key stays withdrawn until its source changes it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ingestion.contracts import LakeTable
from ingestion.errors import WithdrawalError
from ingestion.landing.identity import find_identity
from ingestion.sources.feeds.register import DROPPED_FILES
from ingestion.sources.salesforce.objects import is_salesforce_table
from ingestion.sources.tables import LAKE_TABLES
from storage.lake import LOAD_ID, Lake
from storage.sql import quote_name
from storage.withdrawals import Withdrawal, log_withdrawals, query_standing, read_withdrawals

_SHORT_ID = 15
_SOURCES = {table.name for table in LAKE_TABLES if table is not DROPPED_FILES}


def withdraw_load(lake: Lake, table: str, load_id: str, *, reason: str, known_at: datetime, run_id: str) -> Withdrawal:
    """Withdraw every row of a load.

    Args:
        lake: The lake.
        table: Lake table.
        load_id: The load, as `salesops lake loads TABLE` prints it.
        reason: Why; logged.
        known_at: The instant of the log's entry, with a time zone.
        run_id: Who asks, for the log.

    Raises:
        WithdrawalError: The table is none that a source fills, has no such load, or the load has no rows left to withdraw.
        StorageError: The lake has no such table, or cannot be written. Nothing was withdrawn.
    """
    _require_source(lake, table)
    if all(load.load_id != load_id for load in lake.loads(table)):
        raise WithdrawalError(
            f"{table} has no load '{load_id}'.",
            where=str(lake.root),
            fix=f"`salesops lake loads {table}` lists its loads.",
        )
    count = _count(lake, table, f"{LOAD_ID} = ?", [load_id])
    entry = Withdrawal(_new_id(known_at), table, "load", load_id, None, reason, count)
    if not entry.row_count:
        raise WithdrawalError(
            f"Load {load_id} has no rows that count: it brought none, or they were withdrawn before.",
            where=f"lake table {table}",
            fix="`salesops lake withdrawals` lists what was withdrawn.",
        )
    log_withdrawals(lake, [entry], known_at=known_at, run_id=run_id)
    return entry


def withdraw_record(
    lake: Lake, table: str, key: Mapping[str, str], *, reason: str, known_at: datetime, run_id: str
) -> Withdrawal:
    """Withdraw every row of one record that has landed so far.

    Args:
        lake: The lake.
        table: Lake table.
        key: The record's key columns, as `key_columns` names them, and their values; a Salesforce id may be the short
            one of links and reports.
        reason: Why; logged.
        known_at: The instant of the log's entry, with a time zone.
        run_id: Who asks, for the log.

    Raises:
        WithdrawalError: The table is none that a source fills, has another key, or has no such record.
        StorageError: The lake has no such table, or cannot be written. Nothing was withdrawn.
    """
    columns = key_columns(lake, table)
    key = {column: value.strip() for column, value in key.items()}
    if set(key) != set(columns):
        raise WithdrawalError(
            f"A record of {table} is named by {' and '.join(columns)}.",
            where=f"lake table {table}",
            fix=f"Give {' '.join(f'--key {column}=…' for column in columns)}.",
        )
    if is_salesforce_table(table) and len(key.get("Id", "")) == _SHORT_ID:
        key = {"Id": _lengthen(lake, table, key["Id"])}
    is_it = " and ".join(f"trim(cast({quote_name(column)} as varchar)) = ?" for column in columns)
    values = [key[column] for column in columns]
    count, newest = _count(lake, table, is_it, values), lake.newest_load(table)
    if not count or newest is None:
        shown = ", ".join(f"{column}={key[column]}" for column in columns)
        raise WithdrawalError(
            f"{table} has no record {shown} that counts.",
            where=f"lake table {table}",
            fix="Give the key as its source spells it. `salesops lake withdrawals` lists what was withdrawn before.",
        )
    entry = Withdrawal(
        _new_id(known_at),
        table,
        "key",
        newest.load_id,
        json.dumps({column: key[column] for column in columns}),
        reason,
        count,
    )
    log_withdrawals(lake, [entry], known_at=known_at, run_id=run_id)
    return entry


def reinstate(lake: Lake, withdrawal_id: str, *, reason: str, known_at: datetime, run_id: str) -> Withdrawal:
    """Undo a withdrawal: its rows count again, wherever nothing newer replaced them.

    Raises:
        WithdrawalError: There is no such withdrawal in force.
        StorageError: The lake cannot be written. Nothing was reinstated.
    """
    found = next((each for _, each in read_withdrawals(lake) if each.withdrawal_id == withdrawal_id), None)
    if found is None or not found.is_in_force:
        raise WithdrawalError(
            f"No withdrawal '{withdrawal_id}' is in force.",
            where=str(lake.root),
            fix="`salesops lake withdrawals` lists them.",
        )
    undone = replace(found, reason=reason, is_in_force=False)
    log_withdrawals(lake, [undone], known_at=known_at, run_id=run_id)
    return undone


def key_columns(lake: Lake, table: str) -> tuple[str, ...]:
    """The columns that identify a record of a table.

    Raises:
        WithdrawalError: The table is none that a source fills.
        StorageError: The lake has no such table.
    """
    _require_source(lake, table)
    if identity := find_identity(lake, table):
        return identity.key
    declared: LakeTable | None = next((each for each in LAKE_TABLES if each.name == table), None)
    return declared.key if declared else ("Id",)


def _require_source(lake: Lake, table: str) -> None:
    lake.require(table)
    if table not in _SOURCES and not is_salesforce_table(table):
        raise WithdrawalError(
            f"No source fills {table}: Salesops writes it.",
            where=f"lake table {table}",
            fix="Change what it is written from (configuration, plans, models); the newest load counts.",
        )


def _new_id(known_at: datetime) -> str:
    return f"withdrawal:{known_at:%Y%m%dT%H%M%SZ}:{uuid.uuid4().hex[:8]}"


def _lengthen(lake: Lake, table: str, short: str) -> str:
    """The id of the record whose first 15 characters these are; they differ by case alone. Itself if there is none."""
    found = query_standing(lake, table, f'select min("Id") as id from lake where "Id"[:{_SHORT_ID}] = ?', [short])
    return str(found.column("id")[0].as_py() or short) if found is not None else short


def _count(lake: Lake, table: str, condition: str, values: Sequence[str]) -> int:
    counted = query_standing(lake, table, f"select count(*) as row_count from lake where {condition}", values)
    return int(counted.column("row_count")[0].as_py()) if counted is not None else 0
