"""Locks on a home: one run at a time, and which runs are alive.

    locks/home.lock        held by the process that executes a run, from before its first write to after its last
    locks/children.lock    shared by that process and by the processes it starts
    locks/runs/<run id>    held by each live run, waiting or at work

The kernel drops a lock (`flock`) when its last holder dies, however it dies, so none of them goes stale: a run is dead
exactly when the lock of its file can be taken.
What belongs here: taking and checking locks. What does not: repairs after a dead run
(`orchestration.leftovers`).
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import Enum
from itertools import count
from pathlib import Path
from typing import IO

from storage.errors import StorageError
from storage.home import Home

_POLL_SECONDS = 0.2
# Children notice within a second that their parent is gone; one that outlives this limit is not worth waiting for.
_CHILDREN_SECONDS = 60.0


class HomeBusy(StorageError):
    """Another run is at work on this home."""

    exit_code = 75  # EX_TEMPFAIL of sysexits.h: try again later


class Liveness(Enum):
    """What a run's lock file says about its process."""

    LIVE = "live"
    DEAD = "dead"
    UNKNOWN = "no lock file"


@dataclass(frozen=True)
class Holder:
    """Who holds a home; stored in `home.lock` as JSON."""

    pid: int
    host: str
    run_id: str
    since: str

    def __str__(self) -> str:
        return f"run {self.run_id} (process {self.pid} on {self.host}, since {self.since})"


# Written into a run's lock file at its end if the file stays: the run failed, was interrupted, or lives on.
_ENDED = "ended"

# Homes that this process holds, each with the descriptor that its children inherit; and the runs in this process.
_held: dict[Path, int] = {}
_runs: set[str] = set()
# Lock files kept open until this process is gone, see `hold_until_exit`.
_kept: list[IO[str]] = []
_is_ending = False


@contextmanager
def hold_home(
    home: Home,
    run_id: str,
    *,
    wait: bool = True,
    on_wait: Callable[[Holder | None], None] = lambda holder: None,
    lives_on: bool = False,
) -> Iterator[None]:
    """Be the only run at work on this home while the block runs.

    Waits first for the run that holds the home, then for children that a dead run left behind. Inside a block that
    already holds the same home, it only records that this run is live too.

    Args:
        home: The home folder.
        run_id: This run; it counts as live from the first moment.
        wait: Whether to wait for another run.
        on_wait: Called once, with the run that this one waits for; None if that cannot be read.
        lives_on: Whether to count as live until the process is gone: Dagster records a run's end only after its
            executor's.

    Raises:
        HomeBusy: Another run holds the home, and `wait` is False.
        StorageError: The lock files cannot be written.
    """
    if home.root in _held:
        with _hold_run(home, run_id, lives_on=lives_on):
            yield
        return
    with (
        _hold_run(home, run_id, lives_on=lives_on),
        _open(home.locks / "home.lock") as lock,
        _open(home.locks / "children.lock") as children,
    ):
        _take(lock, wait=wait, on_wait=lambda: on_wait(_read_holder(home)), busy=lambda: _busy(home))
        _write_holder(lock, run_id)
        _wait_for_children(home, children)
        fcntl.flock(children, fcntl.LOCK_SH)
        _held[home.root] = children.fileno()
        try:
            yield
        finally:
            del _held[home.root]
            if not _is_ending:
                lock.truncate(0)


def hold_until_exit() -> None:
    """Keep every lock until this process is gone.

    Threads of an interrupted run may still use the warehouse when its code has ended.
    """
    global _is_ending
    _is_ending = True


def inherited_by_children() -> tuple[int, ...]:
    """Descriptors to pass to a child process (`pass_fds`): the home stays locked until the child has ended."""
    return tuple(_held.values())


def find_holder(home: Home) -> Holder | None:
    """The run at work on this home; None if there is none, or its name cannot be read. Changes nothing."""
    return _read_holder(home) if _is_locked(home.locks / "home.lock") else None


def probe_run(home: Home, run_id: str) -> Liveness:
    """Whether a run's process is alive. UNKNOWN: it has not begun, has ended properly, or is older than the locks."""
    path = home.locks / "runs" / run_id
    if not path.exists():
        return Liveness.UNKNOWN
    return Liveness.LIVE if _is_locked(path) else Liveness.DEAD


def find_dead_runs(home: Home) -> list[str]:
    """Runs whose process ended without recording an end; an interrupted run does record one. Changes nothing."""
    return sorted(
        path.name
        for path in (home.locks / "runs").glob("*")
        if not _is_locked(path) and path.read_text(encoding="utf-8") != _ENDED
    )


def forget_dead_runs(home: Home) -> None:
    """Remove the lock files of runs whose process is gone."""
    for path in (home.locks / "runs").glob("*"):
        with suppress(OSError), path.open("r", encoding="utf-8") as file:
            # Locked while it is removed, so that no run takes it in between.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)


@contextmanager
def without_children(home: Home) -> Iterator[bool]:
    """Whether no run is at work and no child of a dead one is left; it stays so while the block runs. Never waits."""
    with _open(home.locks / "children.lock") as children:
        try:
            fcntl.flock(children, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


@contextmanager
def _hold_run(home: Home, run_id: str, *, lives_on: bool = False) -> Iterator[None]:
    if run_id in _runs:
        yield
        return
    path = home.locks / "runs" / run_id
    file = _lock_file_of_run(path)
    _runs.add(run_id)
    leaves_file = True
    try:
        yield
        leaves_file = _is_ending or lives_on
    except HomeBusy:
        leaves_file = False
        raise
    finally:
        _runs.discard(run_id)
        if leaves_file:
            # A failed run may not have recorded its end in Dagster (a full disk): its file tells the next run
            # that it is over.
            with suppress(OSError):
                file.write(_ENDED)
                file.flush()
        else:
            path.unlink(missing_ok=True)
        if _is_ending or lives_on:
            _kept.append(file)
        else:
            with suppress(OSError):
                file.close()


def _lock_file_of_run(path: Path) -> IO[str]:
    """The run's file, locked. Opened again if it was removed as a dead run's between its opening and its locking."""
    while True:
        file = _open_file(path)
        _flock(file, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.fstat(file.fileno()).st_ino == path.stat().st_ino:
                return file
        file.close()


def _open_file(path: Path) -> IO[str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a+", encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"The home's lock files cannot be written: {error.strerror or error}.",
            where=str(path),
            fix="Check room and permissions there and run again. Nothing was changed.",
        ) from None


def _flock(file: IO[str], how: int) -> None:
    """Take a lock; BlockingIOError if somebody else has it and `how` says not to wait."""
    try:
        fcntl.flock(file, how)
    except BlockingIOError:
        raise
    except OSError as error:
        raise StorageError(
            f"The home's file system does not lock files: {error.strerror or error}.",
            where=str(file.name),
            fix="Set SALESOPS_HOME to a folder on a local disk. Nothing was changed.",
        ) from None


@contextmanager
def _open(path: Path) -> Iterator[IO[str]]:
    file = _open_file(path)
    try:
        yield file
    finally:
        if _is_ending:
            _kept.append(file)
        else:
            file.close()


def _take(lock: IO[str], *, wait: bool, on_wait: Callable[[], None], busy: Callable[[], HomeBusy]) -> None:
    has_said = False
    for attempt in count():
        try:
            _flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if not wait and attempt:  # the first failure may only be another process checking the lock
                raise busy() from None
        if wait and not has_said:
            on_wait()
            has_said = True
        time.sleep(_POLL_SECONDS)


def _wait_for_children(home: Home, children: IO[str]) -> None:
    """Wait until the processes that a dead run started have ended: they may still write to the home."""
    deadline = time.monotonic() + _CHILDREN_SECONDS
    while True:
        try:
            fcntl.flock(children, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise HomeBusy(
                    "Processes that an earlier run started are still at work on this home.",
                    where=str(home.root),
                    fix=f"End them (`fuser {home.locks / 'children.lock'}` lists them) and run again.",
                ) from None
        time.sleep(_POLL_SECONDS)


def _busy(home: Home) -> HomeBusy:
    holder = _read_holder(home)
    return HomeBusy(
        f"Another run is at work on this home: {holder or 'its name cannot be read'}.",
        where=str(home.root),
        fix="Wait until it has ended, then do the same again; `salesops run` without --no-wait waits by itself. Nothing was changed.",
    )


def _write_holder(lock: IO[str], run_id: str) -> None:
    since = datetime.now(UTC).replace(microsecond=0).isoformat()
    lock.truncate(0)
    with suppress(OSError):  # a full disk: a waiting run then cannot name this one
        lock.write(json.dumps(asdict(Holder(os.getpid(), socket.gethostname(), run_id, since))))
        lock.flush()


def _read_holder(home: Home) -> Holder | None:
    try:
        return Holder(**json.loads((home.locks / "home.lock").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _is_locked(path: Path) -> bool:
    try:
        file = path.open("r", encoding="utf-8")
    except FileNotFoundError:
        return False
    except OSError:  # another user's file: its run must not be called dead
        return True
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
