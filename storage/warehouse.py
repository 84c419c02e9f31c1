"""The doors to the warehouse (one writer) and to the published set (many readers)."""

from __future__ import annotations

import duckdb

from storage.errors import StorageError
from storage.home import Home
from storage.sql import quote_path


def open_warehouse(home: Home) -> duckdb.DuckDBPyConnection:
    """Open the warehouse to read. Only steps in the Dagster pool `warehouse` may: DuckDB has one writer per file.

    Raises:
        StorageError: It was not built yet, or another process holds it.
    """
    path = str(home.warehouse)
    try:
        connection = duckdb.connect(path, read_only=True)
    except duckdb.Error as error:
        raise _explain(error, path, what="The warehouse", fix="Run `salesops run`; while a run is going on read the published set instead.") from None
    connection.execute("set TimeZone = 'UTC'")  # as connect(config=…) it is refused: icu is not loaded yet
    return connection


def open_published(home: Home) -> duckdb.DuckDBPyConnection:
    """Open the marts of the last good run to read, from any process, at any time; both `fct_leads` and `marts.fct_leads` answer.

    Raises:
        StorageError: Nothing was published yet.
    """
    path = str(home.published / "marts.duckdb")
    connection = duckdb.connect()
    try:
        # Attached under a name of its own: opened itself, the file's catalog is called marts, and `marts.…` is ambiguous (docs/adr/0002).
        connection.execute(f"attach '{quote_path(path)}' as salesops (read_only)")
    except duckdb.Error as error:
        connection.close()
        raise _explain(error, path, what="The published set", fix="Run `salesops run` first.") from None
    connection.execute("use salesops.marts")
    connection.execute("set TimeZone = 'UTC'")
    return connection


def _explain(error: duckdb.Error, path: str, *, what: str, fix: str) -> StorageError:
    return StorageError(f"{what} cannot be opened: {str(error).splitlines()[0]}", where=path, fix=fix)
