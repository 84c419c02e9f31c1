from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from benchmarks.kill_check import find_broken_loads, find_differences
from benchmarks.kills import KillLoop
from ingestion.landing import Delivery, land
from ingestion.sources.salesforce.objects import find_object
from storage.lake import Lake, LoadRecord, stamp_rows
from tests.conftest import minutes_long

KILLS = 8
SEED = 41
TABLE = "salesforce__product2"
STAMP = "SystemModstamp"
SOURCE: list[dict[str, str | None]] = [
    {
        "Id": f"01t00000000000{number}",
        "Name": f"Product {number}",
        "CreatedDate": "2026-01-01T00:00:00.000Z",
        STAMP: "2026-01-02T00:00:00.000Z",
    }
    for number in range(4)
]
BAD: dict[str, str | None] = {
    "Id": "too short",
    "Name": "Product 9",
    "CreatedDate": "2026-01-01T00:00:00.000Z",
    STAMP: "2026-01-02T00:00:00.000Z",
}


@minutes_long
def test_a_killed_run_costs_no_row_and_doubles_none(tmp_path: Path) -> None:
    outcome = KillLoop(tmp_path, SEED, records=1200).run(KILLS)

    assert outcome.differences == []
    assert outcome.kills == KILLS
    assert len(outcome.phases) >= 3, f"kills fell in {dict(outcome.phases)} only"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path)
    now, rows = datetime(2026, 1, 3, tzinfo=UTC), [*SOURCE, BAD]
    window = (None, now.isoformat())
    delivery = Delivery(pa.Table.from_pylist(rows), len(rows), cursor="2026-01-03", window=window)
    land(lake, find_object("Product2").lake_table, delivery, known_at=now, run_id="r")
    return lake


def differences(lake: Lake, source: list[dict[str, str | None]], bad: set[str]) -> list[str]:
    return find_differences(lake, TABLE, source, key=["Id"], stamp=STAMP, bad=bad)


def test_the_loop_sees_nothing_wrong_where_nothing_is(lake: Lake) -> None:
    assert differences(lake, [*SOURCE, BAD], {"too short"}) == []
    assert find_broken_loads(lake) == []


@pytest.mark.parametrize(
    ("source", "bad", "seen"),
    [
        pytest.param(
            [*SOURCE, BAD, {**SOURCE[0], "Id": "01t000000000008"}],
            {"too short"},
            "1 records are missing",
            id="a row is lost",
        ),
        pytest.param([*SOURCE[1:], BAD], {"too short"}, "1 records are not in the source", id="a row is invented"),
        pytest.param(
            [{**SOURCE[0], "Name": None}, *SOURCE[1:], BAD],
            {"too short"},
            "1 records differ in Name",
            id="a value is another",
        ),
        pytest.param(
            [{**SOURCE[0], "Colour__c": "red"}, *SOURCE[1:], BAD],
            {"too short"},
            "1 records differ in Colour__c",
            id="a column is lost",
        ),
        pytest.param([*SOURCE, BAD], set(), "differ in (set aside or not)", id="a good row is set aside"),
        pytest.param(
            [{**SOURCE[0], "IsDeleted": "true"}, *SOURCE[1:], BAD],
            {"too short"},
            "1 records differ in IsDeleted",
            id="a gone row lives",
        ),
    ],
)
def test_the_loop_sees(lake: Lake, source: list[dict[str, str | None]], bad: set[str], seen: str) -> None:
    assert seen in " ".join(differences(lake, source, bad))


def is_half_there(newest: LoadRecord) -> LoadRecord:
    return replace(
        newest, load_id=f"{TABLE}:20260103T000000Z:000002", landed_count=3, source_count=3, set_aside_count=0
    )


def goes_back(newest: LoadRecord) -> LoadRecord:
    return replace(
        newest,
        load_id=f"{TABLE}:20260103T000000Z:000002",
        landed_count=2,
        source_count=2,
        set_aside_count=0,
        cursor="2026-01-02",
    )


def comes_again(newest: LoadRecord) -> LoadRecord:
    return replace(newest, landed_count=2, source_count=2, set_aside_count=0)


@pytest.mark.parametrize(
    ("spoil", "seen"),
    [
        (is_half_there, "rows by load are"),
        (goes_back, "the cursor went back"),
        (comes_again, "a load was committed twice"),
    ],
)
def test_the_loop_sees_of_loads(lake: Lake, spoil: Callable[[LoadRecord], LoadRecord], seen: str) -> None:
    newest = lake.newest_load(TABLE)
    assert newest is not None
    record = spoil(newest)
    rows = stamp_rows(
        pa.Table.from_pylist(SOURCE[:2]), load_id=record.load_id, known_from=datetime(2026, 1, 3, tzinfo=UTC)
    )
    lake.commit(TABLE, rows, record)

    assert seen in " ".join(find_broken_loads(lake))
    assert "2 versions lie there twice" in " ".join(differences(lake, [*SOURCE, BAD], {"too short"}))
