"""`salesops lake withdraw`, `reinstate` and `withdrawals`: take back what landed and should not have."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.clock import read_clock
from cli.turns import take_turn
from ingestion import withdrawal
from ingestion.errors import WithdrawalError
from ingestion.sources.settings import load_settings
from storage.lake import Lake, open_lake
from storage.origin import choose_company
from storage.withdrawals import read_withdrawals


def withdraw(table: str, *, load: str | None, key: Sequence[str], reason: str) -> None:
    """Withdraw a load, or a record, and print how to undo it. Waits for an active run to finish.

    Raises:
        WithdrawalError: What was named is not there. Nothing was withdrawn.
    """
    if bool(load) == bool(key):
        raise WithdrawalError(
            "Name either a load or a record.",
            where="salesops lake withdraw",
            fix=f"`--load LOAD`, as `salesops lake loads {table}` prints it, or `--key VALUE`, or `--key COLUMN=VALUE` for each column of the key.",
        )
    settings = choose_company(load_settings(), asks_sources=False)
    lake, console, run_id = open_lake(settings), _console(), f"withdraw-{uuid.uuid4()}"
    with take_turn(settings.home_folder, run_id, console):
        known_at = read_clock(settings)
        if load:
            entry = withdrawal.withdraw_load(lake, table, load, reason=reason, known_at=known_at, run_id=run_id)
        else:
            named = _read_key(lake, table, key)
            entry = withdrawal.withdraw_record(lake, table, named, reason=reason, known_at=known_at, run_id=run_id)
    console.print(f"Withdrew {_rows(entry.row_count)} of {table}. What is withdrawn stays in the lake.")
    console.print("The marts know it after the next: salesops run")
    console.print(f"To undo it: salesops lake reinstate {entry.withdrawal_id} --reason …")


def reinstate(withdrawal_id: str, *, reason: str) -> None:
    """Undo a withdrawal. Waits for an active run to finish.

    Raises:
        WithdrawalError: No such withdrawal is in force.
    """
    settings = choose_company(load_settings(), asks_sources=False)
    console, run_id = _console(), f"reinstate-{uuid.uuid4()}"
    with take_turn(settings.home_folder, run_id, console):
        undone = withdrawal.reinstate(
            open_lake(settings), withdrawal_id, reason=reason, known_at=read_clock(settings), run_id=run_id
        )
    console.print(f"Reinstated {_rows(undone.row_count)} of {undone.table_name}, unless a newer row replaced it.")
    console.print("The marts know it after the next: salesops run")


def list_withdrawals() -> None:
    """Print every withdrawal, newest first."""
    found = read_withdrawals(open_lake(load_settings()))
    if not found:
        _console().print("Nothing was withdrawn.")
        return
    shown = Table(title="Withdrawals", title_justify="left")
    for heading in ("withdrawal", "logged at", "table", "what", "rows", "in force", "reason"):
        is_id = heading == "withdrawal"  # so that it can be copied
        shown.add_column(heading, justify="right" if heading == "rows" else "left", overflow="fold", no_wrap=is_id)
    for logged_at, entry in reversed(found):
        what = ", ".join(f"{column}={value}" for column, value in entry.key.items()) or entry.load_id
        cells = (entry.withdrawal_id, f"{logged_at:%Y-%m-%d %H:%M}", entry.table_name, what, f"{entry.row_count:,}")
        shown.add_row(*map(escape, cells), "yes" if entry.is_in_force else "no", escape(entry.reason))
    _console().print(shown)


def _read_key(lake: Lake, table: str, parts: Sequence[str]) -> dict[str, str]:
    """The key as given: `COLUMN=VALUE` for each column, or the bare value where the key has one column."""
    columns = withdrawal.key_columns(lake, table)
    named = {
        name: value for name, equals, value in (part.partition("=") for part in parts) if equals and name in columns
    }
    if len(columns) == 1 and len(parts) == 1 and not named:
        return {columns[0]: parts[0]}
    return named if len(named) == len(parts) else {}


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True)
