"""The dbt steps in Dagster, without dbt: what follows a build."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration.assets import warehouse
from orchestration.resources import ONLY_FROM_LAKE_TAG, Platform
from storage.home import Home
from tests.integration.test_warehouse_build import NoLake, make_plan
from warehouse.build_plan import record_plan, record_step


def list_tables(home: Home) -> list[str]:
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        found = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables order by 1"
        ).fetchall()
    return [name for (name,) in found]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home whose build began, and whose warehouse holds a model's table and one of an earlier layout."""
    home = Home(tmp_path / "home")
    monkeypatch.setenv("SALESOPS_HOME", str(home.root))
    monkeypatch.setattr(warehouse, "build", lambda home, arguments: iter(()))
    record_plan(home, NoLake(), make_plan("print"), "run-1")  # type: ignore[arg-type]  # all that it asks of a lake
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("create schema marts; create table marts.dim_reps (rep_id text)")
        connection.execute("create schema intermediate; create table intermediate.int_calls (call_id text)")
    return home


@pytest.fixture
def steps(parsed_dbt: Path) -> Iterator[list[dg.AssetsDefinition]]:
    (manifest,) = parsed_dbt.glob("manifest-*.json")
    yield warehouse.make_warehouse_assets(manifest)


@pytest.mark.parametrize("is_whole", [True, False])
def test_tables_of_an_earlier_layout_go_only_after_a_whole_build(
    home: Home, steps: list[dg.AssetsDefinition], is_whole: bool
) -> None:
    record_step(home, "dbt_marts", is_whole=is_whole)
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize(
            steps,
            selection=dg.AssetSelection.assets(*steps[1].keys),
            resources={"platform": Platform()},
            instance=instance,
            tags={ONLY_FROM_LAKE_TAG: "true"},
        )
    assert done.success
    assert list_tables(home) == (["marts.dim_reps"] if is_whole else ["intermediate.int_calls", "marts.dim_reps"])
