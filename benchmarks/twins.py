"""Compare two published sets mart by mart and row by row, in any row order.

Two homes that play the same company to the same simulated clock publish the same rows. This was verified with two
undisturbed homes: no column of any mart differed, and a rebuild changed none. Only the columns in `MAY_DIFFER` may
differ between a disturbed home and its twin.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from benchmarks.published_readers import PUBLISHED_FILE

# A load's name holds its lake table version: a killed run may have committed a load that its successor commits again as
# the next version.
MAY_DIFFER = frozenset({"load_id"})
# DuckDB adds the floats of several threads in arbitrary order.
FLOAT_TOLERANCE = 1e-9
PAY = "restricted"
PAY_FILE = "pay.duckdb"
_FLOATS = ("DOUBLE", "FLOAT")
_EXAMPLES = 2


def find_differing_marts(left: Path, right: Path, *, file_name: str = PUBLISHED_FILE) -> list[str]:
    """The differences between two published sets; empty if there are none.

    Args:
        left: A set's folder, such as `published/current`.
        right: The other one.
        file_name: Name of the DuckDB file in a set.

    Raises:
        duckdb.Error: A set's file cannot be read.
    """
    found = _compare_manifests(left, right)
    files = [(file_name, "parquet"), *([(f"{PAY}/{PAY_FILE}", f"{PAY}/parquet")] if (right / PAY).exists() else [])]
    for file, parquet in files:
        with attach_both(left / file, right / file) as connection:
            tables = {side: _tables(connection, side) for side in ("l", "r")}
            names = {side: {name for _, name in each} for side, each in tables.items()}
            if names["l"] != names["r"] or not names["l"]:
                found.append(f"{file}: the marts differ: {sorted(names['l'] ^ names['r'])}")
                continue
            for (schema, name), (other_schema, _) in zip(tables["l"], tables["r"], strict=True):
                found += _compare_rows(
                    connection, f"{file}: {name}", f'l."{schema}"."{name}"', f'r."{other_schema}"."{name}"'
                )
                sides = [f"read_parquet('{_quoted(side / parquet / f'{name}.parquet')}')" for side in (left, right)]
                found += _compare_rows(connection, f"{parquet}: {name}", *sides)
    return found


def _compare_manifests(left: Path, right: Path) -> list[str]:
    manifests = [json.loads((side / "manifest.json").read_text(encoding="utf-8")) for side in (left, right)]
    return [
        f"manifest.json: {key} differs" for key in ("as_of", "row_counts") if manifests[0][key] != manifests[1][key]
    ]


@contextmanager
def attach_both(left: Path, right: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to both files, as `l` and `r`."""
    with duckdb.connect() as connection:
        for name, file in (("l", left), ("r", right)):
            connection.execute(f"attach '{_quoted(file)}' as {name} (read_only)")
        yield connection


def _tables(connection: duckdb.DuckDBPyConnection, side: str) -> list[tuple[str, str]]:
    question = "select schema_name, table_name from duckdb_tables() where database_name = ? order by table_name"
    return connection.execute(question, [side]).fetchall()


def _compare_rows(connection: duckdb.DuckDBPyConnection, what: str, left: str, right: str) -> list[str]:
    described = [connection.execute(f"describe select * from {side}").fetchall() for side in (left, right)]
    columns = {row[0]: row[1] for row in described[0] if row[0] not in MAY_DIFFER}
    if columns != {row[0]: row[1] for row in described[1] if row[0] not in MAY_DIFFER}:
        return [f"{what}: the columns differ"]
    listed = ", ".join(f'"{column}"' for column in columns)
    # Counted here, not with `except all` in DuckDB: the marts are small and wide, and planning a 120-column comparison
    # is slow.
    rows = [Counter(connection.execute(f"select {listed} from {side}").fetchall()) for side in (left, right)]
    if rows[0] == rows[1]:
        return []
    extra = [_ordered((rows[0] - rows[1]).elements()), _ordered((rows[1] - rows[0]).elements())]
    if are_close(columns, *extra):
        return []
    counts = f"{len(extra[0])} rows only on the left, {len(extra[1])} only on the right"
    examples = [_differing_cells(list(columns), *pair) for pair in zip(*extra, strict=False)][:_EXAMPLES]
    return [f"{what}: {counts}; such as {examples or (extra[0] or extra[1])[:_EXAMPLES]}"]


def are_close(columns: dict[str, str], left: list[tuple[object, ...]], right: list[tuple[object, ...]]) -> bool:
    """Whether unequal rows differ only in floats, by no more than the tolerance."""
    if len(left) != len(right):
        return False
    is_float = [kind in _FLOATS for kind in columns.values()]
    # Sorted by the columns that must be equal, so that each row is next to its twin.
    sides = [
        sorted(
            rows,
            key=lambda row: (
                [repr(value) for value, floats in zip(row, is_float, strict=True) if not floats],
                repr(row),
            ),
        )
        for rows in (left, right)
    ]
    for first, second in zip(*sides, strict=True):
        for value, other, floats in zip(first, second, is_float, strict=True):
            if value == other:
                continue
            if not (floats and isinstance(value, float) and isinstance(other, float)):
                return False
            if not math.isclose(value, other, rel_tol=FLOAT_TOLERANCE, abs_tol=FLOAT_TOLERANCE):
                return False
    return True


def _ordered(rows: Iterable[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return sorted(rows, key=repr)


def _differing_cells(columns: list[str], left: tuple[object, ...], right: tuple[object, ...]) -> dict[str, object]:
    """The first column, to identify the row, and the pairs that differ."""
    differing = {
        name: (value, other) for name, value, other in zip(columns, left, right, strict=True) if value != other
    }
    return {columns[0]: left[0], **dict(list(differing.items())[:4])}


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
