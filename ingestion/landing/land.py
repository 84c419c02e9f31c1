"""One load, from a stream of rows to one commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime

import duckdb
import pyarrow as pa

from ingestion.contracts import LakeTable, LoadCheck
from ingestion.contracts.validation import Checked
from ingestion.errors import ContractBroken
from ingestion.landing.comparison import Changes, compare_load, rewrite_load
from ingestion.landing.delivery import Delivery, settle
from ingestion.landing.fingerprints import Fingerprints, add_rows
from ingestion.landing.identity import describe_identity
from ingestion.landing.names import ColumnNames
from ingestion.landing.report import LandingReport
from ingestion.landing.stamping import stamp, with_storable_types
from ingestion.landing.vanished import Vanished, find_vanished, write_tombstones
from storage.file_queries import query_files
from storage.lake import Lake, LoadRecord
from storage.lake_writer import LoadWriter
from storage.load_ids import LOAD_COUNTER, next_load_id, number_of
from storage.stamps import to_utc
from storage.withdrawals import list_in_force

# Rows checked and written at a time: enough to make Great Expectations' fixed cost small, few enough to bound memory.
ROWS_AT_A_TIME = 49_152
_ROW_COUNT_RULE = "row_count_is_plausible"


def land(
    lake: Lake,
    table: LakeTable,
    delivery: Delivery,
    *,
    known_at: datetime,
    run_id: str,
    allowed_values: Mapping[str, Sequence[str]] | None = None,
    keep_record: bool = False,
) -> LandingReport:
    """Land one load as one commit, or not at all.

    Rows are checked and written as they arrive, so a load may be larger than memory; nothing is visible before the
    commit. Rows that the lake already holds are then dropped, so re-reading a window or a whole file lands only what is
    new. A load with nothing new commits nothing and its cursor stays: the next window starts earlier, which costs some
    re-reading and loses nothing.

    Args:
        lake: The lake.
        table: The rows' table.
        delivery: The rows, and what their source says about them.
        known_at: The run's instant, with a time zone.
        run_id: The orchestrator's run.
        allowed_values: Lists that fill `one_of` rules.
        keep_record: Commit the load's record, with its cursor, even if no row is new; a table's first load still needs
            rows.

    Raises:
        ContractBroken: A fatal rule is broken. Nothing landed.
        StorageError: The counts do not add up, or the disk cannot be written. Nothing landed.
    """
    version_column, whole = table.version_column, delivery.whole
    by_version = (
        None
        if version_column is None or delivery.compare_values
        else tuple(dict.fromkeys((*table.key, version_column)))
    )
    contract = LoadCheck(table, allowed_values=allowed_values, more_rules=delivery.more_rules)
    with lake.begin(table.name) as writer, query_files() as connection:
        previous = writer.newest_load()
        load_id = next_load_id(table.name, previous, known_at)
        intake = _Intake(
            writer,
            contract,
            ColumnNames(table, writer.held_columns()),
            load_id,
            to_utc(known_at),
            table.record_time_column if previous is None else None,
            by_version,
            connection,
        )
        intake.take(_in_pieces(delivery.rows))
        committed, parts = writer.committed_files(), writer.parts
        withdrawals = list_in_force(lake, table.name) if committed else []
        changes = compare_load(
            connection,
            committed,
            parts,
            withdrawals=withdrawals,
            key=table.key,
            version_columns=by_version,
            order_column=version_column,
            repeated=(intake.versions.columns, intake.versions.repeated()),
            repeated_keys={name: (prints.columns, prints.repeated()) for name, prints in intake.keys.items()},
        )
        vanished = Vanished()
        if whole:  # before held rows are dropped: those records did come
            vanished = find_vanished(
                connection,
                committed,
                parts,
                whole,
                withdrawals=withdrawals,
                key=table.key,
                order_column=version_column,
                known_at=known_at,
            )
        if changes.dropped or changes.broken:
            rewrite_load(writer, parts, changes)
        written = sum(part.rows for part in writer.parts)
        set_aside = sum(part.set_aside for part in writer.parts)
        if whole and vanished.tombstones:
            write_tombstones(connection, writer, whole, load_id=load_id, known_at=known_at)
        record = LoadRecord(
            load_id=load_id,
            known_at=to_utc(known_at).isoformat(),
            source_count=settle(delivery.source_count),
            landed_count=written - set_aside,
            set_aside_count=set_aside,
            unchanged_count=intake.rows - written,
            tombstone_count=vanished.tombstones,
            cursor=settle(delivery.cursor),
            window=delivery.window,
            run_id=run_id,
            details={**describe_identity(table.key, version_column), **settle(delivery.details), **vanished.details},
        )
        record.check_counts(table.name)
        if not record.has_rows and (previous is None or not keep_record):
            return LandingReport(
                table.name,
                unchanged=record.unchanged_count,
                cursor=previous.cursor if previous else None,
                vanished=vanished,
            )
        checked = contract.finish(_aggregates(contract, changes, intake.rows)) if written else Checked()
        _refuse_fatal(table.name, checked)
        version = writer.commit(record, once=(LOAD_COUNTER, number_of(load_id)))
    return LandingReport(
        table.name,
        record.landed_count,
        set_aside,
        record.unchanged_count,
        version if record.has_rows else None,
        record.cursor,
        load_id,
        dict(checked.rules),
        checked.violations,
        is_full=delivery.is_full,
        vanished=vanished,
    )


class _Intake:
    """The first pass over a load: check, stamp, write, remember keys. A piece is written while the next is checked."""

    def __init__(
        self,
        writer: LoadWriter,
        contract: LoadCheck,
        names: ColumnNames,
        load_id: str,
        known_at: datetime,
        record_time_column: str | None,
        version_columns: Sequence[str] | None,
        connection: duckdb.DuckDBPyConnection,
    ) -> None:
        self._writer = writer
        self._contract = contract
        self._names = names
        self._stamps = (load_id, known_at, record_time_column)
        self._version_columns = version_columns
        self._connection = connection
        self.rows = 0
        self.versions = Fingerprints(version_columns or ())
        self.keys = {rule.name: Fingerprints(rule.columns) for rule in contract.load_rules if rule.columns}

    def take(self, pieces: Iterator[pa.Table]) -> None:
        """Take in every piece."""
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="lake-writer") as pool:
            writing: Future[None] | None = None
            for piece in map(with_storable_types, map(self._names.apply, pieces)):
                broken = self._contract.check_rows(piece)
                if writing:
                    writing.result()
                writing = pool.submit(self._keep, piece, broken)
            if writing:
                writing.result()

    def _keep(self, piece: pa.Table, broken: pa.Array) -> None:
        self.rows += piece.num_rows
        if self._version_columns is None and not self.versions.columns:
            self.versions = Fingerprints(piece.column_names)
        add_rows(self._connection, piece, [self.versions, *self.keys.values()])
        self._writer.write(stamp(piece, *self._stamps, broken))


def _in_pieces(rows: pa.Table | Iterable[pa.RecordBatch | pa.Table]) -> Iterator[pa.Table]:
    """The rows in tables of about `ROWS_AT_A_TIME`, whatever pieces they came in."""
    waiting: list[pa.Table] = []
    count = 0
    for batch in [rows] if isinstance(rows, pa.Table) else rows:
        piece = batch if isinstance(batch, pa.Table) else pa.Table.from_batches([batch])
        if waiting and not waiting[0].schema.equals(piece.schema):
            yield pa.concat_tables(waiting)
            waiting, count = [], 0
        for start in range(0, piece.num_rows, ROWS_AT_A_TIME):
            part = piece.slice(start, ROWS_AT_A_TIME)
            waiting.append(part)
            count += part.num_rows
            if count >= ROWS_AT_A_TIME:
                yield pa.concat_tables(waiting)
                waiting, count = [], 0
    if waiting:
        yield pa.concat_tables(waiting)


def _aggregates(contract: LoadCheck, changes: Changes, rows: int) -> dict[str, int]:
    """The aggregates that rules on loads check, by rule."""
    repeated = {
        rule.name: sum(len(found) for found in changes.broken.get(rule.name, {}).values())
        for rule in contract.load_rules
        if rule.columns
    }
    return (
        {**repeated, _ROW_COUNT_RULE: rows}
        if any(rule.name == _ROW_COUNT_RULE for rule in contract.load_rules)
        else repeated
    )


def _refuse_fatal(table: str, checked: Checked) -> None:
    if checked.fatal:
        raise ContractBroken(
            " ".join(violation.message for violation in checked.fatal)
            + " The load was refused; what had landed before stays.",
            where=f"lake table {table}",
            fix=" ".join(dict.fromkeys(violation.fix for violation in checked.fatal if violation.fix)),
            violations=checked.violations,
        )
