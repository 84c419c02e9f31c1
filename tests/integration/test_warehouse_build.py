"""What a killed build or parse leaves is found out and made anew."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from publishing.published_set import read_lake_versions
from storage.errors import StorageError
from storage.home import Home
from storage.lake import LakeSnapshot
from tests.published_sample import publish_run
from tests.unit.test_storage_locks import next_line
from warehouse import dbt_build
from warehouse.build_plan import BuildPlan, RecordedPlan, is_published, record_plan, record_step, require_whole_build, versions_in_use
from warehouse.dbt_build import WarehouseBuildError, manifest_path, prepare_manifest, prepare_warehouse


@pytest.mark.parametrize("content", [b"", b'{"nodes": {', b"[]", b"\x00" * 64], ids=["empty", "truncated", "another thing", "zeros"])
def test_a_damaged_manifest_is_parsed_anew_with_a_notice(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    home = Home(tmp_path)
    home.dbt.mkdir()
    path = manifest_path(home)
    path.write_bytes(content)
    monkeypatch.setattr(dbt_build, "_parse", lambda home: path.write_text('{"nodes": {}}'))
    assert prepare_manifest(home) == path
    assert path.read_text() == '{"nodes": {}}'
    assert "parsed anew" in caplog.text


def test_the_manifest_of_another_state_of_the_project_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path)
    home.dbt.mkdir()
    path = manifest_path(home)
    path.write_text('{"nodes": {}}')
    monkeypatch.setattr(dbt_build, "hash_dbt_project", lambda: "f" * 64)
    assert manifest_path(home) != path


def test_a_half_written_warehouse_is_removed_and_a_whole_one_stays(tmp_path: Path) -> None:
    home = Home(tmp_path)
    prepare_warehouse(home)
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("create table t as select 1")
    prepare_warehouse(home)
    assert home.warehouse.exists()
    home.warehouse.write_bytes(home.warehouse.read_bytes()[:5000])
    prepare_warehouse(home)
    assert not home.warehouse.exists()


def test_a_warehouse_with_a_log_to_replay_is_removed_with_it(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("create table t as select 1")
    log = home.warehouse.with_name("warehouse.duckdb.wal")
    log.write_bytes(b"half a log")
    prepare_warehouse(home)
    assert not home.warehouse.exists() and not log.exists()


def test_a_warehouse_that_another_program_has_open_is_named_and_kept(tmp_path: Path) -> None:
    home = Home(tmp_path)
    code = "import duckdb, sys, time; held = duckdb.connect(sys.argv[1]); print('open', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, str(home.warehouse)], stdout=subprocess.PIPE, text=True) as other:
        assert next_line(other) == "open"
        with pytest.raises(WarehouseBuildError, match="Another program has the warehouse open"):
            prepare_warehouse(home)
        other.kill()
    assert home.warehouse.exists()


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
