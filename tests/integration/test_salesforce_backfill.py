"""Windows of Salesforce read again from Dagster: by a run's tags and by the job over months; what is held does not land twice, cursors stay."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from ingestion.settings import load_settings_into_lake
from orchestration.assets.salesforce import SALESFORCE_TABLES, salesforce_backfill, salesforce_tables
from orchestration.resources import SINCE_TAG, UNTIL_TAG, Platform
from simulation.company import create_company
from storage.lake import Lake
from storage.settings import PROJECT_ROOT

LEAD = "salesforce__lead"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """The lake of a tiny simulated company after one read of its CRM."""
    home: Path = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SALESOPS_HOME", str(home))
        patch.setenv("SALESOPS_SIMULATE", "true")
        patch.setenv("SALESOPS_SIMULATION_SIZE", "tiny")
        company = create_company(home / "simulation", "tiny", 7)
        lake = Lake(home / "lake")
        load_settings_into_lake(lake, PROJECT_ROOT / "config", known_at=company.now, run_id="settings")
        assert read().success
        yield lake


def read(tags: dict[str, str] | None = None) -> dg.ExecuteInProcessResult:
    """The step `salesforce` alone, on an instance of its own."""
    settings_tables = [dg.AssetSpec("settings__stage")]
    return dg.materialize([salesforce_tables, *settings_tables], resources={"platform": Platform()}, tags=tags)


def test_a_window_of_tags_is_read_again_and_lands_nothing_twice(lake: Lake) -> None:
    before, loads = lake.snapshot(), len(list(lake.loads(LEAD)))
    result = read({SINCE_TAG: "2025-06-01T00:00:00+00:00", UNTIL_TAG: "2025-07-01T00:00:00+00:00"})
    (event,) = [event for event in result.get_asset_materialization_events() if event.asset_key == dg.AssetKey(LEAD)]
    seen = event.materialization.metadata
    assert seen["landed"].value == 0
    assert int(str(seen["unchanged"].value)) > 0
    assert lake.snapshot() == before
    assert len(list(lake.loads(LEAD))) == loads


def test_a_month_that_the_lake_lost_comes_back_by_the_backfill_job(lake: Lake) -> None:
    newest = lake.newest_load(LEAD)
    rows = lake.query(
        LEAD,
        "select count(*) as n, count(*) filter (where SystemModstamp between '2025-06' and '2025-07') as june from lake",
    )
    assert newest is not None and rows is not None
    (counts,) = rows.to_pylist()
    assert 0 < counts["june"] < counts["n"]
    opened = lake.open(LEAD)
    assert opened is not None
    opened.delete("SystemModstamp >= '2025-06' and SystemModstamp < '2025-07'")

    result = salesforce_backfill.execute_in_process(partition_key="2025-06-01", resources={"platform": Platform()})

    assert result.success
    again = lake.query(LEAD, "select count(*) as n from lake")
    assert again is not None
    assert again.to_pylist() == [{"n": counts["n"]}]
    load = lake.newest_load(LEAD)
    assert load is not None
    assert (load.landed_count, load.cursor) == (counts["june"], newest.cursor)
    assert load.window == ("2025-06-01T00:00:00.000Z", "2025-07-01T00:00:00.000Z")
    shown = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}
    assert shown == set(SALESFORCE_TABLES)
