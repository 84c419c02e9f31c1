"""Every model builds on Spark, from the lake of a finished run. `.ci/run` calls this, `make test` does not: it takes minutes and needs Java."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

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
    lake, how = Lake(home.lake), {"reason": "test", "known_at": datetime(2026, 2, 1, tzinfo=UTC), "run_id": "test"}
    load = lake.newest_load("feed__absences")
    paid = lake.query("feed__payments", "select min(payment_id) as payment_id from lake")
    assert load and paid
    withdraw_load(lake, "feed__absences", load.load_id, **how)
    withdraw_record(lake, "feed__payments", paid.to_pylist()[0], **how)
    home.lake_snapshot.write_text(lake.snapshot().to_ndjson())
    build = ("run", "--select", "stg_feeds__absences", "stg_feeds__payments")
    spark = {"SALESOPS_ENGINE": "spark", "SALESOPS_SPARK_FOLDER": str(tmp_path)}
    done = Warehouse(home, tmp_path / "duckdb").dbt(*build)
    assert done.returncode == 0, done.stdout
    done = Warehouse(home, tmp_path / "spark").dbt(*build, **spark)
    assert done.returncode == 0, done.stdout
    with duckdb.connect(str(home.warehouse)) as connection:
        for table in build[2:]:
            on_spark = f"read_parquet('{tmp_path}/warehouse/staging.db/{table}/*.parquet')"
            ((ours,),) = connection.execute(f"select count(*) from staging.{table}").fetchall()
            ((theirs,),) = connection.execute(f"select count(*) from {on_spark}").fetchall()
            assert ours == theirs
        assert connection.execute("select count(*) from staging.stg_feeds__absences").fetchall() == [(0,)]
