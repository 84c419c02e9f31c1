"""What the loop that disturbs runs sees, and what it does not take for a fault."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from benchmarks.disturbances import START, Course, leftovers
from benchmarks.idle_ticks import Tick, compare_ends
from benchmarks.published_readers import MARTS, PUBLISHED_FILE, MixedSets, read_duckdb, read_parquet
from benchmarks.twins import find_differing_marts

FIGURES = {
    "fct_pipeline_daily": "select date '2025-09-02' as date_day, 5.0::double as share",
    "fct_leads": "select true as is_counted, 'salesforce__lead:000001:a' as load_id",
    "fct_activities": "select true as is_counted, 'call' as activity_type, 'outbound' as direction",
    "fct_opportunities": "select true as is_counted, true as is_won, 10.50::decimal(28,2) as amount_reporting",
    "kpi_company_period": "select 'month' as period_grain, 1::bigint as leads_generated, 10.50::decimal(28,2) as bookings",
    "kpi_rep_period": "select 'month' as period_grain, 1::bigint as calls_placed",
}


def publish(published: Path, run_id: str, **figures: str) -> Path:
    """A small set with the marts that readers look at, and the link to it; returns its folder."""
    folder = published / "sets" / run_id
    (folder / "parquet").mkdir(parents=True)
    with duckdb.connect(str(folder / PUBLISHED_FILE)) as connection:
        connection.execute("create schema marts")
        for mart in MARTS:
            connection.execute(f"create table marts.{mart} as {figures.get(mart, FIGURES[mart])}")
            connection.execute(f"copy marts.{mart} to '{folder}/parquet/{mart}.parquet' (format parquet)")
    manifest = {"run_id": run_id, "as_of": "2025-09-02 11:00:00", "row_counts": dict.fromkeys(MARTS, 1)}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (published / "current").unlink(missing_ok=True)
    (published / "current").symlink_to(folder)
    (published / PUBLISHED_FILE).unlink(missing_ok=True)
    (published / PUBLISHED_FILE).symlink_to(Path("current") / PUBLISHED_FILE)
    return folder


@pytest.mark.parametrize("read", [read_duckdb, read_parquet])
@pytest.mark.parametrize("round_number", [0, 1])
def test_a_reader_finds_a_whole_set_right(
    tmp_path: Path, read: Callable[[Path, str, int], str], round_number: int
) -> None:
    publish(tmp_path, "one")

    assert read(tmp_path, PUBLISHED_FILE, round_number) == "one"


SPOILT = [
    pytest.param(
        "fct_leads", "select * from (values (true), (true)) as leads(is_counted)", "fct_leads has 2 rows", id="count"
    ),
    pytest.param("fct_leads", "select false as is_counted", "leads", id="leads"),
    pytest.param("fct_pipeline_daily", "select date '2025-09-01' as date_day", "the last day", id="day"),
    pytest.param(
        "fct_activities",
        "select true as is_counted, 'email' as activity_type, 'outbound' as direction",
        "calls",
        id="calls",
    ),
    pytest.param(
        "fct_opportunities",
        "select true as is_counted, true as is_won, 10.49::decimal(28,2) as amount_reporting",
        "bookings",
        id="bookings",
    ),
]


@pytest.mark.parametrize("read", [read_duckdb, read_parquet])
@pytest.mark.parametrize(("mart", "figures", "seen"), SPOILT)
def test_a_reader_sees_a_mart_of_another_set(
    tmp_path: Path, read: Callable[[Path, str, int], str], mart: str, figures: str, seen: str
) -> None:
    publish(tmp_path, "one", **{mart: figures})

    with pytest.raises(MixedSets, match=seen):
        read(tmp_path, PUBLISHED_FILE, 0)


def test_a_reader_sees_the_manifest_of_another_set(tmp_path: Path) -> None:
    folder = publish(tmp_path, "one")
    other = publish(tmp_path, "two")
    (other / "manifest.json").write_bytes((folder / "manifest.json").read_bytes())

    with pytest.raises(MixedSets, match="holds the manifest of run one"):
        read_duckdb(tmp_path, PUBLISHED_FILE, 0)


@pytest.mark.parametrize(
    ("mart", "figures", "seen"),
    [
        pytest.param(
            "fct_leads", FIGURES["fct_leads"].replace("000001:a", "000002:b"), None, id="a load by another name"
        ),
        pytest.param(
            "fct_pipeline_daily",
            FIGURES["fct_pipeline_daily"].replace("5.0", "5.0000000001"),
            None,
            id="a float within the tolerance",
        ),
        pytest.param(
            "fct_pipeline_daily",
            FIGURES["fct_pipeline_daily"].replace("5.0", "5.001"),
            "'share': (5.0, 5.001)",
            id="another float",
        ),
        pytest.param(
            "fct_leads", "select false as is_counted, '' as load_id", "'is_counted': (True, False)", id="another value"
        ),
        pytest.param(
            "fct_leads",
            "select * from (values (true, ''), (true, '')) as leads(is_counted, load_id)",
            "0 rows only on the left, 1",
            id="twice",
        ),
        pytest.param(
            "fct_leads",
            "select true as is_counted, '' as load_id, 1 as more",
            "the columns differ",
            id="another column",
        ),
    ],
)
def test_a_twin_differs_only_in_what_may_differ(tmp_path: Path, mart: str, figures: str, seen: str | None) -> None:
    found = find_differing_marts(publish(tmp_path / "l", "one"), publish(tmp_path / "r", "two", **{mart: figures}))

    # Once in the DuckDB file and once in Parquet.
    assert len(found) == (0 if seen is None else 2)
    assert all(seen is None or seen in each for each in found)


def test_temporary_files_are_seen(tmp_path: Path) -> None:
    for name in ("published/sets/a.partial/x", "lake/.manifest.json.12.tmp", "locks/home", "warehouse.duckdb"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    assert leftovers(tmp_path) == ["lake/.manifest.json.12.tmp", "published/sets/a.partial"]


def test_an_instant_falls_in_the_step_that_was_asked_for() -> None:
    course = Course(((START, 0.0), ("dbt_marts", 5.0), ("published_set", 15.0)), 16.0)

    drawn = [course.draw(random.Random(seed), by_step=True) for seed in range(200)]
    assert {instant.step for instant in drawn} == {START, "dbt_marts", "published_set"}
    assert max(instant.seconds for instant in drawn if instant.step == "published_set") < 1.0
    assert course.draw(random.Random(1), "dbt_marts").seconds < 10.0
    with pytest.raises(ValueError, match="no step dbt_after_models"):
        course.draw(random.Random(1), "dbt_after_models")


FLAT = [Tick(2.0, 100.0)] * 100


@pytest.mark.parametrize(
    ("ticks", "seen"),
    [
        pytest.param(FLAT, [], id="flat"),
        pytest.param(
            [Tick(2.0, 100 + 1.2 * number) for number in range(100)], ["the home grew"], id="a home that grows"
        ),
        pytest.param(
            [Tick(2.0 + number / 50, 100.0) for number in range(100)], ["a tick took"], id="ticks that take longer"
        ),
        pytest.param([Tick(9.0, 10.0)] * 20 + FLAT[:80], [], id="a slow start"),
    ],
)
def test_idle_ticks_must_stay_flat(ticks: list[Tick], seen: list[str]) -> None:
    _, faults = compare_ends(ticks, warm_up=20)

    assert len(faults) == len(seen) and all(part in fault for part, fault in zip(seen, faults, strict=True))
