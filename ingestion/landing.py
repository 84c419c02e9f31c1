"""The one door into the lake: compare with what the lake holds, check the contract, stamp, commit once.

What belongs here: what happens to a load whatever its source. What does not: reading a source, and the rules themselves (`contracts`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from ingestion.contracts import Violation, check
from ingestion.errors import ContractBroken
from storage.lake import KNOWN_TIME_BASIS, LOAD_ID, Lake, LoadRecord, stamp_rows

LOAD_COUNTER = "salesops_load"  # app transaction: of two loads racing for one table the second fails instead of landing the same rows twice
_POSITION = "_position_in_load"


@dataclass(frozen=True)
class LandingReport:
    """What became of one load. `source_count` = `landed` + `set_aside` + `unchanged`.

    Attributes:
        table: Lake table.
        landed: Rows committed that passed their contract.
        set_aside: Rows committed with the rules they broke.
        unchanged: Rows delivered that the lake already held, or that came twice in this load.
        version: The table's version after the load; None where nothing was new and nothing was committed.
        cursor: Where the next load goes on.
        load_id: The load's name; None where nothing was committed.
        rules: Rows that break each rule; empty where nothing was new, for then nothing is checked.
        warnings: Broken rules whose rows landed all the same.
        notice: A sentence for the user where there is something to say (an object the org lacks).
    """

    table: str
    landed: int = 0
    set_aside: int = 0
    unchanged: int = 0
    version: int | None = None
    cursor: str | None = None
    load_id: str | None = None
    rules: dict[str, int] = field(default_factory=dict)
    warnings: tuple[Violation, ...] = ()
    notice: str = ""

    @property
    def source_count(self) -> int:
        """Rows the source delivered."""
        return self.landed + self.set_aside + self.unchanged

    @property
    def is_changed(self) -> bool:
        """Whether the lake is another one than before."""
        return self.version is not None


def land(
    lake: Lake,
    table: str,
    rows: pa.Table,
    *,
    key: Sequence[str],
    version_column: str | None,
    known_at: datetime,
    cursor: str | None,
    window: tuple[str | None, str | None],
    source_count: int,
    run_id: str,
    allowed_values: Mapping[str, Sequence[str]] | None = None,
    record_time_column: str | None = None,
    details: Mapping[str, str] | None = None,
) -> LandingReport:
    """Bring one load into the lake as one commit, or not at all.

    Rows that the lake already holds are left out, so that reading a window again, or a whole file, lands only what is new. A load with
    nothing new commits nothing and its cursor stays: the next window then starts earlier, which costs a count and can lose nothing.
    The contract is checked on the whole load, so that a rule on several rows sees the ones that are left out too.

    Args:
        lake: The lake.
        table: `<source>__<object>`.
        rows: The source's own columns; one row per record version.
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

    Raises:
        ContractBroken: A fatal rule is broken. Nothing landed.
        StorageError: The counts do not add up, or the disk refuses. Nothing landed.
    """
    previous = lake.newest_load(table)
    rows = _with_storable_types(rows)
    fresh = _positions_not_held(lake, table, rows, list(key), version_column) if rows.num_rows else pa.array([], pa.int64())
    unchanged = rows.num_rows - len(fresh)
    if not len(fresh):
        LoadRecord("none", known_at.isoformat(), source_count, 0, unchanged_count=unchanged).check_counts(table)
        return LandingReport(table, unchanged=unchanged, cursor=previous.cursor if previous else None)

    checked = check(table, rows, allowed_values=allowed_values)
    if checked.fatal:
        raise ContractBroken(
            " ".join(violation.message for violation in checked.fatal) + " The load was refused; what had landed before stays.",
            where=f"lake table {table}",
            fix=" ".join(dict.fromkeys(violation.fix for violation in checked.fatal if violation.fix)),
        )
    rows, broken = rows.take(fresh), checked.broken_rules.take(fresh)
    set_aside = len(broken) - broken.null_count
    record = LoadRecord(
        load_id=_next_load_id(table, previous, known_at),
        known_at=_utc(known_at).isoformat(),
        source_count=source_count,
        landed_count=rows.num_rows - set_aside,
        set_aside_count=set_aside,
        unchanged_count=unchanged,
        cursor=cursor,
        window=window,
        run_id=run_id,
        details=dict(details or {}),
    )
    stamped = _stamp(rows, record.load_id, known_at, record_time_column if previous is None else None, broken)
    version = lake.commit(table, stamped, record, once=(LOAD_COUNTER, _ordinal(record.load_id)))
    return LandingReport(
        table, record.landed_count, set_aside, unchanged, version, cursor, record.load_id, dict(checked.rules), tuple(checked.warnings)
    )


def _next_load_id(table: str, previous: LoadRecord | None, known_at: datetime) -> str:
    """Numbered per table, so that load ids sort as loads happened, even of two loads with one `known_at`."""
    ordinal = (_ordinal(previous.load_id) if previous else 0) + 1
    return f"{table}:{ordinal:06d}:{_utc(known_at):%Y%m%dT%H%M%SZ}"


def _ordinal(load_id: str) -> int:
    return int(load_id.split(":")[1])


def _utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("known_at needs a time zone")
    return instant.astimezone(UTC)


def _with_storable_types(rows: pa.Table) -> pa.Table:
    """Columns without any value become text, and text becomes plain text: Delta has no null type, and a type must not change between loads."""
    for index, column in enumerate(rows.schema):
        if pa.types.is_null(column.type) or pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
            rows = rows.set_column(index, column.name, rows.column(index).cast(pa.string()))
    return rows


def _positions_not_held(lake: Lake, table: str, rows: pa.Table, key: list[str], version_column: str | None) -> pa.Array:
    """Positions of the rows that the lake lacks, in the order they came; of equal rows in one load the first."""
    compared = list(dict.fromkeys([*key, version_column] if version_column else rows.column_names))
    numbered = rows.select(compared).append_column(_POSITION, pa.array(range(rows.num_rows), pa.int64()))
    firsts = numbered.group_by(compared, use_threads=False).aggregate([(_POSITION, "min")]).column(f"{_POSITION}_min")
    arrived = numbered.take(firsts.combine_chunks().sort())
    columns = _columns_held(lake, table)
    if not columns or not arrived.num_rows:
        return arrived.column(_POSITION).combine_chunks()

    held = ", ".join(_quoted(column) if column in columns else f"null as {_quoted(column)}" for column in compared)
    # A version that was ever held need not land again. Without versions a value may come back (A, B, A), so only the newest counts.
    newest = "" if version_column else f"qualify {LOAD_ID} = max({LOAD_ID}) over (partition by {', '.join(map(_quoted, key))})"
    of_these_keys = f"lake semi join arrived on {_equal('lake', 'arrived', [name for name in key if name in columns])}"
    sql = f"""
        with held as (select {held} from {of_these_keys} {newest})
        select {_POSITION} from arrived anti join held on {_equal("arrived", "held", compared)} order by {_POSITION}
    """
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("arrived", arrived)
        connection.register("lake", connection.read_parquet(sorted(DeltaTable(lake.uri(table)).file_uris()), union_by_name=True))
        return connection.sql(sql).to_arrow_table().column(_POSITION).combine_chunks()


def _columns_held(lake: Lake, table: str) -> set[str]:
    if not DeltaTable.is_deltatable(lake.uri(table)):
        return set()
    opened = DeltaTable(lake.uri(table))
    return {column.name for column in opened.schema().fields} if opened.file_uris() else set()


def _equal(left: str, right: str, columns: Sequence[str]) -> str:
    return " and ".join(f"{left}.{_quoted(column)} is not distinct from {right}.{_quoted(column)}" for column in columns) or "true"


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _stamp(rows: pa.Table, load_id: str, known_at: datetime, record_time_column: str | None, broken: pa.Array) -> pa.Table:
    if record_time_column is None or record_time_column not in rows.column_names:
        return stamp_rows(rows, load_id=load_id, known_from=_utc(known_at), broken_rules=broken)
    now = pa.scalar(_utc(known_at).replace(tzinfo=None), pa.timestamp("us"))
    recorded = _instants(rows.column(record_time_column))
    known_from = pc.if_else(pc.fill_null(pc.less(recorded, now), False), recorded, now)
    basis = pc.if_else(pc.is_valid(recorded), "record", "load")
    stamped = stamp_rows(rows, load_id=load_id, known_from=known_from, broken_rules=broken)
    return stamped.set_column(stamped.column_names.index(KNOWN_TIME_BASIS), KNOWN_TIME_BASIS, basis)


def _instants(texts: pa.ChunkedArray) -> pa.Array:
    """ISO or RFC 2822 text as UTC instants without zone; NULL where it cannot be read."""
    texts = texts.cast(pa.string())
    try:
        return texts.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us")).combine_chunks()
    except pa.ArrowInvalid:  # something else than ISO with a zone among them: slower, but it reads more and never raises
        pass
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("arrived", pa.table({"position": pa.array(range(len(texts)), pa.int64()), "text": texts}))
        rfc_2822 = "try_strptime(text, ['%a, %d %b %Y %H:%M:%S %z', '%d %b %Y %H:%M:%S %z'])"
        sql = f"select coalesce(try_cast(text as timestamptz), {rfc_2822})::timestamp as instant from arrived order by position"
        return connection.sql(sql).to_arrow_table().column("instant").combine_chunks().cast(pa.timestamp("us"))
