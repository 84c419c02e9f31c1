"""The one DuckDB that asks the lake's files, for all who do so in a process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from storage.errors import StorageError
from storage.file_queries import query_files

MORE_THAN_FITS = "select count(*) from (select distinct repeat('x', 100) || range from range(5_000_000))"


@pytest.fixture
def little_room() -> Iterator[None]:
    with query_files() as session:
        session.execute("set max_temp_directory_size = '1MB'")
        yield
        session.execute("reset max_temp_directory_size")


def test_what_one_session_defines_another_does_not_see() -> None:
    with query_files() as one, query_files() as other:
        for number, session in enumerate((one, other)):
            session.execute(f"create or replace temp view arrived as select {number} as number")
        assert [session.execute("from arrived").fetchall() for session in (one, other)] == [[(0,)], [(1,)]]
    with query_files() as later, pytest.raises(duckdb.CatalogException, match="arrived"):
        later.execute("from arrived")


def test_times_are_utc() -> None:
    with query_files() as session:
        assert session.execute("select '2026-07-01 12:00:00+02'::timestamptz::timestamp::varchar").fetchall() == [
            ("2026-07-01 10:00:00",)
        ]


def test_each_thread_has_the_memory_that_duckdb_wants_for_it() -> None:
    """On eight cores DuckDB would take eight threads, whose buffers alone are more than the memory that it is allowed."""
    with query_files() as session:
        ((threads, memory),) = session.execute(
            "select current_setting('threads'), parse_formatted_bytes(current_setting('memory_limit'))"
        ).fetchall()
    assert memory / threads >= 120e6


def test_what_does_not_fit_in_memory_goes_to_temporary_files() -> None:
    with query_files() as session:
        assert session.execute(MORE_THAN_FITS).fetchall() == [(5_000_000,)]


@pytest.mark.usefixtures("little_room")
def test_a_full_temporary_folder_is_named() -> None:
    with pytest.raises(StorageError, match="temporary folder") as caught, query_files() as session:
        session.execute(MORE_THAN_FITS)
    assert "TMPDIR" in caught.value.fix


def test_an_error_in_a_query_stays_what_it_is() -> None:
    with pytest.raises(duckdb.BinderException, match="no_such_column"), query_files() as session:
        session.execute("select no_such_column from range(1)")


def test_a_process_leaves_no_temporary_files(tmp_path: Path) -> None:
    asking = f"from storage.file_queries import query_files\nwith query_files() as session: print(session.execute({MORE_THAN_FITS!r}).fetchall())"
    done = subprocess.run(
        [sys.executable, "-c", asking], env={"TMPDIR": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.returncode, list(tmp_path.iterdir())) == ("[(5000000,)]", 0, []), done.stderr
