"""The lake: Delta tables, one per source object, one commit per load.

A commit carries the rows that passed, the rows set aside with the rules they broke, and, in its metadata, the cursor, the window and
the source's own count. Data and cursor therefore move together or not at all. Readers ask the table for its committed files; a killed
writer's orphans are never seen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.fs as pafs
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from storage.errors import StorageError
from storage.lake_writer import BROKEN_RULES, METADATA_KEY, LoadWriter

# Columns that every lake table carries besides the source's own.
LOAD_ID = "_load_id"  # string: the load that brought the row
KNOWN_FROM = "_known_from"  # timestamp[us]: UTC instant since which we know this version
KNOWN_TIME_BASIS = "_known_time_basis"  # string: 'load' | 'record' (a source's first load trusts the record's own stamp)
RESERVED_COLUMNS = (LOAD_ID, KNOWN_FROM, KNOWN_TIME_BASIS, BROKEN_RULES)


@dataclass(frozen=True)
class LoadRecord:
    """What a commit says of its load. Stored as JSON in the Delta commit's metadata.

    Attributes:
        load_id: Unique name of the load.
        known_at: Instant of the load by the run's clock, ISO 8601 UTC.
        source_count: Rows the source itself said it delivered.
        landed_count: Rows that passed the contract and were committed.
        set_aside_count: Rows committed with `_broken_rules`.
        unchanged_count: Rows delivered that the lake already held, and which were not written again.
        cursor: Where the next load goes on, in the source's own terms.
        window: Half-open window asked for, `[from, until)`, in the source's own terms.
        run_id: The orchestrator's run, for the trace.
        details: Anything else worth keeping (file name and hash, job id).
    """

    load_id: str
    known_at: str
    source_count: int
    landed_count: int
    set_aside_count: int = 0
    unchanged_count: int = 0
    cursor: str | None = None
    window: tuple[str | None, str | None] = (None, None)
    run_id: str = ""
    details: dict[str, str] = field(default_factory=dict)

    def check_counts(self, table: str) -> None:
        """Refuse a load whose numbers do not add up to what the source said.

        Raises:
            StorageError: `source_count` is not landed + set aside + unchanged.
        """
        accounted = self.landed_count + self.set_aside_count + self.unchanged_count
        if accounted != self.source_count:
            raise StorageError(
                f"The source says {self.source_count} rows, but {self.landed_count} landed + {self.set_aside_count} set aside + "
                f"{self.unchanged_count} unchanged = {accounted}. Nothing was committed and the cursor stays.",
                where=f"lake table {table}, load {self.load_id}",
                fix="Run again; if it repeats, the source changes while it is read or drops rows.",
            )


@dataclass(frozen=True)
class TableSnapshot:
    """One lake table as it stood: version, committed files and column names."""

    table_name: str
    version: int
    files: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True)
class LakeSnapshot:
    """One consistent picture of the lake: what a build reads, recorded at its start."""

    tables: tuple[TableSnapshot, ...]

    def to_ndjson(self) -> str:
        """One JSON object a line, as the dbt macro `lake()` reads it."""
        return "".join(json.dumps(asdict(table)) + "\n" for table in self.tables)

    @property
    def fingerprint(self) -> str:
        """Hash over the committed files: equal when a build would read the same rows."""
        content = json.dumps([(table.table_name, sorted(table.files)) for table in self.tables])
        return hashlib.sha256(content.encode()).hexdigest()


class Lake:
    """The Delta tables under one folder."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    @property
    def storage_options(self) -> dict[str, str] | None:
        """What Delta needs to reach the store."""
        return None

    def filesystem(self) -> tuple[pafs.FileSystem, str]:
        """The store's file system, and the lake's folder in it."""
        return pafs.LocalFileSystem(), str(self.root)

    def uri(self, table: str) -> str:
        """Where a table lies."""
        return str(self.root / table)

    def tables(self) -> list[str]:
        """Names of the tables that hold at least one commit, sorted."""
        if not self.root.exists():
            return []
        return sorted(path.name for path in self.root.iterdir() if (path / "_delta_log").is_dir() and self.open(path.name))

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
        opened = self.open(table)
        for commit in opened.history() if opened else []:
            if METADATA_KEY in commit:
                stored = json.loads(commit[METADATA_KEY])
                yield LoadRecord(**{**stored, "window": tuple(stored["window"])})

    def newest_load(self, table: str) -> LoadRecord | None:
        """The latest load, with the cursor to go on from; None before the first."""
        return next(self.loads(table), None)

    def snapshot(self) -> LakeSnapshot:
        """The lake as it stands now."""
        snapshots = []
        for name in self.tables():
            opened = DeltaTable(self.uri(name))
            columns = tuple(column.name for column in opened.schema().fields)
            snapshots.append(TableSnapshot(name, opened.version(), tuple(sorted(opened.file_uris())), columns))
        return LakeSnapshot(tuple(snapshots))

    def count_rows(self) -> dict[str, int]:
        """Committed rows of every table, from the tables' own statistics."""
        counts = {}
        for name in self.tables():
            actions = pa.table(DeltaTable(self.uri(name)).get_add_actions(flatten=True))
            counts[name] = sum(actions["num_records"].to_pylist())
        return counts

    def query(self, table: str, sql: str, parameters: list[object] | None = None) -> pa.Table | None:
        """Run DuckDB SQL over the committed rows of one table, which the SQL calls `lake`; None before the first load."""
        opened = self.open(table)
        if opened is None or not (files := opened.file_uris()):
            return None
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.register("lake", connection.read_parquet(sorted(files), union_by_name=True))
            return connection.sql(sql, params=parameters or []).to_arrow_table()

    def files(self, table: str) -> list[str]:
        """The committed files of a table, where they can be read on this machine; none before its first load."""
        opened = self.open(table)
        return sorted(opened.file_uris()) if opened else []

    def open(self, table: str) -> DeltaTable | None:
        """The table; None before its first load."""
        try:
            return DeltaTable(self.uri(table))
        except TableNotFoundError:
            return None


def stamp_rows(
    rows: pa.Table, *, load_id: str, known_from: datetime | pa.Array, basis: str = "load", broken_rules: pa.Array | None = None
) -> pa.Table:
    """Add the reserved columns to a load's rows.

    Args:
        rows: The source's own columns.
        load_id: Name of the load.
        known_from: One UTC instant for all rows, or one per row (timestamp[us], UTC without zone).
        basis: `load` or `record`, see `KNOWN_TIME_BASIS`.
        broken_rules: Per row NULL or the broken rules; None where every row passed.
    """
    count = rows.num_rows
    if isinstance(known_from, datetime):
        naive = known_from.astimezone(UTC).replace(tzinfo=None)
        known_from = pa.array([naive] * count, pa.timestamp("us"))
    stamped = {
        LOAD_ID: pa.array([load_id] * count, pa.string()),
        KNOWN_FROM: known_from,
        KNOWN_TIME_BASIS: pa.array([basis] * count, pa.string()),
        BROKEN_RULES: broken_rules if broken_rules is not None else pa.nulls(count, pa.string()),
    }
    for name, values in stamped.items():
        rows = rows.append_column(name, values)
    return rows
