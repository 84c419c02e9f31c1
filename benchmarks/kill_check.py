"""What must hold for a lake whatever was killed: always whole loads, and the source's own state after the next run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from storage.lake import BROKEN_RULES, LOAD_ID, RESERVED_COLUMNS, Lake
from storage.load_ids import LOAD_COUNTER, number_of

Row = Mapping[str, object]
EXAMPLES = 3


def find_broken_loads(lake: Lake) -> list[str]:
    """Inconsistencies of a table's loads and rows: partial loads, rows without a load, a cursor that went back."""
    found = []
    for table in lake.tables():
        loads = list(lake.loads(table))
        held = lake.query(
            table,
            f"select {LOAD_ID} as load_id, count({BROKEN_RULES}) as set_aside, count(*) as n from lake group by all",
        )
        rows = (
            {row["load_id"]: (row["n"] - row["set_aside"], row["set_aside"]) for row in held.to_pylist()}
            if held
            else {}
        )
        said = {
            load.load_id: (load.landed_count + load.tombstone_count, load.set_aside_count)
            for load in loads
            if load.has_rows
        }
        if rows != said:
            found.append(f"{table}: rows by load are {rows}, the loads say {said}")
        if len({load.load_id for load in loads}) != len(loads):
            found.append(f"{table}: a load was committed twice")
        if loads != sorted(loads, key=lambda load: load.load_id, reverse=True):
            found.append(f"{table}: the loads are not in their order")
        cursors = [
            load.cursor for load in loads if load.cursor and table.startswith("salesforce__")
        ]  # a feed's cursor is a hash
        if cursors and cursors[0] != max(cursors):
            found.append(f"{table}: the cursor went back from {max(cursors)} to {cursors[0]}")
        opened = lake.open(table)
        counter = opened.transaction_version(LOAD_COUNTER) if opened else None
        if loads and counter != number_of(loads[0].load_id):
            found.append(f"{table}: the newest load is {loads[0].load_id}, the load counter {counter}")
        uncounted = [
            load.load_id
            for load in loads
            if load.landed_count + load.set_aside_count + load.unchanged_count != load.source_count
        ]
        if uncounted:
            found.append(f"{table}: counts of {uncounted} do not add up")
    return found


def find_differences(
    lake: Lake,
    table: str,
    source: Iterable[Row],
    *,
    key: Sequence[str],
    stamp: str | None,
    bad: set[str] | None = None,
    only_keys: bool = False,
) -> list[str]:
    """Differences between each record's newest version in the lake and the source, row by row and column by column.

    Args:
        lake: The lake.
        table: The table.
        source: Every record of the source, with values as text.
        key: Columns that identify a record.
        stamp: The source's own stamp, which orders versions as in staging; None if it has none.
        bad: First key values of the records whose newest version must be quarantined; all others must have passed.
            None: not checked.
        only_keys: The source provides only keys.

    Returns:
        One sentence per kind of difference; keys and column names, never values.
    """
    held = lake.query(table, "select * from lake")
    rows: list[dict[str, object]] = held.to_pylist() if held else []
    found = []
    # A record that is gone for good appears once more with its last stamp, marked deleted.
    version = (*key, stamp, "IsDeleted") if stamp else None
    if version and (
        twice := [
            each for each, n in Counter(tuple(row.get(name) for name in version) for row in rows).items() if n > 1
        ]
    ):
        found.append(f"{table}: {len(twice)} versions lie there twice, such as {twice[:EXAMPLES]}")
    newest: dict[tuple[object, ...], dict[str, object]] = {}
    for row in sorted(
        rows, key=lambda row: (str(row[stamp]) if stamp else "", str(row["_known_from"]), str(row[LOAD_ID]))
    ):
        newest[tuple(row[name] for name in key)] = row
    wanted = {tuple(row[name] for name in key): row for row in source}
    if missing := sorted(map(str, wanted.keys() - newest.keys())):
        found.append(f"{table}: {len(missing)} records are missing, such as {missing[:EXAMPLES]}")
    if strange := sorted(map(str, newest.keys() - wanted.keys())):
        found.append(f"{table}: {len(strange)} records are not in the source, such as {strange[:EXAMPLES]}")
    differing: Counter[str] = Counter()
    examples: dict[str, object] = {}
    for identity in wanted.keys() & newest.keys():
        row, true = newest[identity], wanted[identity]
        columns = set() if only_keys else {*true, *row} - {*RESERVED_COLUMNS}
        for column in [name for name in columns if row.get(name) != true.get(name)]:
            differing[column] += 1
            examples.setdefault(column, identity)
        if bad is not None and (row[BROKEN_RULES] is not None) != (identity[0] in bad):
            differing["(set aside or not)"] += 1
            examples.setdefault("(set aside or not)", identity)
    found += [
        f"{table}: {count} records differ in {column}, such as {examples[column]}"
        for column, count in sorted(differing.items())
    ]
    return found
