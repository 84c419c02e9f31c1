"""Upkeep of the lake: small files into large ones, files nobody needs any more dropped. Readers and loads go on meanwhile.

What belongs here: what changes files and never a row. What does not: erasing a person (`purge` and `erasure`), copies
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

# Far longer than a build, which reads the files that were committed at its start. Every version of a record stays in the newest files
# whatever compaction did: as-of questions never need old files.
RETENTION = timedelta(days=7)
SHORTEST_RETENTION = timedelta(hours=1)


@dataclass(frozen=True)
class Compaction:
    """What compaction made of one table."""

    table: str
    files_before: int
    files_after: int


@dataclass(frozen=True)
class Vacuuming:
    """Files that vacuum dropped, or would drop, of one table."""

    table: str
    files: int


@contextmanager
def only_one_upkeep(home: Home) -> Iterator[None]:
    """Hold what rewrites, drops or copies lake files to one at a time per home; loads and builds do not ask.

    Raises:
        StorageError: Another one is going on.
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
    """Write each table's small files as few large ones, one commit a table; the old files stay until `vacuum`.

    Rows, loads and cursors are the same before and after, and so is the lake's fingerprint. Loads that commit meanwhile win.

    Args:
        lake: The lake.
        tables: The tables to look at; all where empty.

    Raises:
        StorageError: A table is unknown, or the disk or store refuses. Tables done before stay done; nothing is lost.
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
            opened = (
                lake.open(table) or opened
            )  # something else rewrote the same files: they are looked at again next time
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
    """Drop files that no commit names any more: those compaction replaced, and what killed writers left.

    Args:
        lake: The lake.
        keep: Versions of each table whose files stay whatever their age.
        retention: Files younger than this stay: a build or a writer may be at them.
        tables: The tables to look at; all where empty.
        dry_run: Count, and drop nothing.

    Raises:
        StorageError: A table is unknown, the retention is shorter than an hour, or the disk or store refuses.
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
        done.append(
            Vacuuming(table, len(present & {path.rsplit("/", 1)[-1] for path in dropped}))
        )  # it names those dropped long ago too
    return done


def chosen(lake: Lake, tables: Collection[str]) -> list[str]:
    """The tables asked for, or all.

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
