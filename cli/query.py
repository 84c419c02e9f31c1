"""`salesops query`: one read-only statement on the published set, with no access to anything else on the machine."""

from __future__ import annotations

import csv
import difflib
import json
import math
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal

import duckdb
from rich.console import Console
from rich.table import Table
from rich.text import Text

from storage.errors import SalesopsError
from storage.home import Home
from storage.warehouse import open_published

ROWS_SHOWN = 100
_BATCH = 10_000
_RIGHT = re.compile(r"INT|DECIMAL|DOUBLE|FLOAT")
_UNKNOWN_TABLE = re.compile(r"Table with name (?P<name>.+?) does not exist")
# EXPLAIN is excluded: EXPLAIN ANALYZE runs its statement, and DuckDB does not count COPY into an attached file as
# external access.
_READS = {duckdb.StatementType.SELECT}


class QueryError(SalesopsError):
    """The statement cannot be answered."""


def query(home: Home, sql: str, *, form: Literal["table", "csv", "json"] = "table") -> None:
    """Run one statement on the published set and print its rows.

    Args:
        home: The home folder.
        sql: A single `select`; `-` reads it from standard input.
        form: `table` shows the first hundred rows; `csv` and `json` return all of them, with exact decimals and ISO
            8601 times.

    Raises:
        StorageError: Nothing has been published yet.
        QueryError: The statement is invalid, does not read, or is more than one.
    """
    text = sys.stdin.read() if sql == "-" else sql
    with open_published(home) as published, _explained(published):
        _shut_in(published)
        statement = _read_statement(published, text)
        published.execute(statement)
        columns = [(str(column[0]), str(column[1])) for column in published.description or []]
        if form == "csv":
            _print_csv(published, columns)
        elif form == "json":
            _print_json(published, columns)
        else:
            _print_table(published, columns)


def _shut_in(published: duckdb.DuckDBPyConnection) -> None:
    """Restrict the statement to the tables: no files, network, extensions or Python variables, and no way back."""
    for setting in ("enable_external_access", "python_enable_replacements"):
        published.execute(f"set {setting} = false")
    published.execute("set lock_configuration = true")


def _read_statement(published: duckdb.DuckDBPyConnection, text: str) -> duckdb.Statement:
    statements = published.extract_statements(text)
    if len(statements) != 1:
        raise QueryError(
            f"One statement can be run at a time, and this is {len(statements) or 'none'}.", fix="Give a single select."
        )
    (statement,) = statements
    if statement.type not in _READS:
        raise QueryError(
            f"The published set is only read; this is a statement of the kind {statement.type.name}.",
            fix="Give a select.",
        )
    return statement


@contextmanager
def _explained(published: duckdb.DuckDBPyConnection) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        # The second paragraph repeats the statement with a caret below the error.
        what, _, place = str(error).partition("\n\n")
        unknown = _UNKNOWN_TABLE.search(what)
        fix = _suggest(published, unknown["name"]) if unknown else ""
        raise QueryError(
            what.splitlines()[0] if unknown else " ".join(what.split()), where=_find_line(place), fix=fix
        ) from None


def _find_line(place: str) -> str:
    found = re.search(r"^LINE \d+: .*$", place, re.MULTILINE)
    return found[0] if found else ""


def _suggest(published: duckdb.DuckDBPyConnection, name: str) -> str:
    marts = [
        mart for (mart,) in published.execute("select distinct table_name from duckdb_tables() order by 1").fetchall()
    ]
    close = difflib.get_close_matches(name.lower().rpartition(".")[2], marts, n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(close)}?" if close else 'List the marts with: salesops query "show tables".'


def _print_table(published: duckdb.DuckDBPyConnection, columns: list[tuple[str, str]]) -> None:
    rows = published.fetchmany(ROWS_SHOWN)
    more = sum(len(batch) for batch in iter(lambda: published.fetchmany(_BATCH), []))
    table = Table()
    for name, kind in columns:
        table.add_column(Text(name), justify="right" if _RIGHT.search(kind) else "left")
    for row in rows:
        table.add_row(*(Text("" if value is None else str(_plain(value))) for value in row))
    console = Console(highlight=False)
    console.print(table)
    total = len(rows) + more
    cut = f", the first {ROWS_SHOWN} shown; --csv or --json gives all" if more else ""
    console.print(f"{total:,} row{'' if total == 1 else 's'}{cut}.", soft_wrap=True)


def _print_csv(published: duckdb.DuckDBPyConnection, columns: list[tuple[str, str]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([name for name, _ in columns])
    while rows := published.fetchmany(_BATCH):
        writer.writerows([_for_csv(value) for value in row] for row in rows)


def _for_csv(value: Any) -> Any:
    plain = _plain(value)
    return json.dumps(plain, ensure_ascii=False) if isinstance(plain, list | dict | bool) else plain


def _print_json(published: duckdb.DuckDBPyConnection, columns: list[tuple[str, str]]) -> None:
    """A list of objects; decimals are text, so that no reader rounds them."""
    names, separator = [name for name, _ in columns], "\n"
    sys.stdout.write("[")
    while rows := published.fetchmany(_BATCH):
        for row in rows:
            plain = {name: _plain(value) for name, value in zip(names, row, strict=True)}
            sys.stdout.write(separator + json.dumps(plain, ensure_ascii=False))
            separator = ",\n"
    sys.stdout.write("\n]\n")


def _plain(value: Any) -> Any:
    """A value in a form that CSV and JSON can hold."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None  # JSON has no value for either
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
