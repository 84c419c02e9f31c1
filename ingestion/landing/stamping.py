"""The reserved columns of a load's rows: since when we know each version, and on what basis."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from storage.file_queries import query_files
from storage.lake import KNOWN_TIME_BASIS, stamp_rows
from storage.stamps import to_utc


def with_storable_types(rows: pa.Table) -> pa.Table:
    """Turn columns without values, and all kinds of text, into plain text.

    Delta has no null type, and a column's type must not change between loads.
    """
    for index, column in enumerate(rows.schema):
        if (
            pa.types.is_null(column.type)
            or pa.types.is_large_string(column.type)
            or pa.types.is_string_view(column.type)
        ):
            rows = rows.set_column(index, column.name, rows.column(index).cast(pa.string()))
    return rows


def stamp(
    rows: pa.Table, load_id: str, known_at: datetime, record_time_column: str | None, broken: pa.Array
) -> pa.Table:
    """Add the reserved columns.

    Args:
        rows: The source's own columns.
        load_id: The load's name.
        known_at: The run's instant.
        record_time_column: On a table's first load, the column with the record's own stamp, which becomes its known
            time; else None.
        broken: Per row, NULL or the broken rules.
    """
    if record_time_column is None or record_time_column not in rows.column_names:
        return stamp_rows(rows, load_id=load_id, known_from=to_utc(known_at), broken_rules=broken)
    now = pa.scalar(to_utc(known_at).replace(tzinfo=None), pa.timestamp("us"))
    recorded = read_instants(rows.column(record_time_column))
    known_from = pc.if_else(pc.fill_null(pc.less(recorded, now), False), recorded, now)
    basis = pc.if_else(pc.is_valid(recorded), "record", "load")
    stamped = stamp_rows(rows, load_id=load_id, known_from=known_from, broken_rules=broken)
    return stamped.set_column(stamped.column_names.index(KNOWN_TIME_BASIS), KNOWN_TIME_BASIS, basis)


def read_instants(texts: pa.ChunkedArray) -> pa.Array:
    """ISO or RFC 2822 text as UTC instants without zone; NULL where it cannot be read."""
    texts = texts.cast(pa.string())
    try:
        return texts.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us")).combine_chunks()
    except pa.ArrowInvalid:
        pass  # not all texts are ISO with a zone: the slower way below reads more and never raises
    with query_files() as connection:
        connection.register("arrived", pa.table({"position": pa.array(range(len(texts)), pa.int64()), "text": texts}))
        rfc_2822 = "try_strptime(text, ['%a, %d %b %Y %H:%M:%S %z', '%d %b %Y %H:%M:%S %z'])"
        sql = f"select coalesce(try_cast(text as timestamptz), {rfc_2822})::timestamp as instant from arrived order by position"
        return connection.sql(sql).to_arrow_table().column("instant").combine_chunks().cast(pa.timestamp("us"))
