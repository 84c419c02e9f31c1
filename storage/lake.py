"""The lake: Delta tables, one per source object, one commit per load.

A commit carries the rows that passed, the rows set aside with the rules they broke, and, in its metadata, the cursor, the window and
the source's own count. Data and cursor therefore move together or not at all. Readers ask the table for its committed files; a killed
writer's orphans are never seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError
from pyarrow import fs

from storage.errors import StorageError, summarise
from storage.file_queries import query_files
from storage.lake_writer import LoadWriter
from storage.load_record import METADATA_KEY, LoadRecord, read_load_record
from storage.mirror import Mirror
from storage.settings import Settings
from storage.snapshot import LakeSnapshot, TableSnapshot
from storage.stamps import BROKEN_RULES, KNOWN_FROM, KNOWN_TIME_BASIS, LOAD_ID, RESERVED_COLUMNS, stamp_rows

__all__ = [
    "BROKEN_RULES", "CHANGE_KEY", "KNOWN_FROM", "KNOWN_TIME_BASIS", "LOAD_ID", "METADATA_KEY", "RESERVED_COLUMNS",
    "Lake", "LakeSnapshot", "LoadRecord", "TableSnapshot", "open_lake", "stamp_rows",
]  # fmt: skip

# Metadata key of a commit that changes rows without being a load (an erasure): what a build read before is out of date.
CHANGE_KEY = "salesops_change"

_REMOTE = "s3://"


class Lake:
    """The Delta tables under one folder or one S3 prefix.

    Args:
        root: A folder, or `s3://bucket/prefix`.
        storage_options: How to reach a remote one: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`,
            `AWS_ENDPOINT_URL`; what is not given is looked up as S3 clients do.
        cache: Folder for local copies of a remote lake's files; needed to read one.
    """

    def __init__(self, root: Path | str, storage_options: Mapping[str, str] | None = None, *, cache: Path | None = None) -> None:
        self.is_remote = str(root).startswith(_REMOTE)
        self.root: Path | str = str(root).rstrip("/") if self.is_remote else Path(root)
        self._cache = cache
        self.storage_options: dict[str, str] = dict(storage_options or {})
        if self.is_remote:
            # delta-rs commits by a put that must not find the object there: of two racing commits the store itself refuses one.
            self.storage_options.setdefault("aws_conditional_put", "etag")
            if self.storage_options.get("AWS_ENDPOINT_URL", "").startswith("http://"):
                self.storage_options.setdefault("AWS_ALLOW_HTTP", "true")

    def uri(self, table: str) -> str:
        """Where a table lies."""
        return f"{self.root}/{table}" if self.is_remote else str(Path(self.root) / table)

    def filesystem(self) -> tuple[fs.FileSystem, str]:
        """The file system the lake lies on, and the lake's path in it."""
        if not self.is_remote:
            return fs.LocalFileSystem(), str(self.root)
        return self._remote_filesystem, str(self.root).removeprefix(_REMOTE)

    def open(self, table: str, version: int | None = None) -> DeltaTable | None:
        """A table, as it stands or as it stood at a version; None before its first commit.

        Raises:
            StorageError: The store does not answer or refuses.
        """
        try:
            return DeltaTable(self.uri(table), version=version, storage_options=self.storage_options or None)
        except TableNotFoundError:
            return None
        except (OSError, DeltaError) as error:
            raise self._unreachable(error, table) from error

    def renew(self, table: str, opened: DeltaTable | None) -> DeltaTable | None:
        """A table as it stands now: one that was opened before reads only what was committed since; None opens it.

        Raises:
            StorageError: The store does not answer or refuses.
        """
        if opened is None:
            return self.open(table)
        try:
            opened.update_incremental()
        except (OSError, DeltaError) as error:
            raise self._unreachable(error, table) from error
        return opened

    def tables(self) -> list[str]:
        """Names of the tables that hold at least one commit, sorted."""
        return [name for name, _ in self._opened()]

    def begin(self, table: str) -> LoadWriter:
        """A writer for one load of a table; nothing of it is seen before its `commit`."""
        return LoadWriter(self, table)

    def commit(self, table: str, rows: pa.Table, record: LoadRecord, *, once: tuple[str, int] | None = None) -> int:
        """Append one load as one commit and return the table's new version.

        Args:
            table: Name of the lake table; it is created by its first load. A new column is added, a changed type refused.
            rows: The load's rows, reserved columns included.
            record: What is kept beside the rows; its counts must add up.
            once: `(name, number)` of an app transaction: of two racing commits with the same pair one fails.

        Raises:
            StorageError: The counts do not add up, the disk is full or read-only, or a type changed. Nothing was committed.
        """
        with self.begin(table) as writer:
            writer.write(rows)
            return writer.commit(record, once=once)

    def loads(self, table: str) -> Iterator[LoadRecord]:
        """The loads of a table, newest first; nothing for a table that does not exist."""
        return self.loads_of(table, self.open(table))

    def loads_of(self, table: str, opened: DeltaTable | None) -> Iterator[LoadRecord]:
        """The same of a table that is open."""
        for commit in self._history(opened):
            if METADATA_KEY in commit:
                yield read_load_record(commit[METADATA_KEY], table=table)

    def newest_load(self, table: str) -> LoadRecord | None:
        """The latest load, with the cursor to go on from; None before the first."""
        return next(self.loads(table), None)

    def snapshot(self) -> LakeSnapshot:
        """The lake as it stands now. For a remote one, `fetch` gives the same picture with local files."""
        snapshots = []
        for name, opened in self._opened():
            columns = tuple(column.name for column in opened.schema().fields)
            files = tuple(sorted(opened.file_uris()))
            snapshots.append(TableSnapshot(name, opened.version(), files, columns, self._newest_change(name, opened)))
        return LakeSnapshot(tuple(snapshots))

    def fetch(self, snapshot: LakeSnapshot) -> LakeSnapshot:
        """The same picture with local files. A remote lake's are copied unless a copy is there; copies that it does not name are dropped.

        Raises:
            StorageError: A file cannot be fetched, or no table has that version any more.
        """
        if not self.is_remote:
            return snapshot
        local = []
        for table in snapshot.tables:
            opened = self.open(table.table_name, table.version)
            files = self._fetch(table.table_name, opened) if opened else []
            self._mirror.prune(table.table_name, files)
            local.append(TableSnapshot(table.table_name, table.version, tuple(files), table.columns, table.newest_change))
        return LakeSnapshot(tuple(local))

    def local_files(self, table: str) -> list[str]:
        """Local paths of a table's committed files, fetched where the lake is remote; none before the first load."""
        return self.local_files_of(table, self.open(table))

    def local_files_of(self, table: str, opened: DeltaTable | None) -> list[str]:
        """The same of a table that is open."""
        if opened is None:
            return []
        return self._fetch(table, opened) if self.is_remote else sorted(opened.file_uris())

    def columns(self, table: str) -> list[str]:
        """Columns that the committed rows of a table have; none before the first load.

        The table's schema may name more: it gets a load's new columns before its rows, and the load may be killed in between.
        """
        return list(dict.fromkeys(name for file in self.local_files(table) for name in pq.read_schema(file).names))

    def count_rows(self) -> dict[str, int]:
        """Committed rows of every table, from the tables' own statistics."""
        return {name: sum(pa.table(opened.get_add_actions(flatten=True))["num_records"].to_pylist()) for name, opened in self._opened()}

    def query(self, table: str, sql: str, parameters: list[object] | dict[str, object] | None = None) -> pa.Table | None:
        """Run DuckDB SQL over the committed rows of one table, which the SQL calls `lake`; None before the first load."""
        if not (files := self.local_files(table)):
            return None
        with query_files() as connection:
            connection.register("lake", connection.read_parquet(files, union_by_name=True))
            return connection.sql(sql, params=parameters or []).to_arrow_table()

    @cached_property
    def _remote_filesystem(self) -> fs.FileSystem:
        options = self.storage_options
        given = {
            "access_key": options.get("AWS_ACCESS_KEY_ID"),
            "secret_key": options.get("AWS_SECRET_ACCESS_KEY"),
            "session_token": options.get("AWS_SESSION_TOKEN"),
            "region": options.get("AWS_REGION"),
            "endpoint_override": options.get("AWS_ENDPOINT_URL"),
        }
        return fs.S3FileSystem(**{name: value for name, value in given.items() if value})

    @cached_property
    def _mirror(self) -> Mirror:
        if self._cache is None:
            raise ValueError("a remote lake is read through local copies: pass cache=")
        return Mirror(self._cache, *self.filesystem())

    def _fetch(self, table: str, opened: DeltaTable) -> list[str]:
        actions = pa.table(opened.get_add_actions(flatten=True))
        return self._mirror.fetch(table, dict(zip(actions["path"].to_pylist(), actions["size_bytes"].to_pylist(), strict=True)))

    def _opened(self) -> Iterator[tuple[str, DeltaTable]]:
        filesystem, base = self.filesystem()
        try:
            found = filesystem.get_file_info(fs.FileSelector(base, allow_not_found=True))
            if self.is_remote and not found and filesystem.get_file_info(bucket := base.split("/")[0]).type == fs.FileType.NotFound:
                raise FileNotFoundError(f"there is no bucket '{bucket}'")
        except OSError as error:
            raise self._unreachable(error, "") from error
        for name in sorted(info.base_name for info in found if info.type == fs.FileType.Directory):
            if opened := self.open(name):
                yield name, opened

    def _newest_change(self, table: str, opened: DeltaTable) -> str:
        for commit in self._history(opened):
            if CHANGE_KEY in commit:
                return str(commit[CHANGE_KEY])
            if METADATA_KEY in commit and (load := read_load_record(commit[METADATA_KEY], table=table)).has_rows:
                return load.load_id
        return f"version {opened.version()}"

    def _history(self, opened: DeltaTable | None) -> Iterator[dict[str, Any]]:
        """Commits, newest first. The newest load is a few commits back at most, so the log is read in steps that grow."""
        if opened is None:
            return
        limit, oldest_given = 4, opened.version() + 1
        while True:
            commits = opened.history(limit)
            yield from (commit for commit in commits if commit["version"] < oldest_given)
            if len(commits) < limit:
                return
            limit, oldest_given = limit * 8, commits[-1]["version"]

    def _unreachable(self, error: Exception, table: str) -> StorageError:
        return StorageError(
            f"The lake cannot be read: {summarise(error)}",
            where=self.uri(table).rstrip("/"),
            fix="Check SALESOPS_LAKE, the endpoint and the credentials (`salesops doctor`)." if self.is_remote else "Check the disk and permissions.",
        )


def open_lake(settings: Settings) -> Lake:
    """The lake that the settings name."""
    home = settings.home_folder
    if settings.lake is None:
        return Lake(home.lake)
    if settings.lake.startswith(_REMOTE):
        return Lake(settings.lake, settings.lake_storage_options, cache=home.lake_cache)
    return Lake(Path(settings.lake).expanduser().absolute())
