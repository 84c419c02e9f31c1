"""Every model builds on Spark, from the lake of a finished run. `.ci/run` calls this, `make test` does not: it takes minutes and needs Java."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from ingestion.landing import Delivery, land
from ingestion.sources.feeds.catalogue import FEEDS
from ingestion.withdrawal import withdraw_load, withdraw_record
from storage.home import Home
from storage.lake import Lake
from tests.dbt_sample import Warehouse
from tests.e2e.conftest import FinishedRun
from tests.needed_programs import require_program

pytestmark = [pytest.mark.spark, pytest.mark.timeout(1500)]

# Views hold no files; their rows are counted in the tables that read them.
COUNTED = "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE' order by all"


@pytest.fixture(scope="module")
def spark_tables(simulated: FinishedRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tables that dbt built on Spark from the lake of the finished run."""
    require_program("java", package="openjdk-17-jre-headless")
    folder = tmp_path_factory.mktemp("spark")
    settings = {"SALESOPS_ENGINE": "spark", "SALESOPS_SPARK_FOLDER": str(folder)}
    done = Warehouse(Home(simulated.home), folder / "target").dbt("run", timeout=1200, **settings)
    results = json.loads((folder / "target/run_results.json").read_text())["results"]
    failed = {
        result["unique_id"].split(".")[-1]: result["message"] for result in results if result["status"] != "success"
    }
    assert not failed and done.returncode == 0, failed or done.stdout[-5000:]
    return folder / "warehouse"


def test_every_table_has_as_many_rows_as_on_duckdb(simulated: FinishedRun, spark_tables: Path) -> None:
    with duckdb.connect(str(Home(simulated.home).warehouse), read_only=True) as connection:
        tables = connection.execute(COUNTED).fetchall()
        expected = {
            f"{schema}.{name}": connection.execute(f"select count(*) from {schema}.{name}").fetchone()
            for schema, name in tables
        }
    found = {}
    for table in expected:
        schema, name = table.split(".")
        files = [str(file) for file in (spark_tables / f"{schema}.db" / name).glob("*.parquet")]
        found[table] = (
            duckdb.execute("select count(*) from read_parquet($files)", {"files": files}).fetchone() if files else (0,)
        )
    assert len(expected) > 50
    assert found == expected


def test_withdrawn_rows_are_left_out_on_both_engines(copy_of_simulated: FinishedRun, tmp_path: Path) -> None:
    require_program("java", package="openjdk-17-jre-headless")
    home = Home(copy_of_simulated.home)
    lake, feed, at = (
        Lake(home.lake),
        next(each for each in FEEDS if each.name == "payments"),
        datetime(2027, 1, 1, tzinfo=UTC),
    )
    before = lake.query(
        feed.table, "select * exclude (_load_id, _known_from, _known_time_basis, _broken_rules) from lake"
    )
    assert before
    junk = before.slice(0, 1).set_column(0, "payment_id", pa.array(["junk"]))
    load = land(lake, feed.lake_table, Delivery(junk, 1), known_at=at, run_id="test")
    withdraw_load(lake, feed.table, str(load.load_id), reason="test", known_at=at, run_id="test")
    key = {"payment_id": str(before["payment_id"][0])}
    withdraw_record(lake, feed.table, key, reason="test", known_at=at, run_id="test")
    home.lake_snapshot.write_text(lake.snapshot().to_ndjson())

    build = ("run", "--select", "+fct_payments")
    done = Warehouse(home, tmp_path / "duckdb").dbt(*build)
    assert done.returncode == 0, done.stdout
    spark = {"SALESOPS_ENGINE": "spark", "SALESOPS_SPARK_FOLDER": str(tmp_path)}
    done = Warehouse(home, tmp_path / "spark").dbt(*build, **spark)
    assert done.returncode == 0, done.stdout
    paid = "select count(*), count(*) filter (where payment_id in ('junk', $key)) from "
    with duckdb.connect(str(home.warehouse)) as connection:
        for table in ("marts.fct_payments", f"read_parquet('{tmp_path}/warehouse/marts.db/fct_payments/*.parquet')"):
            found = connection.execute(paid + table, {"key": key["payment_id"]}).fetchall()
            assert found == [(before.num_rows - 1, 0)], table
