"""What is published of the predictions: the latest score, the forecast said last, and forecasts beside what came."""

from __future__ import annotations

import duckdb
import pytest

from tests.models_sql import render

TABLES = """
create table int_run_context as select timestamp '2025-04-05 11:00' as as_of, date '2025-04-05' as as_of_date, 'USD' as reporting_currency,
    'Acme' as company_name;
create table dim_reps as select 'r1' as rep_id, 'Ann' as rep_name;
create table dim_rep_versions as select 't1' as team_id, 'West' as team_name;
create table fct_leads as select 'L1' as lead_id, 'Web' as lead_source, 'SMB' as segment, 'r1' as owner_id, timestamp '2025-01-01' as created_at;
create table int_calendar__periods as select 'month' as period_grain, d::date as date_day, date_trunc('month', d)::date as period_start,
    last_day(d::date) as period_end from generate_series(date '2025-01-01', date '2025-12-31', interval 1 day) as g(d);
create table int_bookings_daily as from (values
    (date '2025-03-03', 'r1', 't1', 60.00::decimal(28,2)), (date '2025-03-31', 'r1', 't1', 20.00), (date '2025-04-02', 'r1', 't1', 500.00)
) as t(won_date, rep_id, team_id, amount_reporting);
create table stg_predictions__lead_scores as from (values
    ('L1', timestamp '2025-03-01', 'old', 0.4, 'A', 'load-1'), ('L1', timestamp '2025-04-01', 'old', 0.2, 'B', 'load-2'),
    ('L1', timestamp '2025-04-01', 'new', 0.1, 'C', 'load-3'), ('L2', timestamp '2025-03-01', 'old', 0.3, 'A', 'load-1')
) as t(lead_id, as_of, model_hash, score, band, load_id),
    (select '[]' as top_reasons, 120 as outcome_horizon_days, timestamp '2025-04-01' as known_from);
create table said as from (values
    (timestamp '2025-03-01', 'first', date '2025-03-01', 'company', 'company', 100.00::decimal(28,2), 'load-1'),
    (timestamp '2025-03-01', 'second', date '2025-03-01', 'company', 'company', 90.00, 'load-2'),
    (timestamp '2025-03-01', 'second', date '2025-03-01', 'rep', 'r9', 10.00, 'load-2'),
    (timestamp '2025-03-01', 'second', date '2025-04-01', 'company', 'company', 70.00, 'load-2'),
    (timestamp '2025-04-01', 'third', date '2025-04-01', 'company', 'company', 75.00, 'load-3')
) as t(as_of, model_hash, period_start, entity_type, entity_id, mean, load_id);
create table stg_predictions__revenue_forecasts as select *, 'month' as period_grain, 'm' as method, as_of as known_from, mean as median,
    mean - 5 as lo_50, mean + 5 as hi_50, mean - 10 as lo_80, mean + 10 as hi_80, mean - 20 as lo_90, mean + 20 as hi_90,
    0.00 as booked_part, mean as pipeline_part, 0.00 as run_rate_part from said;
"""


@pytest.fixture(scope="module")
def warehouse() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(TABLES)
    for mart in ("lead_scores", "revenue_forecast", "forecast_accuracy"):
        connection.execute(f"create table {mart} as {render(mart)}")
    return connection


def test_a_lead_shows_the_score_said_last(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = warehouse.execute(
        "select lead_id, score, model_hash, is_current, lead_source from lead_scores order by lead_id"
    ).fetchall()
    assert [(row[0], float(row[1]), *row[2:]) for row in rows] == [
        ("L1", 0.1, "new", True, "Web"),
        ("L2", 0.3, "old", False, None),
    ]


def test_of_one_instant_the_forecast_said_last_stands(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = warehouse.execute(
        "select as_of::date::varchar, period_start::varchar, entity_id, entity_name, model_hash, is_latest from revenue_forecast order by 1, 2, 3"
    ).fetchall()
    assert rows == [
        ("2025-03-01", "2025-03-01", "company", "Acme", "second", False),
        ("2025-03-01", "2025-03-01", "r9", "r9", "second", False),
        ("2025-03-01", "2025-04-01", "company", "Acme", "second", False),
        ("2025-04-01", "2025-04-01", "company", "Acme", "third", True),
    ]


def test_only_periods_that_are_over_are_compared_with_what_was_booked(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = warehouse.execute(
        """select entity_id, forecast, actual, forecast_error, forecast_ape_actual, forecast_ape_forecast, forecast_accuracy,
            is_within_50, is_within_80 from forecast_accuracy order by 1"""
    ).fetchall()
    assert [(row[0], *(None if value is None else float(value) for value in row[1:7]), *row[7:]) for row in rows] == [
        ("company", 90.0, 80.0, 10.0, pytest.approx(0.125), pytest.approx(10 / 90), pytest.approx(0.875), False, True),
        ("r9", 10.0, 0.0, 10.0, None, 1.0, None, False, True),
    ]
