"""Compare a load with the lake: which of its rows the lake already holds, which come twice, and which share a key.

Works over files, the load's (not committed yet) and the lake's, in DuckDB: memory is bounded and does not grow with the
load.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ingestion.landing.fingerprints import Fingerprints
from storage.file_queries import read_files
from storage.lake import BROKEN_RULES, LOAD_ID, RESERVED_COLUMNS
from storage.lake_writer import LoadWriter, Part
from storage.sql import quote_name
from storage.withdrawals import Withdrawal, standing_rows

REWRITTEN_ROWS = 131_072


@dataclass
class Changes:
    """Changes to make to a load's files before they are committed: row numbers by file.

    Attributes:
        dropped: Rows that the lake already holds, or that came earlier in this load.
        broken: By the name of a rule on the whole load, the rows that break it.
    """

    dropped: dict[str, np.ndarray] = field(default_factory=dict)
    broken: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)


def compare_load(
    connection: duckdb.DuckDBPyConnection,
    committed: Sequence[str],
    parts: Sequence[Part],
    *,
    withdrawals: Sequence[Withdrawal] = (),
    key: Sequence[str],
    version_columns: Sequence[str] | None,
    order_column: str | None,
    repeated: tuple[Sequence[str], np.ndarray],
    repeated_keys: Mapping[str, tuple[Sequence[str], np.ndarray]],
) -> Changes:
    """Find what must change in a load's files.

    Args:
        connection: From `query_files`.
        committed: The lake's files of the load's table.
        parts: The load's files.
        withdrawals: What was withdrawn from the table. Rows of a withdrawn load land again when they come again, and so
            do those that a complete file lacked; a record that was withdrawn by its key only if it comes changed.
        key: Columns that identify a record.
        version_columns: Columns that together identify a version: a row is held if the lake ever had its version. None
            where the source has no versions: a value may then come back (A, B, A), so a row is held only if the newest
            row of its key has the same values. Either way, a row quarantined for a shared key matches only rows whose
            key is still shared: any other row is a correction by its source.
        order_column: Without version columns, the stamp that orders the rows of a key, before their load does; or None.
        repeated: Columns and their hashes that occur more than once in the load: `version_columns`, else columns in
            which equal rows agree.
        repeated_keys: By rule name, the key that must be unique, and its hashes that occur more than once.
    """
    changes = Changes()
    if not parts:
        return changes
    compared = tuple(version_columns or _source_columns(parts))
    held: set[str] = set()
    if committed:
        gone = [entry for entry in withdrawals if entry.kind != "key"]
        connection.execute(
            f"create or replace temp view lake_rows as from {standing_rows(connection, read_files(committed), gone)}"
        )
        held = set(connection.view("lake_rows").columns)
    connection.execute(
        f"create or replace temp view arrived as from {read_files((part.path for part in parts), with_positions=True)}"
    )
    for rule, (columns, hashes) in repeated_keys.items():
        if len(hashes):
            shared = f"""
                select filename, file_row_number from arrived {_among(connection, columns, hashes)}
                qualify count(*) over (partition by {_names(columns)}) > 1
            """
            changes.broken[rule] = _by_file(connection.sql(shared))
    if held:
        known = _known(
            connection,
            compared,
            held,
            key=key,
            by_version=bool(version_columns),
            order_column=order_column,
            rules=repeated_keys,
        )
        changes.dropped = _by_file(_held(connection, known, compared, changes.broken))
    if len(repeated[1]):
        later = f"""
            select filename, file_row_number from arrived {_among(connection, *repeated)}
            qualify row_number() over (partition by {_names(compared)} order by filename, file_row_number) > 1
        """
        changes.dropped = _merged(changes.dropped, _by_file(connection.sql(later)))
    return changes


def rewrite_load(writer: LoadWriter, parts: Sequence[Part], changes: Changes) -> None:
    """Apply the changes to the files they concern; the others stay as they are."""
    for part in parts:
        name = str(part.path)
        dropped = changes.dropped.get(name, np.empty(0, np.int64))
        broken = {rule: files[name] for rule, files in changes.broken.items() if name in files}
        if len(dropped) == part.rows:
            writer.replace(part, iter(()))
        elif len(dropped) or broken:
            writer.replace(part, _changed(part, dropped, broken))


def _known(
    connection: duckdb.DuckDBPyConnection,
    compared: Sequence[str],
    held: set[str],
    *,
    key: Sequence[str],
    by_version: bool,
    order_column: str | None,
    rules: Iterable[str],
) -> str:
    """SQL for the lake rows to compare with, and whether each was quarantined for one of these rules on its load."""
    was_shared = (
        " or ".join(f"list_contains(string_split({BROKEN_RULES}, ';'), '{rule}')" for rule in rules)
        if BROKEN_RULES in held
        else ""
    )
    values = ", ".join(quote_name(column) if column in held else f"null as {quote_name(column)}" for column in compared)
    values += f", coalesce({was_shared or 'false'}, false) as _was_shared"
    of_these_keys = (
        f"lake_rows semi join arrived on {same_values('lake_rows', 'arrived', [name for name in key if name in held])}"
    )
    newest = ""
    if not by_version:
        order = f"{quote_name(order_column)} desc nulls last, " if order_column in held else ""
        newest = f"qualify rank() over (partition by {_names(key)} order by {order}{LOAD_ID} desc) = 1"
        of_these_keys += f" anti join {_replaced_rows(key)}"
    within = _within_arrived(connection, order_column, held) if by_version else ""
    return (
        f"select {values} from lake_rows {within}" if by_version else f"select {values} from {of_these_keys} {newest}"
    )


def _held(
    connection: duckdb.DuckDBPyConnection,
    known: str,
    compared: Sequence[str],
    broken: Mapping[str, Mapping[str, np.ndarray]],
) -> duckdb.DuckDBPyRelation:
    """File and row number of the arrived rows that the lake already holds."""
    is_shared = "false"
    if pieces := [_named_rows(name, rows) for files in broken.values() for name, rows in files.items()]:
        connection.register("shared", pa.concat_tables(pieces))
        is_shared = "(filename, file_row_number) in (select (filename, file_row_number) from shared)"
    return connection.sql(f"""
        select filename, file_row_number
        from (select *, {is_shared} as _is_shared from arrived) as arrived
        semi join ({known}) as known on {same_values("arrived", "known", compared)} and (arrived._is_shared or not known._was_shared)
    """)


def _named_rows(file: str, rows: np.ndarray) -> pa.Table:
    files = pa.DictionaryArray.from_arrays(np.zeros(len(rows), np.int32), [file])
    return pa.table({"filename": files, "file_row_number": rows})


def _replaced_rows(key: Sequence[str]) -> str:
    """Join that drops quarantined rows superseded by a later good row.

    By its stamp alone, a quarantined row would still outrank its record's tombstone, and a record that the source
    restores unchanged would count as held.
    """
    later = f"{same_values('aside', 'good', key)} and good.{LOAD_ID} > aside.{LOAD_ID}"
    aside = f"(from lake_rows where {BROKEN_RULES} is not null) as aside semi join (from lake_rows where {BROKEN_RULES} is null) as good on {later}"
    same = f"{same_values('lake_rows', 'replaced', key)} and lake_rows.{LOAD_ID} = replaced.{LOAD_ID}"
    return (
        f"(select {_names(key)}, {LOAD_ID} from {aside}) as replaced on {same} and lake_rows.{BROKEN_RULES} is not null"
    )


def _within_arrived(connection: duckdb.DuckDBPyConnection, column: str | None, held: set[str]) -> str:
    """A condition that keeps every lake row whose value in this column also occurs in an arrived row.

    A tick brings stamps that hardly any lake row has. DuckDB then skips the keys of all other rows: 11 ms of CPU
    instead of 40 over a million rows. It does so only for plain bounds, not for bounds or NULL, so a load with rows
    without a stamp, which are broken ones, pays the full cost.
    """
    if column is None or column not in held:
        return ""
    name = quote_name(column)
    ((has_gaps, first, last),) = connection.sql(
        f"select count({name}) < count(*), min({name}), max({name}) from arrived"
    ).fetchall()
    return (
        ""
        if has_gaps
        else f"where {name} between {duckdb.ConstantExpression(first)} and {duckdb.ConstantExpression(last)}"
    )


def _among(connection: duckdb.DuckDBPyConnection, columns: Sequence[str], hashes: np.ndarray) -> str:
    """A condition that passes only rows with these hashes."""
    connection.register("suspects", pa.table({"h": hashes}))
    return f"semi join (from suspects) as suspects on {Fingerprints.expression(columns)} = suspects.h"


def _changed(part: Part, dropped: np.ndarray, broken: Mapping[str, np.ndarray]) -> Iterator[pa.Table]:
    first = 0
    with pq.ParquetFile(part.path) as file:
        for batch in file.iter_batches(batch_size=REWRITTEN_ROWS):
            rows = pa.Table.from_batches([batch])
            numbers = np.arange(first, first + rows.num_rows)
            first += rows.num_rows
            for rule, positions in broken.items():
                rows = _with_reason(rows, rule, np.isin(numbers, positions))
            yield rows.filter(pa.array(~np.isin(numbers, dropped)))


def _with_reason(rows: pa.Table, rule: str, breaks: np.ndarray) -> pa.Table:
    reasons = rows.column(BROKEN_RULES)
    named = pc.coalesce(pc.binary_join_element_wise(reasons, pa.scalar(rule), ";"), pa.scalar(rule))
    return rows.set_column(
        rows.column_names.index(BROKEN_RULES), BROKEN_RULES, pc.if_else(pa.array(breaks), named, reasons)
    )


def _by_file(found: duckdb.DuckDBPyRelation) -> dict[str, np.ndarray]:
    """Row numbers by file. Read in pieces, because a row's file name is many times as long as its number."""
    pieces: dict[str, list[np.ndarray]] = {}
    for batch in found.to_arrow_reader(REWRITTEN_ROWS):
        names = batch.column("filename").dictionary_encode()
        rows = batch.column("file_row_number").to_numpy()
        places = names.indices.to_numpy()
        for place, name in enumerate(names.dictionary.to_pylist()):
            pieces.setdefault(name, []).append(rows[places == place])
    return {name: np.concatenate(found_rows) for name, found_rows in pieces.items()}


def _merged(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    empty = np.empty(0, np.int64)
    return {name: np.union1d(one.get(name, empty), other.get(name, empty)) for name in {*one, *other}}


def _source_columns(parts: Sequence[Part]) -> list[str]:
    names = dict.fromkeys(name for part in parts for name in pq.read_schema(part.path).names)
    return [name for name in names if name not in RESERVED_COLUMNS]


def _names(columns: Sequence[str]) -> str:
    return ", ".join(quote_name(column) for column in columns)


def same_values(left: str, right: str, columns: Sequence[str]) -> str:
    """SQL: whether two rows have the same values, where NULL equals NULL."""
    return (
        " and ".join(
            f"{left}.{quote_name(column)} is not distinct from {right}.{quote_name(column)}" for column in columns
        )
        or "true"
    )
