"""Every model builds on Spark, from the lake of a finished run of which something was withdrawn.

`.ci/run` calls this, `make test` does not: it takes minutes and needs Java.
"""

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
from tests.e2e.conftest import FinishedRun, copy_run
from tests.needed_programs import require_program

pytestmark = [pytest.mark.spark, pytest.mark.timeout(1500)]

PAYMENTS = next(feed.lake_table for feed in FEEDS if feed.name == "payments")
# Views hold no files; their rows are counted in the tables that read them.
COUNTED = "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE' order by all"


@pytest.fixture(scope="module")
def home(simulated: FinishedRun, tmp_path_factory: pytest.TempPathFactory, parsed_dbt: Path) -> Home:
    """The finished run's home, built again by DuckDB after a load and a record were withdrawn."""
    folder = tmp_path_factory.mktemp("spark")
    home = Home(copy_run(simulated, folder / "home").home)
    lake, at = Lake(home.lake), datetime(2027, 1, 1, tzinfo=UTC)
    paid = lake.query(
        PAYMENTS.name, "select * exclude (_load_id, _known_from, _known_time_basis, _broken_rules) from lake"
    )
    assert paid
    junk = paid.slice(0, 1).set_column(0, "payment_id", pa.array(["junk"]))
    load = land(lake, PAYMENTS, Delivery(junk, 1), known_at=at, run_id="test")
    withdraw_load(lake, PAYMENTS.name, str(load.load_id), reason="test", known_at=at, run_id="test")
    gone = str(paid["payment_id"][0])
    withdraw_record(lake, PAYMENTS.name, {"payment_id": gone}, reason="test", known_at=at, run_id="test")
    home.lake_snapshot.write_text(lake.snapshot().to_ndjson())
    done = Warehouse(home, folder / "duckdb", parsed_dbt).dbt("run")
    assert done.returncode == 0, done.stdout[-5000:]
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        held = {payment for (payment,) in connection.execute("select payment_id from marts.fct_payments").fetchall()}
    assert held == {*paid["payment_id"].to_pylist()} - {gone}
    return home


@pytest.fixture(scope="module")
def spark_tables(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tables that dbt built on Spark from the same lake."""
    require_program("java", package="openjdk-17-jre-headless")
    folder = tmp_path_factory.mktemp("tables")
    settings = {"SALESOPS_ENGINE": "spark", "SALESOPS_SPARK_FOLDER": str(folder)}
    done = Warehouse(home, folder / "target").dbt("run", timeout=1200, **settings)
    results = json.loads((folder / "target/run_results.json").read_text())["results"]
    failed = {
        result["unique_id"].split(".")[-1]: result["message"] for result in results if result["status"] != "success"
    }
    assert not failed and done.returncode == 0, failed or done.stdout[-5000:]
    return folder / "warehouse"


def test_every_table_has_as_many_rows_as_on_duckdb(home: Home, spark_tables: Path) -> None:
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
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
            duckdb.connect().execute("select count(*) from read_parquet($files)", {"files": files}).fetchone()
            if files
            else (0,)
        )
    assert len(expected) > 50
    assert found == expected
