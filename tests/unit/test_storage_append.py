"""The door for the tables we write ourselves: once, whole, and in the order of the loads, also after loads with names of an older form."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import jinja2
import pyarrow as pa
import pytest

from storage.append import append_once
from storage.errors import StorageError
from storage.lake import Lake, LoadRecord, stamp_rows
from storage.load_ids import next_load_id, number_of
from storage.settings import PROJECT_ROOT

TABLE = "ours__fact"
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def facts(*names: str | None, value: int = 1) -> pa.Table:
    return pa.table({"name": pa.array(names, pa.string()), "value": pa.array([value] * len(names), pa.int32())})


def held(lake: Lake) -> list[tuple[str | None, int]]:
    rows = lake.query(TABLE, "select name, value from lake order by name nulls last, value")
    return [tuple(row.values()) for row in rows.to_pylist()] if rows else []


def test_rows_that_the_table_holds_are_left_out(lake: Lake) -> None:
    first = append_once(lake, TABLE, facts("a", None), known_at=NOON, run_id="r", key=["name"])
    assert (first.landed, first.unchanged, first.version, first.load_id) == (
        2,
        0,
        0,
        f"{TABLE}:20260105T120000Z:000001",
    )
    second = append_once(
        lake, TABLE, facts("b", "a", None, value=2), known_at=NOON, run_id="r", key=["name"], details={"why": "more"}
    )
    assert (second.landed, second.unchanged, second.is_changed) == (1, 2, True)
    again = append_once(lake, TABLE, facts("b", "a"), known_at=NOON, run_id="r", key=["name"])
    assert (again.landed, again.unchanged, again.is_changed, again.load_id) == (0, 2, False, None)
    assert held(lake) == [("a", 1), ("b", 2), (None, 1)]
    newest = lake.newest_load(TABLE)
    assert newest is not None
    assert (newest.source_count, newest.unchanged_count, newest.details, newest.known_at) == (
        3,
        2,
        {"why": "more"},
        NOON.isoformat(),
    )


def test_of_a_key_that_is_held_nothing_is_added_and_of_a_new_one_all_rows_are(lake: Lake) -> None:
    append_once(lake, TABLE, facts("a"), known_at=NOON, run_id="r", key=["name"])
    append_once(lake, TABLE, facts("a", "b", "b"), known_at=NOON, run_id="r", key=["name"])
    assert [name for name, _ in held(lake)] == ["a", "b", "b"]


def test_a_state_is_appended_when_the_newest_load_is_of_another(lake: Lake) -> None:
    def put(state: str, rows: pa.Table) -> int | None:
        return append_once(lake, TABLE, rows, known_at=NOON, run_id="r", state=("hash", state)).version

    said = [put("h1", facts("a", "b")), put("h1", facts("a", "b")), put("h2", facts("a"))]
    said += [put("h0", facts()), put("h0", facts())]  # an empty list is a state too
    said += [put("h1", facts("a"))]  # and an earlier one may come back
    assert said == [0, None, 1, 2, None, 3]
    assert [(load.landed_count, load.details["hash"]) for load in lake.loads(TABLE)] == [
        (1, "h1"),
        (0, "h0"),
        (1, "h2"),
        (2, "h1"),
    ]


def test_no_rows_are_no_load(lake: Lake) -> None:
    assert not append_once(lake, TABLE, facts(), known_at=NOON, run_id="r").is_changed
    assert not append_once(lake, TABLE, iter([facts(), facts()]), known_at=NOON, run_id="r").is_changed
    assert lake.tables() == []


def test_the_slower_of_two_is_refused(lake: Lake) -> None:
    append_once(lake, TABLE, facts("a"), known_at=NOON, run_id="r")

    def rows() -> Iterator[pa.Table]:
        append_once(lake, TABLE, facts("b"), known_at=NOON, run_id="faster")
        yield facts("c")

    with pytest.raises(StorageError, match="committed before"):
        append_once(lake, TABLE, rows(), known_at=NOON, run_id="r")
    assert [name for name, _ in held(lake)] == ["a", "b"]


def test_rows_made_from_a_load_that_is_not_the_newest_are_refused(lake: Lake) -> None:
    append_once(lake, TABLE, facts("a"), known_at=NOON, run_id="r")
    newest = lake.newest_load(TABLE)
    append_once(lake, TABLE, facts("b"), known_at=NOON, run_id="faster")
    with pytest.raises(StorageError, match="committed before"):
        append_once(lake, TABLE, facts("c"), known_at=NOON, run_id="r", after=newest)
    assert [name for name, _ in held(lake)] == ["a", "b"]


def test_load_names_sort_as_loads_were_made_even_where_the_clock_went_back() -> None:
    instants = [NOON, NOON, NOON - timedelta(days=1), NOON + timedelta(hours=1), NOON]
    names: list[str] = []
    for instant in instants:
        names.append(next_load_id(TABLE, LoadRecord(names[-1], "", 0, 0) if names else None, instant))
    assert names == sorted(names)
    assert [number_of(name) for name in names] == [1, 2, 3, 4, 5]


def test_a_clock_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        next_load_id(TABLE, None, NOON.replace(tzinfo=None))


# What homes made before December 2026 hold: the table, the names of its loads in the order they were made, the number of the last.
OLD_NAMES = [
    pytest.param(
        "salesforce__lead",
        ["salesforce__lead:000009:20260105T110000Z", "salesforce__lead:000010:20260105T120000Z"],
        10,
        id="landed",
    ),
    pytest.param(
        "settings__org",
        ["settings__org:000001:20260105T110000Z", "settings__org:000002:20260105T120000Z"],
        2,
        id="settings",
    ),
    pytest.param(
        "plans__file", ["plans-20260105T110000-00001-ffffffff", "plans-20260105T120000-00002-00000000"], 0, id="plans"
    ),
    pytest.param(
        "model__lead_score",
        ["model__lead_score-000000-ffffffffffff", "model__lead_score-000001-000000000000"],
        0,
        id="predictions",
    ),
    pytest.param(
        "erasure__log",
        ["erasure__log:20260105T110000Z:ffffffff", "erasure__log:20260105T113000Z:0a0a0a0a"],
        0,
        id="erasures",
    ),
]


@pytest.mark.parametrize(("table", "old", "number"), OLD_NAMES)
def test_a_table_with_names_of_the_older_forms_opens_and_orders_in_dbt(
    lake: Lake, table: str, old: list[str], number: int
) -> None:
    for count, load_id in enumerate(old):
        rows = stamp_rows(pa.table({"key": ["k"], "said": [f"old {count}"]}), load_id=load_id, known_from=NOON)
        once = ("salesops_load", number - len(old) + count + 1) if number else None
        lake.commit(table, rows, LoadRecord(load_id, NOON.isoformat(), 1, 1), once=once)
    names = list(old)
    for count in range(2):
        done = append_once(lake, table, pa.table({"key": ["k"], "said": [f"new {count}"]}), known_at=NOON, run_id="r")
        assert done.load_id is not None
        names.append(done.load_id)

    assert [load.load_id for load in lake.loads(table)] == names[::-1]
    assert names == sorted(names)
    assert [number_of(name) for name in names[2:]] == [number + 1, number + 2]
    macros = jinja2.Environment(autoescape=False).from_string(
        (PROJECT_ROOT / "dbt_project/macros/latest_version.sql").read_text(encoding="utf-8")
    )
    newest_first = macros.make_module().versions_newest_first('"key"')
    with duckdb.connect() as connection:
        files = connection.read_parquet(lake.local_files(table), union_by_name=True)  # noqa: F841 - the SQL reads it
        ordered = connection.sql(f"select said, row_number() over ({newest_first}) from files order by 2").fetchall()
    assert [said for said, _ in ordered] == ["new 1", "new 0", "old 1", "old 0"]
