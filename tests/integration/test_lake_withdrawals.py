"""`salesops lake withdraw` as a user types it, and staging, which respects it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from cli.main import app
from ingestion.landing import Delivery, land
from ingestion.sources.feeds.catalogue import FEEDS
from storage.home import Home
from storage.lake import Lake
from storage.stamps import LOAD_ID
from tests.dbt_sample import Warehouse, record_run

QUOTAS = next(feed.lake_table for feed in FEEDS if feed.name == "quotas")
COSTS = next(feed.lake_table for feed in FEEDS if feed.name == "product_costs")
NOW = datetime(2026, 2, 2, 12, tzinfo=UTC)


def put(lake: Lake, day: int, *amounts: str) -> str:
    rows = pa.table(
        {
            "employee_id": [f"E'{number}" for number in range(1, len(amounts) + 1)],
            "period_start": ["2026-01-01"] * len(amounts),
            "quota_amount": list(amounts),
            "currency": ["USD"] * len(amounts),
        }
    )
    known_at = datetime(2026, 2, day, tzinfo=UTC)
    return str(land(lake, QUOTAS, Delivery(rows, len(amounts)), known_at=known_at, run_id="run").load_id)


@pytest.fixture
def salesops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parsed_dbt: Path) -> Warehouse:
    home = Home(tmp_path / "home")
    home.prepare()
    monkeypatch.setenv("SALESOPS_HOME", str(home.root))
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.setenv("SALESOPS_FEEDS_DIR", str(tmp_path))
    return Warehouse(home, tmp_path / "target", parsed_dbt)


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["lake", *arguments])
    assert done.exit_code == code, done.output
    return done.output if code == 0 else str(done.exception)


def staged(warehouse: Warehouse) -> list[tuple[object, ...]]:
    record_run(warehouse.home, NOW)
    done = warehouse.dbt("run", "--select", "stg_feeds__quotas", "stg_feeds__product_costs")
    assert done.returncode == 0, done.stdout
    return warehouse.rows("select employee_id, quota_amount::int from staging.stg_feeds__quotas order by all")


def test_staging_leaves_out_what_was_withdrawn_until_it_is_reinstated(salesops: Warehouse) -> None:
    lake = Lake(salesops.home.lake)
    put(lake, 1, "1", "2")
    costs = pa.table({"product_code": ["P"], "valid_from": ["2026-01-01"], "unit_cost": ["1"], "currency": ["USD"]})
    land(lake, COSTS, Delivery(costs, 1), known_at=NOW, run_id="run")
    junk = put(lake, 2, "100", "200", "300")
    out = run("withdraw", "feed__quotas", "--load", junk, "--reason", "a test file")
    assert "Withdrew 3 rows of feed__quotas." in out
    key = ["--key", "employee_id=E'2", "--key", "period_start=2026-01-01"]
    out = run("withdraw", "feed__quotas", *key, "--reason", "left [before] January")
    undo = re.search(r"salesops lake reinstate (\S+)", out)
    assert undo
    assert staged(salesops) == [("E'1", 1)]
    assert salesops.rows("select count(*) from staging.stg_feeds__product_costs") == [(1,)]
    assert lake.query("feed__quotas", f"select distinct {LOAD_ID} from lake").num_rows == 2  # type: ignore[union-attr]

    listed = run("withdrawals")
    assert "left [before] January" in listed and junk in listed and "employee_id=E'2" in listed
    run("reinstate", undo[1], "--reason", "stayed")
    assert staged(salesops) == [("E'1", 1), ("E'2", 2)]


def test_what_cannot_be_withdrawn_is_said_with_what_to_type(salesops: Warehouse) -> None:
    put(Lake(salesops.home.lake), 1, "1")
    assert "either a load or a record" in run("withdraw", "feed__quotas", "--reason", "x", code=1)
    for parts in (["E'1"], ["employee_id=E'1"], ["employee_id=E'1", "month=1"]):
        keys = [text for part in parts for text in ("--key", part)]
        message = run("withdraw", "feed__quotas", *keys, "--reason", "x", code=1)
        assert "named by employee_id and period_start" in message
    assert run("withdrawals") == "Nothing was withdrawn.\n"
