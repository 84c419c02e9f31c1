"""Upkeep of the lake: merge small files, delete files nobody needs any more. Readers and loads go on meanwhile.

What belongs here: what changes files but never a row. What does not: erasing a person (`purge` and `erasure`), copies
elsewhere (`backup`).
"""

from __future__ import annotations

import fcntl
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from deltalake.exceptions import CommitFailedError, DeltaError
from pyarrow import fs

from storage.errors import StorageError, summarise
from storage.home import Home
from storage.lake import Lake
from storage.lake_writer import TABLE_PROPERTIES

# Far longer than a build, which reads the files committed at its start. The newest files hold every version of a
# record, whatever compaction did, so as-of questions never need old files.
RETENTION = timedelta(days=7)
SHORTEST_RETENTION = timedelta(hours=1)


@dataclass(frozen=True)
class Compaction:
    """The result of compacting one table."""

    table: str
    files_before: int
    files_after: int


@dataclass(frozen=True)
class Vacuuming:
    """How many files of one table vacuum deleted, or would delete."""

    table: str
    files: int


@contextmanager
def only_one_upkeep(home: Home) -> Iterator[None]:
    """Allow one rewrite, deletion or copy of lake files at a time per home; loads and builds do not take this lock.

    Raises:
        StorageError: Another one is running.
    """
    home.root.mkdir(parents=True, exist_ok=True)
    with (home.root / "lake_upkeep.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StorageError(
                "Another compaction, vacuum, backup, restore or erasure is working on this lake.",
                where=str(home.root),
                fix="Wait until it has ended and run again. Nothing was changed.",
            ) from None
        yield


def compact(lake: Lake, tables: Collection[str] = ()) -> list[Compaction]:
    """Rewrite each table's small files as few large ones, one commit per table; the old files stay until `vacuum`.

    Rows, loads, cursors and the lake's fingerprint stay the same. Loads that commit meanwhile win.

    Args:
        lake: The lake.
        tables: The tables to compact; all if empty.

    Raises:
        StorageError: A table is unknown, or the disk or store cannot be written. Tables done before stay done; nothing
            is lost.
    """
    done = []
    for table in chosen(lake, tables):
        opened = lake.open(table)
        assert opened is not None  # it was just listed
        before = len(opened.file_uris())
        try:
            wanted = {
                name: value
                for name, value in TABLE_PROPERTIES.items()
                if opened.metadata().configuration.get(name) != value
            }
            if wanted:  # a table that an older version made
                opened.alter.set_table_properties(wanted)
            if before > 1:
                opened.optimize.compact()
        except CommitFailedError:
            # Something else rewrote the same files; the next compaction looks at them again.
            opened = lake.open(table) or opened
        except (OSError, DeltaError) as error:
            raise _refused("compacted", lake, table, error) from error
        done.append(Compaction(table, before, len(opened.file_uris())))
    return done


def vacuum(
    lake: Lake,
    keep: Mapping[str, Collection[int]],
    *,
    retention: timedelta = RETENTION,
    tables: Collection[str] = (),
    dry_run: bool = False,
) -> list[Vacuuming]:
    """Delete files that no commit names any more: those that compaction replaced, and what killed writers left.

    Args:
        lake: The lake.
        keep: Versions of each table whose files stay whatever their age.
        retention: Files younger than this stay: a build or a writer may be using them.
        tables: The tables to vacuum; all if empty.
        dry_run: Only count; delete nothing.

    Raises:
        StorageError: A table is unknown, the retention is shorter than an hour, or the disk or store cannot be written.
    """
    if retention < SHORTEST_RETENTION:
        raise StorageError(
            f"A retention of {retention} could drop files that a load is writing just now.",
            fix="Keep files for an hour or longer (--keep-hours).",
        )
    done = []
    for table in chosen(lake, tables):
        opened = lake.open(table)
        assert opened is not None  # it was just listed
        kept = sorted(version for version in keep.get(table, ()) if version <= opened.version())
        hours, present = ceil(retention / timedelta(hours=1)), _data_files(lake, table)
        try:
            dropped = opened.vacuum(
                retention_hours=hours,
                enforce_retention_duration=False,
                dry_run=dry_run,
                full=True,
                keep_versions=kept or None,
            )
        except (OSError, DeltaError, CommitFailedError) as error:
            raise _refused("vacuumed", lake, table, error) from error
        # `dropped` also names files that were deleted long ago.
        done.append(Vacuuming(table, len(present & {path.rsplit("/", 1)[-1] for path in dropped})))
    return done


def chosen(lake: Lake, tables: Collection[str]) -> list[str]:
    """The requested tables, or all.

    Raises:
        StorageError: One of them is not in the lake.
    """
    held = lake.tables()
    if unknown := sorted(set(tables) - set(held)):
        raise StorageError(
            f"The lake has no table {', '.join(unknown)}.",
            where=str(lake.root),
            fix="`salesops lake loads` names the tables that it has.",
        )
    return sorted(tables) if tables else held


def _data_files(lake: Lake, table: str) -> set[str]:
    filesystem, base = lake.filesystem()
    return {info.base_name for info in filesystem.get_file_info(fs.FileSelector(f"{base}/{table}")) if info.is_file}


def _refused(what: str, lake: Lake, table: str, error: Exception) -> StorageError:
    return StorageError(
        f"A table could not be {what}: {summarise(error)}",
        where=lake.uri(table),
        fix="Check room and permissions of the lake's disk or bucket and run again. No row is lost: the table stands as it stood.",
    )
