"""Every model builds on Spark, from the lake of a finished run. `.ci/run` calls this, `make test` does not: it takes minutes and needs Java."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from storage.home import Home
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
