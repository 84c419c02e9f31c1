"""Local copies of a remote lake's committed files: DuckDB reads S3 only with an extension downloaded at run time.

Committed files never change, so a copy of the right size is the file. What belongs here: fetching and deleting copies.
What does not: which files are committed (`lake`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pyarrow import fs

from storage.errors import StorageError, summarise

_PARALLEL = 8


class Mirror:
    """The folder of local copies, laid out like the lake.

    Args:
        folder: Folder for the copies; created when needed.
        filesystem: The remote store.
        base: The lake's path in that store.
    """

    def __init__(self, folder: Path, filesystem: fs.FileSystem, base: str) -> None:
        self.folder = folder
        self.filesystem = filesystem
        self.base = base

    def fetch(self, table: str, sizes: Mapping[str, int]) -> list[str]:
        """Local paths of a table's files; each is downloaded unless a copy of that size exists.

        Args:
            table: The lake table.
            sizes: Bytes of each file by its path below the table.

        Raises:
            StorageError: A file is missing or cut short, or the store does not answer; earlier copies stay.
        """
        wanted = {path: self.folder / table / path for path in sorted(sizes)}
        missing = [
            path for path, local in wanted.items() if not (local.exists() and local.stat().st_size == sizes[path])
        ]
        with ThreadPoolExecutor(_PARALLEL) as pool:
            list(pool.map(lambda path: self._download(table, path, wanted[path], sizes[path]), missing))
        return [str(local) for local in wanted.values()]

    def prune(self, table: str, kept: Iterable[str]) -> None:
        """Delete the copies of a table that are not among these local paths."""
        keep = set(kept)
        for local in (self.folder / table).rglob("*"):
            if local.is_file() and str(local) not in keep:
                local.unlink(missing_ok=True)

    def _download(self, table: str, path: str, local: Path, size: int) -> None:
        remote = f"{self.base}/{table}/{path}"
        local.parent.mkdir(parents=True, exist_ok=True)
        partial = local.with_name(f".{local.name}.{os.getpid()}.tmp")
        try:
            fs.copy_files(
                remote, str(partial), source_filesystem=self.filesystem, destination_filesystem=fs.LocalFileSystem()
            )
            if (found := partial.stat().st_size) != size:
                raise OSError(f"{found} bytes came, {size} were committed")
            partial.replace(local)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise StorageError(
                f"A committed file of the lake could not be fetched: {summarise(error)}",
                where=remote,
                fix="Check the store, its credentials and the room under SALESOPS_HOME, and run again.",
            ) from error
