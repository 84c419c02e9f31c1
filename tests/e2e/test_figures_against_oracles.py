"""The figures of the tiny simulated company against slow oracles, and the dbt project's unit tests."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from simulation.company import Company
from storage.home import Home
from tests.dbt_sample import Warehouse
from tests.e2e.conftest import FinishedRun
from tests.reference.kpi_oracle import convert, count_business_minutes, count_talk_seconds, waterfall

pytestmark = pytest.mark.e2e


@pytest.fixture
def company(simulated: FinishedRun) -> Company:
    return Company.load(simulated.home / "simulation")


@pytest.fixture
def built(simulated: FinishedRun, tmp_path: Path) -> Warehouse:
    return Warehouse(Home(simulated.home), tmp_path / "target")


def test_every_unit_test_of_the_dbt_project_passes(
    copy_of_simulated: FinishedRun, tmp_path: Path, parsed_dbt: Path
) -> None:
    done = Warehouse(Home(copy_of_simulated.home), tmp_path / "target", parsed_dbt).dbt(
        "test", "--select", "test_type:unit"
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_business_minutes_equal_a_count_of_minutes(built: Warehouse) -> None:
    holidays = frozenset(
        day for (day,) in built.rows("select date_day from marts.dim_dates where holiday_name is not null")
    )
    measured = built.rows(
        "select created_at, first_touch_at, follow_up_business_minutes from marts.fct_leads where follow_up_minutes < 30000 order by lead_id limit 40"
    )
    assert len(measured) == 40
    for created_at, touched_at, minutes in measured:
        # The oracle counts whole minutes: each end is off by less than one.
        counted = count_business_minutes(created_at, touched_at, "America/New_York", holidays)
        assert abs(Decimal(counted) - minutes) <= 1, (created_at, touched_at)


def test_phone_seconds_count_every_second_of_a_call_once(built: Warehouse, company: Company) -> None:
    calls = (
        duckdb.connect()
        .sql(
            f"select sid, parent_call_sid, end_time, duration from read_parquet('{company.folder / 'telephony' / 'call.parquet'}') "
            f"where _visible_from <= timestamp '{company.now:%Y-%m-%d %H:%M:%S}' and duration > 0"
        )
        .df()
    )
    legs: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for call in calls.itertuples():
        root = call.sid if pd.isna(call.parent_call_sid) else call.parent_call_sid
        legs[root].append((call.end_time - pd.Timedelta(seconds=call.duration), call.end_time))
    transferred = {call_id: count_talk_seconds(parts) for call_id, parts in legs.items() if len(parts) > 1}
    assert transferred, "no call was passed on"
    found = built.rows(
        "select replace(activity_id, 'call:', ''), talk_seconds from marts.fct_activities where activity_type = 'call' and talk_seconds > 0"
    )
    assert {call_id: seconds for call_id, seconds in found if call_id in transferred} == transferred


def test_won_amounts_equal_exact_division(built: Warehouse) -> None:
    deals = built.rows(
        "select amount, currency_rate, amount_reporting from marts.fct_opportunities where is_won and currency <> 'USD'"
    )
    assert deals, "no deal was won in another currency"
    for amount, rate, reported in deals:
        assert reported == convert(amount, rate)


def test_waterfall_opens_and_closes_with_the_daily_pipeline(built: Warehouse) -> None:
    with duckdb.connect(str(built.home.warehouse), read_only=True) as connection:
        daily = connection.execute(
            "select team_id, date_day::varchar as date_day, close_date::varchar as close_date, amount_reporting from marts.fct_pipeline_daily"
        ).df()
    for column in ("date_day", "close_date"):
        daily[column] = [date.fromisoformat(text) for text in daily[column]]
    quarters = built.rows(
        "select team_id, period_start, (period_start + interval 3 month - interval 1 day)::date, opening, closing from marts.kpi_pipeline_waterfall "
        "where period_grain = 'quarter' and period_start = date '2025-05-01'"
    )
    assert len(quarters) == 2
    for team, first, last, opening, closing in quarters:
        counted = waterfall(daily, str(team), first, last)
        assert [total.quantize(Decimal("0.01")) for total in counted] == [opening, closing]
