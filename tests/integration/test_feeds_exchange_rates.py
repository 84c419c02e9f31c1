"""Exchange rates from the feed to the facts: a company whose CRM has none."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from ingestion.landing import Delivery, land
from ingestion.settings.load import load_settings_into_lake
from ingestion.sources.feeds.catalogue import FEEDS
from ingestion.sources.feeds.drops import ingest_drops
from ingestion.sources.feeds.ingest import ingest_feed
from ingestion.sources.files.canonical import CANONICAL_OBJECTS
from storage.home import Home
from storage.lake import Lake
from tests.dbt_sample import ROOT, Warehouse, record_run

NOW = datetime(2026, 2, 2, 12, tzinfo=UTC)
DEALS = [
    {"opportunity_id": "O-USD", "amount": "100.00", "currency": "USD", "close_date": "2026-01-15"},
    {"opportunity_id": "O-EUR", "amount": "100.00", "currency": "EUR", "close_date": "2026-01-15"},
    {"opportunity_id": "O-EUR-later", "amount": "100.00", "currency": "EUR", "close_date": "2026-01-20"},
    {"opportunity_id": "O-GBP", "amount": "10.01", "currency": "GBP", "close_date": "2026-01-15"},
]
# As the European Central Bank quotes: everything in units per euro, here with the company reporting in dollars.
RATES = (
    "from_currency,to_currency,rate_date,rate,source\n"
    "EUR,USD,2026-01-10,1.25,ECB\nEUR,USD,2026-01-18,1.2,ECB\nEUR,GBP,2026-01-10,0.8123,ECB\nEUR,SEK,2026-01-10,0,ECB\n"
)

BUILD = [
    "build",
    "--select",
    "+int_opportunities__errors",
    "--indirect-selection",
    "empty",
    "--exclude-resource-type",
    "unit_test",
]


def fill(home: Home, deals: list[dict[str, str]]) -> None:
    home.prepare()
    lake = Lake(home.lake)
    load_settings_into_lake(lake, ROOT / "config", known_at=NOW, run_id="test")
    closed = [
        {
            **deal,
            "stage_name": "Closed Won",
            "created_at": "2026-01-02T10:00:00.000Z",
            "closed_at": f"{deal['close_date']}T12:00:00.000Z",
        }
        for deal in deals
    ]
    table, delivery = (
        CANONICAL_OBJECTS["files__opportunity"].lake_table,
        Delivery(pa.Table.from_pylist(closed), len(deals)),
    )
    land(lake, table, delivery, known_at=NOW, run_id="test", allowed_values={"stages": ["Closed Won"]})
    incoming = home.root / "incoming"
    incoming.mkdir(exist_ok=True)
    (incoming / "exchange_rates_2026-01.csv").write_text(RATES)
    report = ingest_drops(lake, incoming, known_at=NOW, run_id="test", earlier=None, settle_seconds=0)
    assert [(load.landed, load.set_aside) for load in report.loads] in ([(3, 1)], [])
    record_run(home, NOW)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory, parsed_dbt: Path) -> Warehouse:
    folder = tmp_path_factory.mktemp("rates")
    return Warehouse(Home(folder / "home"), folder / "target", parsed_dbt)


def test_amounts_are_converted_by_the_feeds_rates_of_their_day(warehouse: Warehouse) -> None:
    fill(warehouse.home, DEALS)
    done = warehouse.dbt(*BUILD)
    assert done.returncode == 0, done.stdout + done.stderr
    amounts = dict(warehouse.rows("select opportunity_id, amount_reporting from marts.fct_opportunities"))
    assert amounts == {
        "O-USD": Decimal("100.00"),
        "O-EUR": Decimal("125.00"),
        "O-EUR-later": Decimal("120.00"),
        "O-GBP": Decimal("15.40"),  # 10.01 ÷ 0.8123 × 1.25 = 15.4037…
    }


def test_a_day_before_the_first_rate_is_a_data_error_that_names_it(warehouse: Warehouse) -> None:
    fill(
        warehouse.home,
        [*DEALS, {"opportunity_id": "O-early", "amount": "1.00", "currency": "EUR", "close_date": "2026-01-09"}],
    )
    done = warehouse.dbt(*BUILD)
    assert done.returncode == 0, done.stdout
    # Each was open from 2 January on, before the first rate: the day it closed on has one, those in the pipeline have not.
    found = warehouse.rows("select record_id, rule, stated_value from core.int_opportunities__errors order by 2, 1")
    assert found == [
        ("O-EUR", "exchange_rate_in_pipeline_is_missing", "EUR to USD on 2026-01-02"),
        ("O-EUR-later", "exchange_rate_in_pipeline_is_missing", "EUR to USD on 2026-01-02"),
        ("O-GBP", "exchange_rate_in_pipeline_is_missing", "GBP to USD on 2026-01-02"),
        ("O-early", "exchange_rate_in_pipeline_is_missing", "EUR to USD on 2026-01-02"),
        ("O-early", "exchange_rate_is_missing", "EUR to USD on 2026-01-09"),
    ]


def test_personnel_say_which_calendar_they_follow(tmp_path: Path) -> None:
    lake, feed = Lake(tmp_path / "lake"), next(feed for feed in FEEDS if feed.name == "personnel")
    (tmp_path / "personnel.csv").write_text(
        "employee_id,email,full_name,effective_date,role,team,manager_employee_id,hire_date,leave_date,calendar\n"
        "E1,a@example.com,A,2026-01-01,inside_rep,North,,2026-01-01,,germany\n"
    )
    assert ingest_feed(lake, feed, tmp_path, known_at=NOW, run_id="test").landed == 1
    rows = lake.query("feed__personnel", "select calendar from lake")
    assert rows is not None and rows.to_pylist() == [{"calendar": "germany"}]
