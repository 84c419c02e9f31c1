"""Write one load: Parquet files beside the committed ones, then one Delta commit that makes all visible, or none.

What belongs here: files, sizes, the commit. What does not: a load's rows and whether they are good
(`ingestion.landing`).
Until `commit`, readers see nothing of a load; a killed writer leaves files that no commit names.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Field, Schema, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import AddAction, create_table_with_add_actions

from storage.errors import StorageError, summarise
from storage.lake_tables import LakeTables
from storage.load_record import METADATA_KEY, LoadRecord
from storage.stamps import BROKEN_RULES

# Metadata key of a commit: the writer that made it.
WRITER_KEY = "salesops_writer"

ROWS_PER_FILE = 1_000_000
ROWS_PER_GROUP = 65_536
SAMPLED_ROWS = 4_096
# Properties of every lake table.
TABLE_PROPERTIES = {
    # A column's smallest and largest values may name a person, and the log keeps them when the file is long gone.
    "delta.dataSkippingNumIndexedCols": "0",
    # The log holds loads, cursors and counts; by default, Delta drops commits older than 30 days from it.
    "delta.enableExpiredLogCleanup": "false",
}


@dataclass(frozen=True)
class Part:
    """One uncommitted file of a load.

    Attributes:
        path: Its path on this machine.
        rows: How many rows it has.
        set_aside: How many of them have `_broken_rules`.
        modified_ms: When it was closed, in milliseconds since 1970, according to the file system.
        size: Bytes.
    """

    path: Path
    rows: int
    set_aside: int
    modified_ms: int
    size: int


class LoadWriter:
    """The files of one load. Use it as a context manager: when the block ends, whatever is not committed is removed.

    Args:
        lake: The lake's tables.
        table: The table to append to; its first load creates it.
    """

    def __init__(self, lake: LakeTables, table: str) -> None:
        self._lake = lake
        self._table = table
        self._filesystem, base = lake.filesystem()
        self._target = f"{base}/{table}"
        # A remote file cannot be compared as a set before it is committed: it is written here and sent at the commit.
        self._is_local = isinstance(self._filesystem, pafs.LocalFileSystem)
        self._folder = Path(self._target) if self._is_local else Path(tempfile.mkdtemp(prefix="salesops-load-"))
        self._name = uuid.uuid4().hex
        self._made = 0
        self._open: _OpenPart | None = None
        self._parts: list[Part] = []
        self._table_read: DeltaTable | None = None

    def __enter__(self) -> LoadWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()

    def newest_load(self) -> LoadRecord | None:
        """The table's latest load so far; None before the first."""
        return next(self._lake.loads_of(self._table, self._look()), None)

    def committed_files(self) -> list[str]:
        """Local paths of the table's files so far, fetched if the lake is remote; none before the first load."""
        return self._lake.local_files_of(self._table, self._look())

    def held_columns(self) -> list[str]:
        """Columns of the table so far, reserved ones included; none before the first load."""
        opened = self._look()
        return [field.name for field in opened.schema().fields] if opened else []

    @property
    def parts(self) -> list[Part]:
        """The files, closed, in the order their rows were written."""
        self._close()
        return list(self._parts)

    def write(self, rows: pa.Table) -> None:
        """Append rows, reserved columns included. Rows with other columns than those before start a new file.

        Raises:
            StorageError: The disk is full or read-only.
        """
        try:
            if self._open and (self._open.rows >= ROWS_PER_FILE or not self._open.schema.equals(rows.schema)):
                self._close()
            if self._open is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._made += 1
                self._open = _OpenPart(self._folder / f"{self._name}-{self._made:05d}.parquet", rows)
            self._open.write(rows)
        except OSError as error:
            raise self._refusal(error) from error

    def replace(self, part: Part, batches: Iterator[pa.Table]) -> None:
        """Rewrite a part; a part without rows left is removed."""
        position = self._parts.index(part)
        before, after = self._parts[:position], self._parts[position + 1 :]
        self._parts = before
        for rows in batches:
            if rows.num_rows:
                self.write(rows)
        self._close()
        self._parts += after
        part.path.unlink()

    def commit(self, record: LoadRecord, *, once: tuple[str, int] | None = None) -> int:
        """Make the rows visible in one Delta commit that carries `record`, and return the table's new version.

        Args:
            record: Stored with the rows; its counts must add up.
            once: `(name, number)` of an app transaction: of two racing commits with the same pair, one fails.

        Raises:
            StorageError: The counts do not add up, the disk is full or read-only, a type changed, or the pair was
                committed before. Nothing was committed.
        """
        record.check_counts(self._table)
        self._close()
        properties = CommitProperties(
            custom_metadata={METADATA_KEY: record.to_json(), WRITER_KEY: self._name},
            app_transactions=[Transaction(*once)] if once else None,
        )
        parts = self._parts
        try:
            self._send()
            self._append(parts, properties, once)
        except (OSError, DeltaError, CommitFailedError) as error:
            if self._parts or not self._has_committed():
                self._parts = parts
                raise self._refusal(error) from error
        opened = self._look()
        assert opened is not None  # it was committed to just now
        return opened.version()

    def discard(self) -> None:
        """Remove what was not committed."""
        if self._open:
            self._open.abandon()
            self._open = None
        for part in self._parts:
            part.path.unlink(missing_ok=True)
        self._parts = []
        if not self._is_local:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _look(self) -> DeltaTable | None:
        """The table as it is now; opened only once, because a long log takes time."""
        self._table_read = self._lake.renew(self._table, self._table_read)
        return self._table_read

    def _has_committed(self) -> bool:
        """Whether the table has this load although committing it failed, as when the disk is full at the checkpoint."""
        before = self._table_read.version() if self._table_read else -1
        opened = self._look()
        return opened is not None and any(
            commit.get(WRITER_KEY) == self._name for commit in opened.history(opened.version() - before)
        )

    def _append(self, parts: list[Part], properties: CommitProperties, once: tuple[str, int] | None) -> None:
        opened = self._look()
        schema = pa.unify_schemas([pq.read_schema(part.path) for part in parts] or [pa.schema([])])
        adds: list[AddAction] = [
            AddAction(part.path.name, part.size, {}, part.modified_ms, True, json.dumps({"numRecords": part.rows}))
            for part in parts
        ]
        if opened is None:
            # From here on a commit may name the files, even if this is interrupted; vacuum removes them if none does.
            self._parts = []
            create_table_with_add_actions(
                self._lake.uri(self._table),
                Schema.from_arrow(schema),
                adds,
                mode="error",
                configuration=TABLE_PROPERTIES,
                storage_options=self._lake.storage_options or None,
                commit_properties=properties,
            )
            return
        if once and (last := opened.transaction_version(once[0])) is not None and last >= once[1]:
            raise StorageError(
                f"'{once[0]}' number {once[1]} was committed before.",
                where=f"lake table {self._table}",
                fix="Run again.",
            )
        held = {field.name: field for field in opened.schema().fields}
        arrived = Schema.from_arrow(schema).fields
        for field in arrived:
            if field.name in held and held[field.name].type != field.type:
                raise StorageError(
                    f"Column {field.name} holds {held[field.name].type.type}, the load brings {field.type.type}.",
                    where=f"lake table {self._table}",
                    fix="A column keeps its type: land the new kind of value under another name.",
                )
        if new := [Field(field.name, field.type, nullable=True) for field in arrived if field.name not in held]:
            # A commit of its own: if the process dies here, the column exists and reads NULL, and no load was made.
            opened.alter.add_columns(new)
            opened = self._look()
            assert opened is not None
        self._parts = []  # as above
        opened.create_write_transaction([*adds], "append", opened.schema(), commit_properties=properties)

    def _send(self) -> None:
        if not self._is_local:
            for part in self._parts:
                pafs.copy_files(
                    str(part.path), f"{self._target}/{part.path.name}", pafs.LocalFileSystem(), self._filesystem
                )

    def _close(self) -> None:
        if self._open:
            try:
                self._parts.append(self._open.close())
            except OSError as error:
                raise self._refusal(error) from error
            self._open = None

    def _refusal(self, error: Exception) -> StorageError:
        return StorageError(
            f"The load could not be committed: {summarise(error)}",
            where=self._lake.uri(self._table),
            fix="Check room and permissions of the lake's disk or bucket and run again. What had landed before is untouched.",
        )


def _repeating(rows: pa.Table) -> list[str]:
    """Columns whose values repeat, including those without values yet."""
    flat = [name for name in rows.column_names if not pa.types.is_nested(rows.schema.field(name).type)]
    values = {name: rows.column(name).drop_null() for name in flat}
    return [name for name in flat if 2 * len(pc.unique(values[name])) <= max(len(values[name]), 2)]


class _OpenPart:
    """A file that is being written.

    Args:
        path: Where to write it.
        first: The rows it will begin with.
    """

    def __init__(self, path: Path, first: pa.Table) -> None:
        self.path = path
        self.schema = first.schema
        self.rows = 0
        self._set_aside = 0
        # Statistics in the file would cost a tenth of the time, and queries of the lake read whole tables. A dictionary
        # of values that hardly ever repeat (ids, stamps) costs more than the values.
        self._writer = pq.ParquetWriter(
            path, first.schema, write_statistics=False, use_dictionary=_repeating(first.slice(0, SAMPLED_ROWS))
        )

    def write(self, rows: pa.Table) -> None:
        self._writer.write_table(rows, row_group_size=ROWS_PER_GROUP)
        self.rows += rows.num_rows
        if BROKEN_RULES in rows.column_names:
            self._set_aside += rows.num_rows - rows.column(BROKEN_RULES).null_count

    def close(self) -> Part:
        self._writer.close()
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        stat = self.path.stat()
        return Part(self.path, self.rows, self._set_aside, int(stat.st_mtime * 1000), stat.st_size)

    def abandon(self) -> None:
        self._writer.close()
        self.path.unlink(missing_ok=True)
