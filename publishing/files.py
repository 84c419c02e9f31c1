"""The files of a set: one DuckDB file per audience, and each of its tables as Parquet.

What belongs here: copying, hashing, types and comments. What does not: folders, links and modes (`published_set`, `access`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pyarrow as pa

from publishing.marts import Mart, Marts, list_grain_views
from publishing.masking import Masker
from publishing.policy import PublishPolicy
from storage.errors import StorageError
from storage.home import sync
from storage.sql import quote_name, quote_path

MARTS_SCHEMA = "marts"
RESTRICTED = "restricted"
# DuckDB 1.1 (late 2024) opens this version and none newer.
_STORAGE_VERSION = "v1.0.0"
# Parquet has no 128-bit integers; DuckDB would write them as floats.
_WIDE_INTEGERS = {"HUGEINT", "UHUGEINT"}
_WORKERS = min(4, os.cpu_count() or 1)


def write_marts(warehouse: Path, folder: Path, marts: Marts, policy: PublishPolicy) -> dict[str, int]:
    """Write a warehouse's marts into an empty folder and return the row count of each.

    General marts go to `salesops.duckdb` and `parquet/`, marts about pay to `restricted/pay.duckdb` and
    `restricted/parquet/`.

    Args:
        warehouse: The DuckDB file with the schema `marts`.
        folder: Where to write.
        marts: What to publish. A warehouse table not listed is left out, as nothing says which of its columns are
            personal.
        policy: What to hash.

    Raises:
        StorageError: A mart is missing, or holds a number that does not fit 64 bits.
    """
    spill = folder / "spill"
    counts: dict[str, int] = {}
    try:
        with duckdb.connect(config={"temp_directory": str(spill)}) as connection:
            connection.execute(f"attach '{quote_path(warehouse)}' as warehouse (read_only)")
            _require(connection, marts, warehouse)
            for audience, file in (
                ("general", folder / "salesops.duckdb"),
                ("pay", folder / RESTRICTED / "pay.duckdb"),
            ):
                meant = {name: mart for name, mart in marts.items() if mart.audience == audience}
                if meant:
                    counts |= _write_file(connection, file, meant, policy)
    finally:
        shutil.rmtree(spill, ignore_errors=True)
    return dict(sorted(counts.items()))


def _require(connection: duckdb.DuckDBPyConnection, marts: Marts, warehouse: Path) -> None:
    found = connection.execute(
        "select table_name from information_schema.tables where table_catalog = 'warehouse' and table_schema = ?",
        [MARTS_SCHEMA],
    ).fetchall()
    missing = sorted(set(marts) - {name for (name,) in found})
    if missing or not marts:
        what = (
            f"The warehouse lacks marts to publish: {', '.join(missing)}."
            if marts and found
            else "The warehouse holds no marts to publish."
        )
        raise StorageError(what, where=str(warehouse), fix="Run `salesops run --rebuild` and look at its first error.")


def _write_file(
    connection: duckdb.DuckDBPyConnection, file: Path, marts: Marts, policy: PublishPolicy
) -> dict[str, int]:
    (file.parent / "parquet").mkdir(parents=True)
    connection.execute(f"attach '{quote_path(file)}' as target (storage_version '{_STORAGE_VERSION}')")
    connection.execute(f"create schema target.{MARTS_SCHEMA}")

    def write(name: str) -> int:
        with connection.cursor() as cursor:
            return _write_mart(cursor, file.parent / "parquet", name, marts[name], policy)

    # Most marts are too small for DuckDB to use more than one core.
    with ThreadPoolExecutor(_WORKERS) as pool:
        counts = dict(zip(marts, pool.map(write, marts), strict=True))
    for name, mart in marts.items():
        _write_grain_views(connection, name, mart)
    connection.execute("checkpoint target")
    connection.execute("detach target")
    sync(file)
    return counts


def _write_mart(
    connection: duckdb.DuckDBPyConnection, parquet: Path, name: str, mart: Mart, policy: PublishPolicy
) -> int:
    source, target = f"warehouse.{MARTS_SCHEMA}.{quote_name(name)}", f"target.{MARTS_SCHEMA}.{quote_name(name)}"
    types = {row[0]: row[1] for row in connection.execute(f"describe from {source}").fetchall()}
    masked = [
        column
        for column, described in mart.columns.items()
        if described.is_pii and f"{name}.{column}" not in policy.in_clear
    ]
    needed = {*masked, *(where for column in masked if (where := mart.columns[column].pii_where))}
    if absent := sorted(needed - types.keys()):
        # Under another name the column would be published in clear.
        raise StorageError(
            f"The mart {name} is marked to hold personal data in {', '.join(absent)}, but has no such column.",
            where=f"the warehouse, {MARTS_SCHEMA}.{name}",
            fix="Correct the column's name in the YAML beside the model.",
        )
    columns: list[str] = []
    joins: list[str] = []
    for column, kind in types.items():
        plain = f"source.{quote_name(column)}"
        if column in masked:
            alias = f"masked_{len(joins)}"
            connection.register(alias, _hash_column(connection, source, column, policy.masker))
            joins.append(f"left join {alias} on cast({plain} as varchar) = {alias}.value")
            where = mart.columns[column].pii_where
            # If the source does not say what the row is about, hash it.
            hashed = (
                f"case when source.{quote_name(where)} is false then {plain} else {alias}.hash end"
                if where
                else f"{alias}.hash"
            )
            plain = f"{hashed} as {quote_name(column)}"
        elif kind in _WIDE_INTEGERS:
            plain = f"cast({plain} as bigint) as {quote_name(column)}"
        columns.append(plain)
    try:
        found = connection.execute(
            f"create table {target} as select {', '.join(columns)} from {source} as source {' '.join(joins)}"
        ).fetchone()
    except duckdb.ConversionException as error:
        wide = [column for column, kind in types.items() if kind in _WIDE_INTEGERS]
        raise StorageError(
            f"The mart {name} holds a number that does not fit 64 bits, in one of {', '.join(wide)}: {str(error).splitlines()[0]}",
            where=f"the warehouse, {MARTS_SCHEMA}.{name}",
            fix="A sum has run over. Cast it in the model to the decimal type that it needs.",
        ) from error
    connection.execute(";".join(["begin", *_comments(target, mart, types, masked), "commit"]))
    file = parquet / f"{name}.parquet"
    connection.execute(f"copy (from {target}) to '{quote_path(file)}' (format parquet, compression zstd)")
    sync(file)
    return int(found[0]) if found else 0


def _write_grain_views(connection: duckdb.DuckDBPyConnection, name: str, mart: Mart) -> None:
    """One view per grain, in DuckDB only: Parquet has no views, and someone could add up copies of the rows."""
    for view, grain in list_grain_views(name, mart).items():
        target = f"target.{MARTS_SCHEMA}.{quote_name(view)}"
        # Without the catalog: its name depends on how the reader attaches the file.
        rows = f"select * from {MARTS_SCHEMA}.{quote_name(name)} where period_grain = {_literal(grain)}"
        connection.execute(f"create view {target} as {rows}")
        connection.execute(
            f"comment on view {target} is {_literal(f'Rows of {name} with period_grain {grain}; columns as there.')}"
        )


def _hash_column(connection: duckdb.DuckDBPyConnection, source: str, column: str, masker: Masker) -> pa.Table:
    """Each distinct value of a column with its hash. Never computed in SQL, where logs or plans would show the key."""
    text = f"cast({quote_name(column)} as varchar)"
    values = connection.sql(
        f"select distinct {text} as value from {source} where {quote_name(column)} is not null"
    ).to_arrow_table()["value"]
    return pa.table(
        {"value": values, "hash": pa.array([masker.mask(value) for value in values.to_pylist()], pa.string())}
    )


def _comments(target: str, mart: Mart, present: Iterable[str], masked: Iterable[str]) -> Iterator[str]:
    yield f"comment on table {target} is {_literal(mart.description)}"
    for column in present:
        text = mart.columns[column].description if column in mart.columns else ""
        if column in masked:
            where = mart.columns[column].pii_where
            text = f"{text} Published as a keyed hash{f', unless {where} is false' if where else ''}.".strip()
        if text:
            yield f"comment on column {target}.{quote_name(column)} is {_literal(text)}"


def _literal(text: str) -> str:
    plain = " ".join(text.split())
    return "'" + plain.replace("'", "''") + "'"
