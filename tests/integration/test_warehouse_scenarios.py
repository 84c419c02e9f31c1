"""dbt builds in one process, into the warehouse and into scenarios, on the records of the tiny simulated company."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from simulation.company import create_company
from storage.home import Home
from storage.warehouse import is_whole
from tests.dbt_sample import fill_lake
from tests.unit.test_storage_locks import next_line
from warehouse.dbt_build import build
from warehouse.errors import WarehouseBuildError, WarehouseTaken
from warehouse.scenarios import build_scenario

SELECT = "+dim_reps"
BUILD = ["build", "--exclude-resource-type", "unit_test", "--indirect-selection", "cautious", "--select", SELECT]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, parsed_dbt: Path) -> Home:
    """A home whose lake is filled and whose warehouse holds a part of the models."""
    home = Home(tmp_path_factory.mktemp("home"))
    shutil.copytree(parsed_dbt, home.dbt)
    fill_lake(create_company(tmp_path_factory.mktemp("company"), "tiny", 7), home)
    assert [event["info"]["name"] for event in build(home, BUILD)].count("LogModelResult") > 3
    return home


def rows(file: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_scenario_holds_the_same_rows_and_leaves_the_warehouse_as_it_was(home: Home) -> None:
    before, environment = digest(home.warehouse), dict(os.environ)
    file = build_scenario(home, "what_if", [SELECT])
    assert file == home.root / "simulations" / "what_if.duckdb" and is_whole(file)
    assert digest(home.warehouse) == before
    assert dict(os.environ) == environment
    query = "from marts.dim_reps order by rep_id"
    assert rows(file, query) == rows(home.warehouse, query) != []
    # A view names the file that it reads in; opened on its own it answers.
    views = rows(file, "select schema_name, view_name from duckdb_views() where not internal order by all")
    assert views and views == rows(
        home.warehouse, "select schema_name, view_name from duckdb_views() where not internal order by all"
    )
    for schema, view in views:
        assert rows(file, f"select count(*) from {schema}.{view}")
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_the_warehouse_can_be_built_after_a_scenario_and_while_one_waits(home: Home) -> None:
    """dbt's variables and its one connection belong to the process: the second call waits for the first."""
    (home.root / "simulations" / "other.duckdb").unlink(missing_ok=True)
    running = build(home, BUILD)
    first = next(running)
    file = build_scenario(home, "other", [SELECT])
    assert [first, *running]
    query = "select count(*) from marts.dim_reps"
    assert rows(file, query) == rows(home.warehouse, query)


def test_a_scenario_that_fails_keeps_the_one_built_before(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    file = build_scenario(home, "kept", [SELECT])
    before, snapshot = digest(file), home.lake_snapshot.read_text()
    killed = file.with_name("dead.partial")
    killed.mkdir()
    try:
        home.lake_snapshot.write_text("no picture\n")
        with pytest.raises(WarehouseBuildError, match="The scenario 'kept' could not be built") as failure:
            build_scenario(home, "kept", [SELECT])
    finally:
        home.lake_snapshot.write_text(snapshot)
    assert "scenarios/kept/compiled" in failure.value.fix
    with pytest.raises(WarehouseBuildError, match="selects no model"):
        build_scenario(home, "kept", ["no_such_model"])
    assert digest(file) == before
    assert not list(file.parent.glob("*.partial"))


def test_a_test_that_fails_names_the_rows_it_found(home: Home) -> None:
    with duckdb.connect(str(home.warehouse)) as connection:
        (rep_id,) = connection.execute("select min(rep_id) from marts.dim_reps").fetchone() or ("",)
        connection.execute("insert into marts.dim_reps select * from marts.dim_reps where rep_id = ?", [rep_id])
    try:
        with pytest.raises(WarehouseBuildError) as failure:
            list(build(home, ["test", "--select", "dim_reps", "--indirect-selection", "cautious"]))
    finally:
        list(build(home, BUILD))
    assert f"(rep_id {rep_id}, row_count 2)" in str(failure.value)


@pytest.mark.parametrize("name", ["", "../x", "What", "a-b", "main", "temp", "core", "marts"])
def test_a_name_that_would_not_open_as_itself_is_refused(home: Home, name: str) -> None:
    with pytest.raises(WarehouseBuildError, match="cannot be named"):
        build_scenario(home, name, [SELECT])


def test_without_a_picture_of_the_lake_there_is_no_scenario(tmp_path: Path) -> None:
    with pytest.raises(WarehouseBuildError, match="No run has looked at the lake yet"):
        build_scenario(Home(tmp_path), "what_if", [SELECT])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", ["read_only=False", "read_only=True"])
def test_a_build_names_the_program_that_has_the_warehouse_open(home: Home, mode: str) -> None:
    code = f"import duckdb, sys, time; held = duckdb.connect(sys.argv[1], {mode}); print('open', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(home.warehouse)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert next_line(other) == "open"
        with pytest.raises(WarehouseTaken, match=r"Another program has the warehouse open: .*PID"):
            list(build(home, BUILD))
        other.kill()
