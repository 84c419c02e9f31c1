"""One load, from a stream of rows to one commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import TypeAlias, TypeVar

import duckdb
import pyarrow as pa

from ingestion.contracts import LoadCheck, Rule
from ingestion.contracts.validation import Checked
from ingestion.errors import ContractBroken
from ingestion.landing.comparison import Changes, compare_load, rewrite_load
from ingestion.landing.fingerprints import Fingerprints, add_rows
from ingestion.landing.identity import describe_identity
from ingestion.landing.report import LandingReport
from ingestion.landing.stamping import stamp, with_storable_types
from ingestion.landing.vanished import Vanished, Whole, find_vanished, write_tombstones
from storage.file_queries import query_files
from storage.lake import Lake, LoadRecord
from storage.lake_writer import LoadWriter
from storage.load_ids import LOAD_COUNTER, next_load_id, number_of
from storage.stamps import to_utc

# Rows checked and written at a time: large enough that Great Expectations' fixed cost is small, small enough to bound memory.
ROWS_AT_A_TIME = 49_152
_ROW_COUNT_RULE = "row_count_is_plausible"

T = TypeVar("T")
Late: TypeAlias = "T | Callable[[], T]"  # what a stream can only say when it has ended may be given as a function, called then


def land(
    lake: Lake,
    table: str,
    rows: pa.Table | Iterable[pa.RecordBatch | pa.Table],
    *,
    key: Sequence[str],
    version_column: str | None,
    known_at: datetime,
    cursor: Late[str | None],
    window: tuple[str | None, str | None],
    source_count: Late[int],
    run_id: str,
    allowed_values: Mapping[str, Sequence[str]] | None = None,
    record_time_column: str | None = None,
    details: Mapping[str, str] | Callable[[], Mapping[str, str]] | None = None,
    more_rules: Sequence[Rule] = (),
    compare_values: bool = False,
    keep_record: bool = False,
    whole: Whole | None = None,
) -> LandingReport:
    """Bring one load into the lake as one commit, or not at all.

    Rows are checked and written as they arrive, so that a load may be larger than memory; nothing is visible before the commit. Rows that the
    lake already holds are then left out, so that reading a window again, or a whole file, lands only what is new. A load with nothing new
    commits nothing and its cursor stays: the next window then starts earlier, which costs a count and can lose nothing.

    Args:
        lake: The lake.
        table: `<source>__<object>`.
        rows: The source's own columns; one row per record version. A table, or batches as they come.
        key: Columns that name a record.
        version_column: Column that changes whenever the record does; with it a row is held when key and version are. Without it a row is
            held when the newest load that has its key has the same values in every column.
        known_at: The run's instant, with a time zone.
        cursor: Where the next load goes on, in the source's own terms.
        window: `[from, until)` that was asked for.
        source_count: Rows the source itself said it delivered.
        run_id: The orchestrator's run.
        allowed_values: Lists that `one_of` rules are filled from.
        record_time_column: On a table's first load, `_known_from` is this stamp (ISO or RFC 2822 text, no later than `known_at`) and
            `_known_time_basis` is `record`; rows without one, and every later load, carry `known_at` and `load`.
        details: Anything else worth keeping beside the load (file name and hash, job id).
        more_rules: Rules of this load alone.
        compare_values: Hold a row against the newest row of its key by all its values, although there is a version column: some fields
            (formulas) change without the record's stamp.
        keep_record: Commit the load's record, with its cursor, even if no row is new; a table's first load has rows all the same.
        whole: Given where the load brings every record of its source: those alive in the lake that did not come are then marked deleted. Such rows
            are counted apart, for the source delivered none of them.

    Raises:
        ContractBroken: A fatal rule is broken. Nothing landed.
        StorageError: The counts do not add up, or the disk refuses. Nothing landed.
    """
    by_version = None if version_column is None or compare_values else tuple(dict.fromkeys((*key, version_column)))
    contract = LoadCheck(table, allowed_values=allowed_values, more_rules=more_rules)
    with lake.begin(table) as writer, query_files() as connection:
        previous = writer.newest_load()
        load_id = next_load_id(table, previous, known_at)
        intake = _Intake(writer, contract, load_id, to_utc(known_at), record_time_column if previous is None else None, by_version, connection)
        intake.take(_in_pieces(rows))
        committed, parts = writer.committed_files(), writer.parts
        changes = compare_load(
            connection,
            committed,
            parts,
            key=key,
            version_columns=by_version,
            order_column=version_column,
            repeated=(intake.versions.columns, intake.versions.repeated()),
            repeated_keys={name: (prints.columns, prints.repeated()) for name, prints in intake.keys.items()},
        )
        vanished = Vanished()
        if whole:  # looked for before the rows that are held, and so did come, are left out
            vanished = find_vanished(connection, committed, parts, whole, key=key, order_column=version_column, known_at=known_at)
        if changes.dropped or changes.broken:
            rewrite_load(writer, parts, changes)
        written = sum(part.rows for part in writer.parts)
        set_aside = sum(part.set_aside for part in writer.parts)
        if whole and vanished.tombstones:
            write_tombstones(connection, writer, whole, load_id=load_id, known_at=known_at)
        record = LoadRecord(
            load_id=load_id,
            known_at=to_utc(known_at).isoformat(),
            source_count=_now(source_count),
            landed_count=written - set_aside,
            set_aside_count=set_aside,
            unchanged_count=intake.rows - written,
            tombstone_count=vanished.tombstones,
            cursor=_now(cursor),
            window=window,
            run_id=run_id,
            details={**describe_identity(key, version_column), **((details() if callable(details) else details) or {}), **vanished.details},
        )
        record.check_counts(table)
        if not record.has_rows and (previous is None or not keep_record):
            return LandingReport(table, unchanged=record.unchanged_count, cursor=previous.cursor if previous else None, vanished=vanished)
        checked = contract.finish(_aggregates(contract, changes, intake.rows)) if written else Checked()
        _refuse_fatal(table, checked)
        version = writer.commit(record, once=(LOAD_COUNTER, number_of(load_id)))
    return LandingReport(
        table,
        record.landed_count,
        set_aside,
        record.unchanged_count,
        version if record.has_rows else None,
        record.cursor,
        load_id,
        dict(checked.rules),
        checked.violations,
        vanished=vanished,
    )


class _Intake:
    """The first pass over a load: check, stamp, write, and remember which keys there were. A piece is kept while the next is checked."""

    def __init__(
        self,
        writer: LoadWriter,
        contract: LoadCheck,
        load_id: str,
        known_at: datetime,
        record_time_column: str | None,
        version_columns: Sequence[str] | None,
        connection: duckdb.DuckDBPyConnection,
    ) -> None:
        self._writer = writer
        self._contract = contract
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
            for piece in map(with_storable_types, pieces):
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
    """The running aggregates that rules on loads look at, by rule."""
    repeated = {rule.name: sum(len(found) for found in changes.broken.get(rule.name, {}).values()) for rule in contract.load_rules if rule.columns}
    return {**repeated, _ROW_COUNT_RULE: rows} if any(rule.name == _ROW_COUNT_RULE for rule in contract.load_rules) else repeated


def _refuse_fatal(table: str, checked: Checked) -> None:
    if checked.fatal:
        raise ContractBroken(
            " ".join(violation.message for violation in checked.fatal) + " The load was refused; what had landed before stays.",
            where=f"lake table {table}",
            fix=" ".join(dict.fromkeys(violation.fix for violation in checked.fatal if violation.fix)),
            violations=checked.violations,
        )


def _now(value: Late[T]) -> T:
    return value() if callable(value) else value
