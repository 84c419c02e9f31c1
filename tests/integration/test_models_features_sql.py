"""The feature SQL itself, on small tables in DuckDB: what happens after an as-of instant changes no feature of it."""

from __future__ import annotations

import duckdb
import pytest

from tests.models_sql import render

MODELS = [
    "int_feature_instants",
    "int_lead_features",
    "int_bookings_daily",
    "int_revenue_features",
    "int_forecast_roster",
]
LABELS = {"is_won_within_horizon", "outcome_won_date", "outcome_amount_reporting"}

# Two leads and three deals; lead L1 is won in May through deal D1, lead L2 stays open, deal D2 is lost in April, deal D0 was won in March.
TABLES = """
create table int_run_context as select timestamp '2025-06-05 11:00' as as_of, date '2025-06-05' as as_of_date,
    'America/New_York' as business_timezone, 'USD' as reporting_currency, 2 as fiscal_year_start_month;
create table dim_dates as select d::date as date_day, date_trunc('month', d)::date as month_start
    from generate_series(date '2025-01-01', date '2025-12-31', interval 1 day) as g(d);
create table fct_leads as from (values
    ('L1', true, timestamp '2025-01-10 15:00', date '2025-01-10', 'Web', 'Inbound', 'SMB', 'Retail', 'US', 50, 3,
     timestamp '2025-01-12 15:00', timestamp '2025-03-20 15:00', timestamp '2025-05-02 15:00'),
    ('L2', true, timestamp '2025-01-20 15:00', date '2025-01-20', 'Event', 'Outbound', 'SMB', 'Retail', 'US', 9, 0, null, null, null)
) as t(lead_id, is_counted, created_at, created_date, lead_source, process, segment, industry, country, employee_count, web_visits,
       first_touch_at, converted_at, won_at);
create table fct_activities as from (values
    ('L1', 'call', 'outbound', true, timestamp '2025-01-12 15:00', true), ('L1', 'email', 'inbound', null, timestamp '2025-02-20 15:00', false),
    ('L2', 'call', 'outbound', false, timestamp '2025-03-25 15:00', true), ('L2', 'meeting', null, null, timestamp '2025-04-10 15:00', true)
) as t(lead_id, activity_type, direction, is_connected, occurred_at, is_counted);
create table int_lead_status_changes as from (values
    ('L2', timestamp '2025-02-15 15:00', 'nurturing', false), ('L2', timestamp '2025-03-15 15:00', 'disqualified', false),
    ('L2', timestamp '2025-04-15 15:00', 'working', false)
) as t(lead_id, changed_at, status, is_conversion);
create table fct_opportunities as from (values
    ('D0', date '2025-03-01', date '2025-03-03', true, true, 'r1', 't1', 100.00::decimal(28,2)),
    ('D1', date '2025-03-20', date '2025-05-02', true, true, 'r1', 't1', 900.50::decimal(28,2)),
    ('D2', date '2025-02-20', date '2025-04-09', false, true, 'r2', 't1', 500.00::decimal(28,2))
) as t(opportunity_id, created_date, closed_date, is_won, is_counted, rep_id, team_id, amount_reporting);
create table fct_pipeline_daily as
    select opportunity_id, d::date as date_day, if(d < date '2025-04-20', 'discovery', 'proposal') as stage,
        if(d < date '2025-04-20', 1000.00, 900.50)::decimal(28,2) as amount_reporting, date '2025-05-30' as close_date, rep_id, team_id
    from fct_opportunities, generate_series(created_date, closed_date - 1, interval 1 day) as g(d);
create table dim_rep_versions as from (values
    ('r1', timestamp '1900-01-01', timestamp '2025-04-01', 't1', 'outside_rep', true, date '2024-06-01', null::date),
    ('r1', timestamp '2025-04-01', timestamp '9999-12-31', 't2', 'outside_rep', true, date '2024-06-01', null),
    ('r2', timestamp '1900-01-01', timestamp '9999-12-31', 't1', 'outside_rep', true, date '2025-02-01', date '2025-05-31'),
    ('boss', timestamp '1900-01-01', timestamp '9999-12-31', 't1', 'sales_manager', false, date '2020-01-01', null)
) as t(rep_id, valid_from, valid_to, team_id, role, is_rep, hired_date, left_date);
"""

# What the world may do after 2025-04-05, each a change that a careless feature would pick up.
LATER = {
    "another call": "insert into fct_activities values ('L2', 'call', 'outbound', true, timestamp '2025-04-06 15:00', true)",
    "a win": "update fct_leads set won_at = timestamp '2025-04-30', converted_at = timestamp '2025-04-20' where lead_id = 'L2'",
    "no win": "update fct_leads set won_at = null where lead_id = 'L1'",
    "a first touch": "update fct_leads set first_touch_at = timestamp '2025-04-06 15:00' where lead_id = 'L2'",
    "a status": "insert into int_lead_status_changes values ('L2', timestamp '2025-05-01 15:00', 'disqualified', false)",
    "a deal lost instead": "update fct_opportunities set is_won = false, rep_id = 'r2', amount_reporting = 1 where opportunity_id = 'D1'",
    "another amount and stage": "update fct_pipeline_daily set stage = 'negotiation', amount_reporting = 7 where date_day >= date '2025-04-05'",
    "a rep who leaves": "update dim_rep_versions set left_date = date '2025-04-20' where rep_id = 'r1'",
    "a new lead": "insert into fct_leads select * replace ('L3' as lead_id, timestamp '2025-04-06' as created_at) from fct_leads limit 1",
}


@pytest.fixture(scope="module")
def models() -> dict[str, str]:
    return {name: render(name) for name in MODELS}


def _build(models: dict[str, str], *changes: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    connection.execute(TABLES)
    for change in changes:
        connection.execute(change)
    for name, sql in models.items():
        connection.execute(f"create table {name} as {sql}")
    return connection


def _rows(
    connection: duckdb.DuckDBPyConnection, model: str, until: str = "2025-04-05 23:59"
) -> list[tuple[object, ...]]:
    relation = connection.table(model)
    columns = [column for column in relation.columns if column not in LABELS]
    instant = next(column for column in ("as_of", "as_of_date", "won_date") if column in columns)
    chosen = ", ".join(columns)
    return connection.execute(
        f"select {chosen} from {model} where {instant} <= timestamp '{until}' order by all"
    ).fetchall()


@pytest.mark.parametrize("change", [pytest.param(sql, id=name) for name, sql in LATER.items()])
def test_what_happens_later_changes_no_feature(models: dict[str, str], change: str) -> None:
    before, after = _build(models), _build(models, change)
    for model in MODELS:
        assert _rows(before, model), model
        assert _rows(before, model) == _rows(after, model), model


def test_the_same_change_a_month_earlier_is_seen(models: dict[str, str]) -> None:
    early = "insert into fct_activities values ('L2', 'call', 'outbound', true, timestamp '2025-03-26 15:00', true)"
    assert _rows(_build(models), "int_lead_features", "2025-06-01") != _rows(
        _build(models, early), "int_lead_features", "2025-06-01"
    )


def test_features_are_those_of_the_instant(models: dict[str, str]) -> None:
    rows = _build(models).execute(
        """select as_of, age_days, touches, replies, connected_calls, minutes_to_first_touch, is_won_within_horizon
        from int_lead_features where lead_id = 'L1' order by as_of"""
    )
    assert [(str(row[0]), *row[1:]) for row in rows.fetchall()] == [
        ("2025-01-11 15:00:00", 1, 0, 0, 0, None, True),  # a day after creation, before the first touch
        ("2025-02-01 05:00:00", 21, 1, 0, 1, 2880, True),
        (
            "2025-03-01 05:00:00",
            49,
            2,
            1,
            1,
            2880,
            None,
        ),  # 120 days on is later than the run: the outcome is not known yet
    ]


def test_a_lead_is_left_out_while_disqualified_and_back_when_worked_again(models: dict[str, str]) -> None:
    rows = (
        _build(models)
        .execute("select as_of::date::varchar, is_nurtured from int_lead_features where lead_id = 'L2' order by as_of")
        .fetchall()
    )
    assert rows == [
        ("2025-01-21", 0),
        ("2025-02-01", 0),
        ("2025-03-01", 1),
        ("2025-05-01", 1),
        ("2025-06-01", 1),
        ("2025-06-05", 1),
    ]


def test_the_pipeline_is_that_of_the_evening_before(models: dict[str, str]) -> None:
    rows = _build(models).execute(
        """select as_of_date::varchar, opportunity_id, stage, amount_reporting, outcome_won_date::varchar, outcome_amount_reporting
        from int_revenue_features order by all"""
    )
    assert [tuple(map(str, row)) for row in rows.fetchall()] == [
        ("2025-03-05", "D2", "discovery", "1000.00", "None", "None"),
        ("2025-04-05", "D1", "discovery", "1000.00", "2025-05-02", "900.50"),
        ("2025-04-05", "D2", "discovery", "1000.00", "None", "None"),
    ]


def test_the_roster_has_the_team_of_the_day_and_no_manager(models: dict[str, str]) -> None:
    rows = (
        _build(models)
        .execute(
            "select as_of_date::varchar, rep_id, team_id from int_forecast_roster where as_of_date >= '2025-01-05' order by all"
        )
        .fetchall()
    )
    assert rows == [
        ("2025-01-05", "r1", "t1"),
        ("2025-02-05", "r1", "t1"),
        ("2025-02-05", "r2", "t1"),
        ("2025-03-05", "r1", "t1"),
        ("2025-03-05", "r2", "t1"),
        ("2025-04-05", "r1", "t2"),
        ("2025-04-05", "r2", "t1"),
        ("2025-05-05", "r1", "t2"),
        ("2025-05-05", "r2", "t1"),
        ("2025-06-05", "r1", "t2"),
    ]
