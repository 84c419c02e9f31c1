"""Queries over the lake's files: one DuckDB database for the process, a session of it for each use.

A database takes 12 ms to make, as long as it takes to compare a small load; a session takes nothing, and every load and every question needs one.
"""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import duckdb

from storage.errors import temporary_file_error

MEMORY = "256MB"
# DuckDB wants 125 MB a thread. With eight of them, as it would have on eight cores, comparing a million rows runs out of memory.
THREADS = 2

_NO_ROOM = (
    "No space left",
    "failed to offload",
)  # not every want of memory: what cannot go to a file is not helped by room for files


@contextmanager
def query_files() -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB session with temporary views, tables and registrations of its own; times are UTC. Where memory ends, it uses temporary files.

    Raises:
        StorageError: The temporary files have no room.
    """
    with _database().cursor() as session:
        session.execute("set TimeZone = 'UTC'")
        try:
            yield session
        except duckdb.Error as error:
            if not any(sign in str(error) for sign in _NO_ROOM):
                raise
            raise temporary_file_error("The lake's files cannot be queried", error) from error


@cache
def _database() -> duckdb.DuckDBPyConnection:
    spill = tempfile.TemporaryDirectory(prefix="salesops-queries-", ignore_cleanup_errors=True)  # nobody else's to read
    atexit.register(spill.cleanup)
    database = duckdb.connect(config={"memory_limit": MEMORY, "threads": THREADS, "temp_directory": spill.name})
    database.execute("set parquet_metadata_cache = true")  # several queries of a load read the same files
    return database
