"""The doors to the warehouse (one writer) and to the published set (many readers)."""

from __future__ import annotations

import duckdb

from storage.errors import StorageError
from storage.home import Home


def open_warehouse(home: Home) -> duckdb.DuckDBPyConnection:
    """Open the warehouse to read. Only steps in the Dagster pool `warehouse` may: DuckDB has one writer per file.

    Raises:
        StorageError: It was not built yet, or another process holds it.
    """
    return _open(str(home.warehouse), what="The warehouse", fix="Run `salesops run`; while a run is going on read the published set instead.")


def open_published(home: Home) -> duckdb.DuckDBPyConnection:
    """Open the marts of the last good run to read, from any process, at any time.

    Raises:
        StorageError: Nothing was published yet.
    """
    return _open(str(home.published / "marts.duckdb"), what="The published set", fix="Run `salesops run` first.")


def _open(path: str, *, what: str, fix: str) -> duckdb.DuckDBPyConnection:
    try:
        connection = duckdb.connect(path, read_only=True)
        connection.execute("SET TimeZone = 'UTC'")  # as connect(config=…) it is refused: icu is not loaded yet
        return connection
    except duckdb.Error as error:
        raise StorageError(f"{what} cannot be opened: {str(error).splitlines()[0]}", where=path, fix=fix) from None
