"""Open the warehouse (one writer) and the published set (many readers)."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb

from storage.errors import StorageError
from storage.home import Home
from storage.sql import quote_path


def open_warehouse(home: Home) -> duckdb.DuckDBPyConnection:
    """Open the warehouse read-only. Only steps in the Dagster pool `warehouse` may: DuckDB has one writer per file.

    Raises:
        StorageError: It has not been built yet, or another process holds it.
    """
    path = str(home.warehouse)
    try:
        connection = duckdb.connect(path, read_only=True)
    except duckdb.Error as error:
        raise _explain(
            error,
            path,
            what="The warehouse",
            fix="Run `salesops run`; while a run is going on read the published set instead.",
        ) from None
    connection.execute("set TimeZone = 'UTC'")  # refused as connect(config=…), because icu is not loaded yet
    return connection


def is_whole(file: Path) -> bool:
    """Whether a DuckDB file opens, is as long as it says, and has no log left to replay.

    Raises:
        duckdb.IOException: Another process has it open for writing.
    """
    try:
        with duckdb.connect(str(file), read_only=True) as connection:
            # A truncated file opens all the same; three headers of 4 KB come before its blocks.
            found = connection.execute(
                "select total_blocks * block_size + 3 * 4096 from pragma_database_size()"
            ).fetchone()
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise
        return False
    except duckdb.Error:
        return False
    return found is not None and file.stat().st_size >= found[0] and not log_of(file).exists()


def log_of(file: Path) -> Path:
    """The log that DuckDB keeps beside a file while it writes, and that a killed process leaves behind."""
    return file.with_name(file.name + ".wal")


def open_published(home: Home, *, needs_pay: bool = False) -> duckdb.DuckDBPyConnection:
    """Open the marts of the last good run read-only, from any process, at any time.

    Both `fct_leads` and `marts.fct_leads` work. The tables about pay are there for those who may read them. Both files
    are of one set.

    Args:
        home: The home folder.
        needs_pay: Whether to raise if the tables about pay cannot be read.

    Raises:
        StorageError: Nothing has been published yet, or the files may not be read.
    """
    published = home.published / "current"
    # Resolved once: a run may move the link to another set between two looks at it.
    folder = published.resolve()
    files = {"salesops": folder / "salesops.duckdb", "pay": folder / "restricted" / "pay.duckdb"}
    if not os.access(files["pay"], os.R_OK):
        if needs_pay and folder.exists():
            raise StorageError(
                "The published tables about pay cannot be read.",
                where=str(files["pay"]),
                fix="Only the user who runs Salesops may read them; where the file is missing, `salesops run` publishes anew.",
            )
        del files["pay"]
    connection = duckdb.connect()
    try:
        for name, path in files.items():
            connection.execute(f"attach '{quote_path(path)}' as {name} (read_only)")
    except duckdb.Error as error:
        connection.close()
        raise _explain(error, str(published), what="The published set", fix="Run `salesops run` first.") from None
    connection.execute(f"set search_path = '{','.join(f'{name}.marts' for name in files)}'")
    connection.execute("set TimeZone = 'UTC'")
    return connection


def _explain(error: duckdb.Error, path: str, *, what: str, fix: str) -> StorageError:
    return StorageError(f"{what} cannot be opened: {str(error).splitlines()[0]}", where=path, fix=fix)
