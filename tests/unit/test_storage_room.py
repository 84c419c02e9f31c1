"""A full disk is named as such, with what is needed and where."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest
from sqlalchemy.exc import OperationalError

from orchestration.causes import RunFailed, find_cause
from storage.errors import StorageError
from storage.home import Home
from storage.room import DiskFull, bytes_for_build, check_room, is_disk_full


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def leave(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Leave so many bytes on the disk."""

    def set_free(free: int) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 10**12 - free, free))

    return set_free


FULL = [
    OSError(errno.ENOSPC, "No space left on device"),
    OSError(errno.EDQUOT, "Disk quota exceeded"),
    duckdb.IOException('Could not write file "warehouse.duckdb": No space left on device'),
    OperationalError("insert", {}, Exception("database or disk is full")),
]


@pytest.mark.parametrize("error", FULL, ids=lambda error: type(error).__name__)
def test_a_full_disk_is_the_cause_however_deep(error: Exception, tmp_path: Path, leave: Callable[[int], Any]) -> None:
    assert is_disk_full(error)
    leave(3_000_000)
    outer = RuntimeError("a step failed")
    outer.__cause__ = error
    cause = find_cause(outer, Home(tmp_path))
    assert isinstance(cause, DiskFull)
    assert "3 MB are free" in cause.what and str(tmp_path) in cause.where and "SALESOPS_HOME" in cause.fix


def test_an_error_of_ours_says_what_it_was_at_when_the_disk_got_full(
    tmp_path: Path, leave: Callable[[int], Any]
) -> None:
    ours = StorageError("The load could not be committed.", where="crm__lead", fix="Look.")
    ours.__cause__ = FULL[0]
    leave(0)
    assert find_cause(ours, Home(tmp_path)).what.startswith(
        "The load could not be committed. The disk is full: 0 MB are free"
    )
    leave(10**11)  # another disk than the home's: ours knows which
    assert find_cause(ours, Home(tmp_path)) is ours


def test_any_error_is_the_full_disks_where_nothing_is_left(tmp_path: Path, leave: Callable[[int], Any]) -> None:
    error = OperationalError("select", {}, Exception("disk I/O error"))
    leave(10**9)
    assert isinstance(find_cause(error, Home(tmp_path)), RunFailed)
    leave(1_000_000)
    assert isinstance(find_cause(error, Home(tmp_path)), DiskFull)


def test_a_run_refused_because_the_disk_is_full_says_so_once(tmp_path: Path, leave: Callable[[int], Any]) -> None:
    leave(0)
    refused = DiskFull.of(Home(tmp_path), 5_000_000)
    assert find_cause(refused, Home(tmp_path)) is refused


def test_any_other_error_names_our_line(tmp_path: Path) -> None:
    try:
        check_room(None, 1)  # type: ignore[arg-type]  # a fault of the program
    except AttributeError as error:
        cause = find_cause(error, Home(tmp_path))
    assert isinstance(cause, RunFailed)
    assert "AttributeError" in cause.what and cause.where.startswith("storage/room.py, line ")


def test_a_build_needs_as_much_as_the_last_one_took(tmp_path: Path, leave: Callable[[int], Any]) -> None:
    home = Home(tmp_path)
    first = bytes_for_build(home)
    (home.published / "sets" / "run").mkdir(parents=True)
    (home.published / "sets" / "run" / "marts").write_bytes(bytes(5_000_000))
    (home.published / "current").symlink_to("sets/run")
    home.warehouse.write_bytes(bytes(8_000_000))
    needed = bytes_for_build(home)
    assert needed < first and needed > 9_000_000
    leave(needed)
    check_room(home, needed)
    leave(needed - 1)
    with pytest.raises(DiskFull, match="a run needs about"):
        check_room(home, needed)
