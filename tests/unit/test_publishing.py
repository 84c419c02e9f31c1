from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from publishing.published_set import SETS_KEPT, Manifest, publish, read_current_manifest
from storage.errors import StorageError
from storage.home import Home
from storage.warehouse import open_published


def build_warehouse(home: Home, amount: int) -> None:
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("create schema if not exists marts")
        connection.execute("create or replace table marts.fct_deals as select ? as amount", [amount])
        connection.execute("create or replace view marts.kpi_month as select sum(amount) as bookings from marts.fct_deals")


def publish_run(home: Home, run_id: str, amount: int) -> Manifest:
    build_warehouse(home, amount)
    return publish(home, run_id=run_id, as_of="2026-01-05", fingerprint=run_id, lake_versions={"crm__deal": 1})


def test_marts_are_read_by_bare_name_and_by_full_name(tmp_path: Path) -> None:
    home = Home(tmp_path)
    manifest = publish_run(home, "run-1", 5)
    assert manifest.row_counts == {"fct_deals": 1, "kpi_month": 1}
    with open_published(home) as published:
        assert published.execute("select amount from fct_deals").fetchall() == [(5,)]
        assert published.execute("select bookings from marts.kpi_month").fetchall() == [(5,)]
    with duckdb.connect(str(home.published / "marts.duckdb"), read_only=True) as opened_itself:
        assert opened_itself.execute("select amount from fct_deals").fetchall() == [(5,)]
        assert opened_itself.execute("select bookings from marts.marts.kpi_month").fetchall() == [(5,)]
    assert duckdb.sql(f"select amount from '{home.published}/parquet/fct_deals.parquet'").fetchall() == [(5,)]


def test_an_attached_set_answers_under_its_schema(tmp_path: Path) -> None:
    home = Home(tmp_path)
    publish_run(home, "run-1", 5)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{home.published}/marts.duckdb' as salesops (read_only)")
        assert connection.execute("select amount from salesops.marts.fct_deals").fetchall() == [(5,)]


def test_a_reader_keeps_its_set_while_the_next_open_finds_the_new_one(tmp_path: Path) -> None:
    home = Home(tmp_path)
    publish_run(home, "run-1", 5)
    old_file = (home.published / "marts.duckdb").resolve()
    publish_run(home, "run-2", 6)
    assert duckdb.connect(str(old_file), read_only=True).execute("select amount from fct_deals").fetchall() == [(5,)]
    with open_published(home) as published:
        assert published.execute("select amount from fct_deals").fetchall() == [(6,)]


def test_the_last_sets_stay_and_older_ones_go(tmp_path: Path) -> None:
    home = Home(tmp_path)
    for number in range(SETS_KEPT + 2):
        publish_run(home, f"run-{number}", number)
    assert sorted(path.name for path in (home.published / "sets").iterdir()) == ["run-2", "run-3", "run-4"]


def test_a_failed_publication_leaves_the_set_before(tmp_path: Path) -> None:
    home = Home(tmp_path)
    publish_run(home, "run-1", 5)
    home.warehouse.unlink()
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("create schema marts")
    with pytest.raises(StorageError, match="holds no marts"):
        publish(home, run_id="run-2", as_of="2026-01-06", fingerprint="f", lake_versions={})
    current = read_current_manifest(home)
    assert current is not None and current.run_id == "run-1"
    with open_published(home) as published:
        assert published.execute("select amount from fct_deals").fetchall() == [(5,)]


def test_nothing_published_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened"):
        open_published(Home(tmp_path))
