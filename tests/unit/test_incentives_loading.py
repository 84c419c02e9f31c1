"""Plan and board files in the lake: by hash, only when they changed, and with the files in force listed last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from incentives.loading import PLAN_TABLES, load_plans_into_lake
from storage.lake import Lake
from storage.lake_writer import LoadWriter
from storage.operator_files import OperatorFileError

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
PLAN = """\
id: {id}
name: Test
effective_from: 2025-01-01
participants: [{{ roles: [a, b], teams: [x, y] }}]
components: [{{ id: c, kind: flat, percent: {percent} }}]
"""
BOARD = "id: b\nname: B\nmetric: bookings\nperiod: month\nparticipants: [{ everyone: true }]\n"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def plans(tmp_path: Path) -> Path:
    (tmp_path / "plans").mkdir()
    (tmp_path / "boards").mkdir()
    (tmp_path / "plans" / "one.yml").write_text(PLAN.format(id="one", percent=5))
    (tmp_path / "boards" / "b.yml").write_text(BOARD)
    return tmp_path / "plans"


def load(lake: Lake, plans: Path, hours: int = 0) -> dict[str, int]:
    loads = load_plans_into_lake(
        lake, plans, plans.parent / "boards", known_at=NOON + timedelta(hours=hours), run_id="run"
    )
    return {load.table: load.landed for load in loads if load.is_changed}


def files_in_force(lake: Lake) -> list[str]:
    sql = "select file_name from lake qualify dense_rank() over (order by _known_from desc, _load_id desc) = 1 order by all"
    found = lake.query("plans__file", sql)
    assert found is not None
    return found["file_name"].to_pylist()


def test_a_first_load_lands_every_row_and_a_second_nothing(lake: Lake, plans: Path) -> None:
    landed = load(lake, plans)
    # Two roles and two teams are four combinations, each its own row.
    assert landed == {
        "plans__plan": 1,
        "plans__participant": 4,
        "plans__crediting_rule": 1,
        "plans__component": 1,
        "plans__tier": 1,
        "plans__board": 1,
        "plans__board_participant": 1,
        "plans__file": 2,
    }
    before = {table: lake.newest_load(table) for table in PLAN_TABLES}
    assert load(lake, plans, hours=1) == {}
    assert {table: lake.newest_load(table) for table in PLAN_TABLES} == before


def test_only_the_changed_file_is_written_again_and_an_old_text_is_not(lake: Lake, plans: Path) -> None:
    load(lake, plans)
    (plans / "two.yml").write_text(PLAN.format(id="two", percent=5))
    assert load(lake, plans, hours=1)["plans__plan"] == 1
    (plans / "two.yml").write_text(PLAN.format(id="two", percent=6))
    rows_of_a_plan = {
        "plans__plan": 1,
        "plans__participant": 4,
        "plans__crediting_rule": 1,
        "plans__component": 1,
        "plans__tier": 1,
    }
    assert load(lake, plans, hours=2) == rows_of_a_plan | {"plans__file": 3}
    (plans / "two.yml").write_text(PLAN.format(id="two", percent=5))
    assert load(lake, plans, hours=3) == {"plans__file": 3}


def test_a_withdrawn_plan_leaves_the_list_even_when_it_was_the_last(lake: Lake, plans: Path) -> None:
    load(lake, plans)
    assert files_in_force(lake) == ["b.yml", "one.yml"]
    (plans / "one.yml").unlink()
    load(lake, plans, hours=1)
    assert files_in_force(lake) == ["b.yml"]
    (plans.parent / "boards" / "b.yml").unlink()
    load(lake, plans, hours=1)  # the same instant: the load's number decides which is newer
    assert files_in_force(lake) == [None]


def test_a_bad_file_commits_nothing(lake: Lake, plans: Path) -> None:
    (plans / "two.yml").write_text("id: two\n")
    with pytest.raises(OperatorFileError):
        load(lake, plans)
    assert lake.tables() == []


def test_a_load_that_was_killed_half_way_is_completed_by_the_next(
    lake: Lake, plans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = Lake.begin

    def fail_at_tiers(self: Lake, table: str) -> LoadWriter:
        if table == "plans__tier":
            raise RuntimeError("killed")
        return begin(self, table)

    monkeypatch.setattr(Lake, "begin", fail_at_tiers)
    with pytest.raises(RuntimeError):
        load(lake, plans)
    assert "plans__file" not in lake.tables()
    monkeypatch.undo()
    assert load(lake, plans) == {"plans__tier": 1, "plans__board": 1, "plans__board_participant": 1, "plans__file": 2}
    assert load(lake, plans) == {}


def test_every_run_reports_an_old_key_with_file_and_line(lake: Lake, plans: Path) -> None:
    tiers = "kind: marginal_tiers, scope: month, on: amount, tiers: [{ from: 0, percent: 5 }]"
    (plans / "one.yml").write_text(PLAN.format(id="one", percent=5).replace("kind: flat, percent: 5", tiers))
    for hours in (0, 1):
        loads = load_plans_into_lake(
            lake, plans, plans.parent / "boards", known_at=NOON + timedelta(hours=hours), run_id="run"
        )
        notices = {load.table: load.notice for load in loads if load.notice}
        assert list(notices) == ["plans__file"]
        assert (
            f"{plans / 'one.yml'}, line 5, components[0].on: The key on is now called basis." in notices["plans__file"]
        )
