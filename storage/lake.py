"""The lake: Delta tables, one per source object, one commit per load.

A commit carries the rows that passed, the quarantined rows with the rules they broke, and, in its metadata, the cursor,
the window and the source's own count. So data and cursor move together or not at all. Readers ask the table for its
committed files and never see a killed writer's orphans.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from pyarrow import fs

from storage.errors import StorageError
from storage.file_queries import query_files, read_files
from storage.lake_tables import REMOTE, LakeTables
from storage.lake_writer import LoadWriter
from storage.load_record import METADATA_KEY, LoadRecord, read_load_record
from storage.settings import Settings
from storage.snapshot import LakeSnapshot, TableSnapshot
from storage.stamps import BROKEN_RULES, KNOWN_FROM, KNOWN_TIME_BASIS, LOAD_ID, RESERVED_COLUMNS, stamp_rows

__all__ = [
    "BROKEN_RULES", "CHANGE_KEY", "KNOWN_FROM", "KNOWN_TIME_BASIS", "LOAD_ID", "METADATA_KEY", "RESERVED_COLUMNS",
    "Lake", "LakeSnapshot", "LoadRecord", "TableSnapshot", "open_lake", "stamp_rows",
]  # fmt: skip

# Metadata key of a commit that changes rows without being a load (an erasure): earlier builds are then stale.
CHANGE_KEY = "salesops_change"


class Lake(LakeTables):
    """The lake as a whole: its tables, loads into them, snapshots of all of it, queries."""

    def tables(self) -> list[str]:
        """Names of the tables that hold at least one commit, sorted."""
        return [name for name, _ in self._opened()]

    def require(self, table: str) -> None:
        """Check that the lake has a table.

        Raises:
            StorageError: It has not.
        """
        if self.open(table) is None:
            raise StorageError(
                f"The lake has no table {table}.",
                where=str(self.root),
                fix="`salesops lake loads` names the tables that it has.",
            )

    def begin(self, table: str) -> LoadWriter:
        """A writer for one load of a table; readers see nothing of it before its `commit`."""
        return LoadWriter(self, table)

    def commit(self, table: str, rows: pa.Table, record: LoadRecord, *, once: tuple[str, int] | None = None) -> int:
        """Append one load as one commit and return the table's new version.

        Args:
            table: Name of the lake table, which its first load creates. New columns are added, changed types refused.
            rows: The load's rows, reserved columns included.
            record: Stored with the rows; its counts must add up.
            once: `(name, number)` of an app transaction: of two racing commits with the same pair, one fails.

        Raises:
            StorageError: The counts do not add up, the disk is full or read-only, or a type changed. Nothing was committed.
        """
        with self.begin(table) as writer:
            writer.write(rows)
            return writer.commit(record, once=once)

    def snapshot(self) -> LakeSnapshot:
        """The lake as it is now. For a remote lake, `fetch` gives the same snapshot with local files."""
        snapshots = []
        for name, opened in self._opened():
            columns = tuple(column.name for column in opened.schema().fields)
            files = tuple(sorted(opened.file_uris()))
            snapshots.append(TableSnapshot(name, opened.version(), files, columns, self._newest_change(name, opened)))
        return LakeSnapshot(tuple(snapshots))

    def fetch(self, snapshot: LakeSnapshot) -> LakeSnapshot:
        """The same snapshot with local files.

        A remote lake's files are copied unless a copy exists; copies that the snapshot does not name are deleted.

        Raises:
            StorageError: A file cannot be fetched, or a table no longer has that version.
        """
        if not self.is_remote:
            return snapshot
        local = []
        for table in snapshot.tables:
            opened = self.open(table.table_name, table.version)
            files = self.fetch_files(table.table_name, opened) if opened else []
            self.mirror.prune(table.table_name, files)
            local.append(
                TableSnapshot(table.table_name, table.version, tuple(files), table.columns, table.newest_change)
            )
        return LakeSnapshot(tuple(local))

    def columns(self, table: str) -> list[str]:
        """Columns of a table's committed rows; none before the first load.

        The table's schema may have more: it gets a load's new columns before its rows, and the load may be killed in
        between.
        """
        return list(dict.fromkeys(name for file in self.local_files(table) for name in pq.read_schema(file).names))

    def count_rows(self) -> dict[str, int]:
        """Committed rows of every table, from the tables' own statistics."""
        return {
            name: sum(pa.table(opened.get_add_actions(flatten=True))["num_records"].to_pylist())
            for name, opened in self._opened()
        }

    def query(
        self, table: str, sql: str, parameters: list[object] | dict[str, object] | None = None
    ) -> pa.Table | None:
        """Run DuckDB SQL over the committed rows of one table, which the SQL calls `lake`; None before the first load."""
        if not (files := self.local_files(table)):
            return None
        with query_files() as connection:
            connection.register("lake", connection.sql(f"from {read_files(files)}"))
            return connection.sql(sql, params=parameters or []).to_arrow_table()

    def _opened(self) -> Iterator[tuple[str, DeltaTable]]:
        filesystem, base = self.filesystem()
        try:
            found = filesystem.get_file_info(fs.FileSelector(base, allow_not_found=True))
            if (
                self.is_remote
                and not found
                and filesystem.get_file_info(bucket := base.split("/")[0]).type == fs.FileType.NotFound
            ):
                raise FileNotFoundError(f"there is no bucket '{bucket}'")
        except OSError as error:
            raise self.unreachable(error, "") from error
        for name in sorted(info.base_name for info in found if info.type == fs.FileType.Directory):
            if opened := self.open(name):
                yield name, opened

    def _newest_change(self, table: str, opened: DeltaTable) -> str:
        for commit in self.history(opened):
            if CHANGE_KEY in commit:
                return str(commit[CHANGE_KEY])
            if METADATA_KEY in commit and (load := read_load_record(commit[METADATA_KEY], table=table)).has_rows:
                return load.load_id
        return f"version {opened.version()}"


def open_lake(settings: Settings) -> Lake:
    """The lake that the settings name."""
    home = settings.home_folder
    if settings.lake is None:
        return Lake(home.lake)
    if settings.lake.startswith(REMOTE):
        return Lake(settings.lake, settings.lake_storage_options, cache=home.lake_cache)
    return Lake(Path(settings.lake).expanduser().absolute())
