"""Queries over the lake's files: one DuckDB database per process, one session of it per use.

A database takes 12 ms to create, as long as comparing a small load; a session takes no time. Every load and every query
needs a session.
"""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import duckdb

from storage.errors import temporary_file_error
from storage.sql import quote_list

MEMORY = "256MB"
# DuckDB wants 125 MB per thread. With eight, as on eight cores by default, comparing a million rows runs out of memory.
THREADS = 2

# Not every out-of-memory error: what cannot be spilled to a file gains nothing from room for files.
_NO_ROOM = ("No space left", "failed to offload")


@contextmanager
def query_files() -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB session with its own temporary views, tables and registrations; times are UTC.

    When memory runs out, it spills to temporary files.

    Raises:
        StorageError: There is no room for the temporary files.
    """
    with _database().cursor() as session:
        session.execute("set TimeZone = 'UTC'")
        try:
            yield session
        except duckdb.Error as error:
            if not any(sign in str(error) for sign in _NO_ROOM):
                raise
            raise temporary_file_error("The lake's files cannot be queried", error) from error


def read_files(paths: Iterable[Path | str], *, with_positions: bool = False) -> str:
    """SQL for the rows of the lake's files, as the files hold them.

    Folders named `region=emea` in their paths are no columns, as they would be by default: such a column would replace
    the file's own.

    Args:
        paths: Parquet files on this machine; a column that some of them lack is NULL there.
        with_positions: Add the columns `filename` and `file_row_number`.
    """
    positions = ", filename=true, file_row_number=true" if with_positions else ""
    return f"read_parquet({quote_list(paths)}, union_by_name=true, hive_partitioning=false{positions})"


@cache
def _database() -> duckdb.DuckDBPyConnection:
    spill = tempfile.TemporaryDirectory(prefix="salesops-queries-", ignore_cleanup_errors=True)  # private to this user
    atexit.register(spill.cleanup)
    database = duckdb.connect(config={"memory_limit": MEMORY, "threads": THREADS, "temp_directory": spill.name})
    database.execute("set parquet_metadata_cache = true")  # several queries of a load read the same files
    return database
