"""`salesops doctor` on what runs left: each damage is named, and `--repair` leaves a home that the next run makes whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ingestion.sources.settings import load_settings
from publishing.published_set import read_manifests
from storage.errors import SalesopsError
from storage.home import Home
from tests.command_line import list_tree
from tests.integration.test_leftovers import leave_lock_file
from tests.published_sample import publish_run
from tests.unit.test_storage_locks import next_line, start
from warehouse.manifest import manifest_path

Damage = Callable[[Home], None]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home after a run, as far as these checks look."""
    monkeypatch.setenv("SALESOPS_HOME", str(tmp_path / "home"))
    for name in ("DAGSTER_HOME", "SALESOPS_EVENT_LOG"):
        monkeypatch.setenv(name, "")  # so that a repair's are taken back
    found = Home(tmp_path / "home")
    publish_run(found)
    found.dbt.mkdir()
    manifest_path(found).write_text('{"nodes": {}}')
    for path in (found.lake_snapshot, found.run_context, found.build_record):
        path.write_text("{}\n")
    return found


def examine() -> dict[str, str]:
    """What is wrong, by title."""
    from cli.doctor_files import list_file_checks

    wrong = {}
    for check in list_file_checks(load_settings()):
        try:
            check.find()
        except SalesopsError as error:
            wrong[check.title] = str(error)
    return wrong


def repair(title: str) -> str:
    from cli.doctor_files import list_file_checks

    (mend,) = [check.repair for check in list_file_checks(load_settings()) if check.title == title]
    assert mend is not None
    return mend()


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


DAMAGES: dict[str, tuple[str, Damage]] = {
    "killed run": ("runs that died", lambda home: leave_lock_file(home, "0b7c3a52-0000-4000-8000-000000000000")),
    "truncated dbt manifest": ("parsed dbt project", lambda home: half(manifest_path(home))),
    "truncated snapshot": ("picture of the lake", lambda home: home.lake_snapshot.write_text('{"table_name": "x"')),
    "empty context": ("picture of the lake", lambda home: home.run_context.write_text("{")),
    "truncated warehouse": ("warehouse", lambda home: half(home.warehouse)),
    "warehouse with a log": (
        "warehouse",
        lambda home: home.warehouse.with_name("warehouse.duckdb.wal").write_bytes(b"x"),
    ),
    "truncated published manifest": ("published manifest", lambda home: half(home.published / "current/manifest.json")),
    "truncated published file": ("published files", lambda home: half(home.published / "current/salesops.duckdb")),
    "published file gone": (
        "published files",
        lambda home: (home.published / "current/parquet/dim_accounts.parquet").unlink(),
    ),
}


def test_a_whole_home_is_fine_and_left_as_it_was(home: Home) -> None:
    before = list_tree(home.root)
    assert examine() == {}
    assert list_tree(home.root) == before


@pytest.mark.parametrize(("title", "damage"), DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damage_is_named_without_a_change_and_mended_on_request(home: Home, title: str, damage: Damage) -> None:
    damage(home)
    before = list_tree(home.root)
    wrong = examine()
    assert list(wrong) == [title]
    assert str(home.root) in wrong[title] and "next `salesops run`" in wrong[title]
    assert list_tree(home.root) == before
    if title != "published manifest":  # only a run can make that anew
        repair(title)
        assert examine() == {}
    if title == "published files":  # vacuum still knows which lake files the set needs, and the next run publishes anew
        (manifest,) = read_manifests(home)
        assert manifest.lake_versions and not manifest.fingerprint


def test_an_interrupted_run_is_not_one_that_died(home: Home) -> None:
    leave_lock_file(home, "interrupted")
    (home.locks / "runs" / "interrupted").write_text("ended")
    assert examine() == {}


def test_a_set_of_an_earlier_version_is_fine(home: Home) -> None:
    current = home.published / "current"
    (current / "salesops.duckdb").rename(current.resolve() / "marts.duckdb")
    assert examine() == {}


def test_nothing_is_mended_while_a_run_is_at_work(home: Home) -> None:
    half(home.warehouse)
    with start(home.root, "run") as running:
        assert next_line(running) == "holds"
        with pytest.raises(SalesopsError, match="Another run is at work"):
            repair("warehouse")
        running.kill()
    assert home.warehouse.exists()
