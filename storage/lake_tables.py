"""The Delta tables of a lake: where they are, opening one, the loads in its log, its committed files on this machine.

What belongs here: reading one table. What does not: writing a load (`lake_writer`), and the lake as a whole (`lake`),
which build on this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError
from pyarrow import fs

from storage.errors import StorageError, summarise
from storage.load_record import METADATA_KEY, LoadRecord, read_load_record
from storage.mirror import Mirror

REMOTE = "s3://"


class LakeTables:
    """The Delta tables under one folder or one S3 prefix.

    Args:
        root: A folder, or `s3://bucket/prefix`.
        storage_options: How to reach a remote lake: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`,
            `AWS_REGION`, `AWS_ENDPOINT_URL`; anything missing is looked up as S3 clients do.
        cache: Folder for local copies of a remote lake's files; needed to read one.
    """

    def __init__(
        self, root: Path | str, storage_options: Mapping[str, str] | None = None, *, cache: Path | None = None
    ) -> None:
        self.is_remote = str(root).startswith(REMOTE)
        self.root: Path | str = str(root).rstrip("/") if self.is_remote else Path(root)
        self._cache = cache
        self.storage_options: dict[str, str] = dict(storage_options or {})
        if self.is_remote:
            # delta-rs commits with a put that fails if the object exists: of two racing commits the store refuses one.
            self.storage_options.setdefault("aws_conditional_put", "etag")
            if self.storage_options.get("AWS_ENDPOINT_URL", "").startswith("http://"):
                self.storage_options.setdefault("AWS_ALLOW_HTTP", "true")

    def uri(self, table: str) -> str:
        """Address of a table."""
        return f"{self.root}/{table}" if self.is_remote else str(Path(self.root) / table)

    def filesystem(self) -> tuple[fs.FileSystem, str]:
        """The lake's file system, and the lake's path in it."""
        if not self.is_remote:
            return fs.LocalFileSystem(), str(self.root)
        return self._remote_filesystem, str(self.root).removeprefix(REMOTE)

    def open(self, table: str, version: int | None = None) -> DeltaTable | None:
        """A table as it is now, or as it was at a version; None before its first commit.

        Raises:
            StorageError: The store does not answer or refuses.
        """
        try:
            return DeltaTable(self.uri(table), version=version, storage_options=self.storage_options or None)
        except TableNotFoundError:
            return None
        except (OSError, DeltaError) as error:
            raise self.unreachable(error, table) from error

    def renew(self, table: str, opened: DeltaTable | None) -> DeltaTable | None:
        """A table as it is now: an open one reads only what was committed since; None opens it.

        Raises:
            StorageError: The store does not answer or refuses.
        """
        if opened is None:
            return self.open(table)
        try:
            opened.update_incremental()
        except (OSError, DeltaError) as error:
            raise self.unreachable(error, table) from error
        return opened

    def loads(self, table: str) -> Iterator[LoadRecord]:
        """The loads of a table, newest first; nothing for a table that does not exist."""
        return self.loads_of(table, self.open(table))

    def loads_of(self, table: str, opened: DeltaTable | None) -> Iterator[LoadRecord]:
        """The same for an open table."""
        for commit in self.history(opened):
            if METADATA_KEY in commit:
                yield read_load_record(commit[METADATA_KEY], table=table)

    def newest_load(self, table: str) -> LoadRecord | None:
        """The latest load, with the cursor to continue from; None before the first."""
        return next(self.loads(table), None)

    def local_files(self, table: str) -> list[str]:
        """Local paths of a table's committed files, fetched where the lake is remote; none before the first load."""
        return self.local_files_of(table, self.open(table))

    def local_files_of(self, table: str, opened: DeltaTable | None) -> list[str]:
        """The same for an open table."""
        if opened is None:
            return []
        return self.fetch_files(table, opened) if self.is_remote else sorted(opened.file_uris())

    @cached_property
    def mirror(self) -> Mirror:
        """Local copies of a remote lake's files."""
        if self._cache is None:
            raise ValueError("a remote lake is read through local copies: pass cache=")
        return Mirror(self._cache, *self.filesystem())

    def fetch_files(self, table: str, opened: DeltaTable) -> list[str]:
        """Local paths of a remote table's files; each is downloaded unless a copy exists."""
        actions = pa.table(opened.get_add_actions(flatten=True))
        return self.mirror.fetch(
            table, dict(zip(actions["path"].to_pylist(), actions["size_bytes"].to_pylist(), strict=True))
        )

    def history(self, opened: DeltaTable | None) -> Iterator[dict[str, Any]]:
        """Commits, newest first. The newest load is at most a few commits back, so the log is read in growing steps."""
        if opened is None:
            return
        limit, oldest_given = 4, opened.version() + 1
        while True:
            commits = opened.history(limit)
            yield from (commit for commit in commits if commit["version"] < oldest_given)
            if len(commits) < limit:
                return
            limit, oldest_given = limit * 8, commits[-1]["version"]

    def unreachable(self, error: Exception, table: str) -> StorageError:
        """The error to raise when the disk or the store does not let a table be read."""
        return StorageError(
            f"The lake cannot be read: {summarise(error)}",
            where=self.uri(table).rstrip("/"),
            fix="Check SALESOPS_LAKE, the endpoint and the credentials (`salesops doctor`)."
            if self.is_remote
            else "Check the disk and permissions.",
        )

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
