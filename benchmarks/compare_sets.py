"""Two published sets of one company compared: what a change of the code changed for readers.

    python -m benchmarks.compare_sets OLD/published/current NEW/published/current --leave-out known_from,as_of,credited_at

Publish both with the same masking key (copy `pii.key`). Tables and views are compared by name: columns that came, went or were retyped are
listed, rows are compared whatever their order, floats to 1e-9. Exit code 1 where rows differ.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb

from benchmarks.published_readers import PUBLISHED_FILE
from benchmarks.twins import FLOAT_TOLERANCE, PAY, PAY_FILE

# The name of a load, and hashes of files and of code, differ between two versions of the code by their nature.
LEFT_OUT = frozenset({"load_id", "model_hash", "plan_hash", "board_hash"})


def compare_sets(old: Path, new: Path, left_out: frozenset[str]) -> Iterator[tuple[bool, str]]:
    """What differs between two sets, each with whether rows differ.

    Args:
        old: Folder of a published set.
        new: The other one.
        left_out: Columns whose values are not compared.
    """
    for file in (PUBLISHED_FILE, f"{PAY}/{PAY_FILE}"):
        with duckdb.connect() as connection:
            for side, folder in (("old", old), ("new", new)):
                connection.execute(f"attach '{folder / file}' as {side} (read_only)")
            names = {side: _relations(connection, side) for side in ("old", "new")}
            yield from ((False, f"{name}: only in the {side} set") for side in names for name in sorted(names[side] - (names["old"] & names["new"])))
            for name in sorted(names["old"] & names["new"]):
                yield from _compare(connection, name, left_out)


def _relations(connection: duckdb.DuckDBPyConnection, side: str) -> set[str]:
    question = "select table_name from information_schema.tables where table_catalog = ? and table_schema = 'marts'"
    return {name for (name,) in connection.execute(question, [side]).fetchall()}


def _compare(connection: duckdb.DuckDBPyConnection, name: str, left_out: frozenset[str]) -> Iterator[tuple[bool, str]]:
    types = {side: {row[0]: row[1] for row in connection.execute(f'describe {side}.marts."{name}"').fetchall()} for side in ("old", "new")}
    for side in types:
        if alone := [column for column in types[side] if column not in types["old" if side == "new" else "new"]]:
            yield False, f"{name}: only the {side} one has {', '.join(alone)}"
    both = [column for column in types["old"] if column in types["new"]]
    if retyped := [f"{column} {types['old'][column]} -> {types['new'][column]}" for column in both if types["old"][column] != types["new"][column]]:
        yield False, f"{name}: retyped {', '.join(retyped)}"
    columns = [column for column in both if column not in left_out]
    listed = ", ".join(f'"{column}"' for column in columns)
    old, new = (Counter(connection.execute(f'select {listed} from {side}.marts."{name}"').fetchall()) for side in ("old", "new"))
    rows = [sorted((old - new).elements(), key=_without_floats), sorted((new - old).elements(), key=_without_floats)]
    if len(rows[0]) == len(rows[1]):
        pairs = [(first, second) for first, second in zip(*rows, strict=True) if not all(map(_is_close, first, second))]
        if pairs:
            example = {column: pair for column, *pair in zip(columns, *pairs[0], strict=True) if pair[0] != pair[1]}
            yield True, f"{name}: {len(pairs)} rows differ, such as {pairs[0][0][:2]}: {example}"
    else:
        yield True, f"{name}: {len(rows[0])} rows only in the old set, {len(rows[1])} only in the new one, such as {(rows[0] or rows[1])[0]}"


def _without_floats(row: tuple[object, ...]) -> list[str]:
    """What must be equal, to put each row beside its like."""
    return [repr(value) for value in row if not isinstance(value, float)]


def _is_close(first: object, second: object) -> bool:
    if isinstance(first, float) and isinstance(second, float):
        return math.isclose(first, second, rel_tol=FLOAT_TOLERANCE, abs_tol=FLOAT_TOLERANCE) or (math.isnan(first) and math.isnan(second))
    return first == second


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--leave-out", default="", help="columns whose values differ for another reason, such as the instant of a run")
    chosen = parser.parse_args()
    found = list(compare_sets(chosen.old, chosen.new, LEFT_OUT | set(filter(None, chosen.leave_out.split(",")))))
    for _, line in found:
        print(line)
    differing = sum(is_different for is_different, _ in found)
    print(f"{differing} marts or views whose rows differ")
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
