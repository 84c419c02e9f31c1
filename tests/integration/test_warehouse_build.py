"""What a killed build or parse leaves is found out and made anew; what no model makes goes; what the code decides is a reason to build."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from publishing.published_set import read_lake_versions
from storage.errors import StorageError
from storage.home import Home
from storage.lake import Lake, LakeSnapshot
from tests.published_sample import publish_run
from tests.unit.test_storage_locks import next_line
from warehouse import build_plan, manifest
from warehouse.build_plan import (
    BuildPlan,
    RecordedPlan,
    is_published,
    plan_build,
    record_plan,
    record_step,
    require_whole_build,
    versions_in_use,
)
from warehouse.errors import WarehouseTaken
from warehouse.manifest import drop_old_manifests, manifest_path, prepare_manifest
from warehouse.upkeep import drop_stale_relations, remove_broken_warehouse


@pytest.mark.parametrize(
    "content", [b"", b'{"nodes": {', b"[]", b"\x00" * 64], ids=["empty", "truncated", "another thing", "zeros"]
)
def test_a_damaged_manifest_is_parsed_anew_with_a_notice(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    home = Home(tmp_path)
    home.dbt.mkdir()
    path = manifest_path(home)
    path.write_bytes(content)
    monkeypatch.setattr(manifest, "_parse", lambda home: path.write_text('{"nodes": {}}'))
    assert prepare_manifest(home) == path
    assert path.read_text() == '{"nodes": {}}'
    assert "parsed anew" in caplog.text


def test_the_manifest_of_another_state_of_the_project_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    home.dbt.mkdir()
    path = manifest_path(home)
    path.write_text('{"nodes": {}}')
    monkeypatch.setattr(manifest, "hash_dbt_project", lambda: "f" * 64)
    assert manifest_path(home) != path


def test_a_half_written_warehouse_is_removed_and_a_whole_one_stays(tmp_path: Path) -> None:
    home = Home(tmp_path)
    remove_broken_warehouse(home)
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("create table t as select 1")
    remove_broken_warehouse(home)
    assert home.warehouse.exists()
    home.warehouse.write_bytes(home.warehouse.read_bytes()[:5000])
    remove_broken_warehouse(home)
    assert not home.warehouse.exists()


def test_a_warehouse_with_a_log_to_replay_is_removed_with_it(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("create table t as select 1")
    log = home.warehouse.with_name("warehouse.duckdb.wal")
    log.write_bytes(b"half a log")
    remove_broken_warehouse(home)
    assert not home.warehouse.exists() and not log.exists()


def test_a_warehouse_that_another_program_has_open_is_kept(tmp_path: Path) -> None:
    home = Home(tmp_path)
    code = "import duckdb, sys, time; held = duckdb.connect(sys.argv[1]); print('open', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(home.warehouse)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert next_line(other) == "open"
        remove_broken_warehouse(home)
        assert home.warehouse.exists()
        with pytest.raises(WarehouseTaken, match="Another program has the warehouse open"):
            drop_stale_relations(home.warehouse, {})
        other.kill()
    assert home.warehouse.exists()


def node(schema: str, alias: str, kind: str = "model") -> dict[str, str]:
    return {"schema": schema, "alias": alias, "resource_type": kind}


def test_what_no_model_makes_goes_and_the_rest_stays(tmp_path: Path) -> None:
    file = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(file)) as connection:
        for schema in ("core", "intermediate", "marts", "Odd schema"):
            connection.execute(f'create schema "{schema}"')
        for table in (
            "core.kept",
            "core.dropped",
            "intermediate.kept",
            "marts.kept",
            "marts.kept__dbt_tmp",
            '"Odd schema"."Odd table"',
            "a_test",
        ):
            connection.execute(f"create table {table} as select 1 as one")
        connection.execute("create view core.view_kept as from core.kept")
        connection.execute("create view core.view_dropped as from core.dropped")
        connection.execute("create view intermediate.v as from core.view_dropped")
    made = [
        node("core", "kept"),
        node("core", "view_kept"),
        node("marts", "kept"),
        node("marts", "not_built_yet"),
        node("main", "a_test", "test"),
    ]
    nodes = {str(number): made for number, made in enumerate(made)}
    dropped = drop_stale_relations(file, nodes)
    assert dropped == [
        *(
            "Odd schema.Odd table",
            "core.dropped",
            "core.view_dropped",
            "intermediate.kept",
            "intermediate.v",
            "main.a_test",
            "marts.kept__dbt_tmp",
        )
    ]
    assert drop_stale_relations(file, nodes) == []
    with duckdb.connect(str(file), read_only=True) as connection:
        left = connection.execute(
            "select schema_name from duckdb_schemas() where database_name = 'warehouse' and not internal order by all"
        ).fetchall()
        assert left == [("core",), ("marts",)]
        assert connection.execute("select * from core.view_kept, core.kept, marts.kept").fetchall() == [(1, 1, 1)]


def test_old_manifests_and_parses_go_after_a_day(tmp_path: Path) -> None:
    home, now = Home(tmp_path), datetime.now(UTC)
    home.dbt.mkdir()
    left = [home.dbt / "manifest-old.json", home.dbt / f"parse-{os.getpid()}-x"]
    dead = home.dbt / "parse-999999999-x"
    for path in (manifest_path(home), left[0]):
        path.write_text("{}")
    for path in (left[1], dead):
        path.mkdir()
    drop_old_manifests(home, now)
    assert all(path.exists() for path in left) and not dead.exists()
    drop_old_manifests(home, now + timedelta(days=1, minutes=1))
    assert [path.name for path in home.dbt.iterdir()] == [manifest_path(home).name]


@pytest.mark.parametrize(
    ("file", "counts"),
    [
        *(
            (f"{package}/part/module.py", True)
            for package in ("models_ml", "orchestration", "publishing", "storage", "warehouse")
        ),
        *((f"dbt_project/{name}", True) for name in ("models/core/fct.sql", "metrics.yml")),
        *((f"{package}/module.py", False) for package in ("cli", "ingestion", "incentives", "simulation", "tests")),
        ("dbt_project/target/compiled/fct.sql", False),
        ("warehouse/notes.txt", False),
    ],
)
def test_a_change_of_what_decides_the_figures_is_a_reason_to_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, counts: bool
) -> None:
    monkeypatch.setattr(build_plan, "PROJECT_ROOT", tmp_path / "project")
    lake, as_of = Lake(tmp_path / "lake"), datetime(2026, 1, 5, tzinfo=UTC)
    before = plan_build(lake, as_of).fingerprint
    path = tmp_path / "project" / file
    path.parent.mkdir(parents=True)
    path.write_text("changed")
    assert (plan_build(lake, as_of).fingerprint != before) is counts


def make_plan(fingerprint: str) -> BuildPlan:
    return BuildPlan(LakeSnapshot(()), datetime(2026, 1, 5, tzinfo=UTC), date(2026, 1, 5), fingerprint)


class NoLake:
    """A lake of no tables."""

    def fetch(self, snapshot: object) -> object:
        return snapshot


def test_only_a_warehouse_built_whole_from_the_recorded_plan_is_published(tmp_path: Path) -> None:
    home = Home(tmp_path)
    plan, recorded = make_plan("print"), RecordedPlan("run-1", "2026-01-05", "print", {})
    with pytest.raises(StorageError, match="not built whole"):
        require_whole_build(home, recorded)
    record_plan(home, NoLake(), plan, "run-1")  # type: ignore[arg-type]  # all that it asks of a lake
    record_step(home, "dbt_marts")
    with pytest.raises(StorageError, match="not built whole"):
        require_whole_build(home, recorded)
    record_step(home, "dbt_after_models")
    require_whole_build(home, recorded)
    publish_run(home, "print")
    assert is_published(home, plan, published="print")
    assert not is_published(home, plan, published=None)
    record_plan(home, NoLake(), plan, "run-2")  # type: ignore[arg-type]
    with pytest.raises(StorageError, match="not built whole"):
        require_whole_build(home, recorded)
    assert not is_published(home, plan, published="print")  # a rebuild that was killed: the next run builds


@pytest.mark.parametrize("content", ["", "{", "[1]"])
def test_a_damaged_build_record_or_context_means_building_anew(tmp_path: Path, content: str) -> None:
    home = Home(tmp_path)
    record_plan(home, NoLake(), make_plan("print"), "run-1")  # type: ignore[arg-type]
    for path in (home.build_record, home.run_context):
        path.write_text(content)
    assert not is_published(home, make_plan("print"), published="print")
    assert versions_in_use(home, read_lake_versions) == {}
