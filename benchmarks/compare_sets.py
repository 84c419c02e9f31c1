"""Compare two published sets of one company: what a code change changed for readers.

    python -m benchmarks.compare_sets OLD/published/current NEW/published/current --leave-out known_from,as_of,credited_at

Publish both with the same masking key (copy `pii.key`). Tables and views are compared by name: added, removed and
retyped columns are listed; rows are compared in any order, floats to 1e-9. Exit code 1 if rows differ.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb

from benchmarks.published_readers import PUBLISHED_FILE
from benchmarks.twins import PAY, PAY_FILE, are_close, attach_both

_SIDES = {"l": "old", "r": "new"}
# Load names, and hashes of files and code, always differ between two versions of the code.
LEFT_OUT = frozenset({"load_id", "model_hash", "plan_hash", "board_hash"})


def compare_sets(old: Path, new: Path, left_out: frozenset[str]) -> Iterator[tuple[bool, str]]:
    """The differences between two sets, each with whether its rows differ.

    Args:
        old: Folder of a published set.
        new: The other one.
        left_out: Columns to skip.
    """
    for file in (PUBLISHED_FILE, f"{PAY}/{PAY_FILE}"):
        with attach_both(old / file, new / file) as connection:
            names = {side: _relations(connection, side) for side in _SIDES}
            both = set.intersection(*names.values())
            yield from (
                (False, f"{name}: only in the {said} set")
                for side, said in _SIDES.items()
                for name in sorted(names[side] - both)
            )
            for name in sorted(both):
                yield from _compare(connection, name, left_out)


def _relations(connection: duckdb.DuckDBPyConnection, side: str) -> set[str]:
    question = "select table_name from information_schema.tables where table_catalog = ? and table_schema = 'marts'"
    return {name for (name,) in connection.execute(question, [side]).fetchall()}


def _compare(connection: duckdb.DuckDBPyConnection, name: str, left_out: frozenset[str]) -> Iterator[tuple[bool, str]]:
    types = {
        side: {row[0]: row[1] for row in connection.execute(f'describe {side}.marts."{name}"').fetchall()}
        for side in _SIDES
    }
    both = {column: kind for column, kind in types["r"].items() if column in types["l"]}
    for side, said in _SIDES.items():
        if alone := [column for column in types[side] if column not in both]:
            yield False, f"{name}: only the {said} one has {', '.join(alone)}"
    if retyped := [
        f"{column} {types['l'][column]} -> {kind}" for column, kind in both.items() if types["l"][column] != kind
    ]:
        yield False, f"{name}: retyped {', '.join(retyped)}"
    columns = {column: kind for column, kind in both.items() if column not in left_out}
    listed = ", ".join(f'"{column}"' for column in columns)
    old, new = (
        Counter(connection.execute(f'select {listed} from {side}.marts."{name}"').fetchall()) for side in _SIDES
    )
    gone, come = list((old - new).elements()), list((new - old).elements())
    if gone != come and not are_close(columns, gone, come):
        yield (
            True,
            f"{name}: {len(gone)} rows only in the old set, {len(come)} only in the new one, such as {(gone or come)[0]} and {(come or gone)[0]}",
        )


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument(
        "--leave-out", default="", help="columns whose values differ for another reason, such as the instant of a run"
    )
    chosen = parser.parse_args()
    found = list(compare_sets(chosen.old, chosen.new, LEFT_OUT | set(filter(None, chosen.leave_out.split(",")))))
    for _, line in found:
        print(line)
    differing = sum(is_different for is_different, _ in found)
    print(f"{differing} marts or views whose rows differ")
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
