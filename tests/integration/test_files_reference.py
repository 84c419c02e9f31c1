"""Two exports that nobody here wrote, brought in by the mappings that come with the project."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingestion.landing import LandingReport
from ingestion.settings import load_settings_into_lake
from ingestion.sources.files.ingest import ingest_files
from ingestion.sources.files.mapping import load_mapping
from storage.lake import Lake
from storage.settings import PROJECT_ROOT


def ingest(lake: Lake, name: str, folder: Path, day: int) -> dict[str, LandingReport]:
    mapping, known_at = (
        load_mapping(PROJECT_ROOT / "config" / "mappings" / f"{name}.yml"),
        datetime(2026, 1, day, tzinfo=UTC),
    )
    load_settings_into_lake(lake, PROJECT_ROOT / "config", known_at=known_at, run_id="run", mapping=mapping)
    return {
        report.table: report for report in ingest_files(lake, mapping, folder / name, known_at=known_at, run_id="run")
    }


def ask(lake: Lake, table: str, sql: str) -> list[tuple[Any, ...]]:
    rows = lake.query(table, sql)
    assert rows is not None
    return [tuple(row.values()) for row in rows.to_pylist()]


@pytest.fixture(scope="module")
def maven(reference_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(tmp_path_factory.mktemp("maven") / "lake")
    ingest(lake, "maven_crm", reference_data, 1)
    return lake


@pytest.fixture(scope="module")
def olist(reference_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(tmp_path_factory.mktemp("olist") / "lake")
    ingest(lake, "olist_funnel", reference_data, 1)
    return lake


@pytest.mark.parametrize(
    ("table", "count"),
    [("files__opportunity", 8800), ("files__account", 85), ("files__user", 35), ("files__product", 7)],
)
def test_maven_counts(maven: Lake, table: str, count: int) -> None:
    assert ask(maven, table, "select count(*), count(_broken_rules) from lake") == [(count, 0)]


def test_maven_won_deals(maven: Lake) -> None:
    won = "select count(*), sum(amount::decimal(28, 2))::varchar, min(close_date), max(close_date) from lake where stage_name = 'Won'"
    assert ask(maven, "files__opportunity", won) == [(4238, "10005534.00", "2017-03-01", "2017-12-31")]


def test_maven_keys_meet(maven: Lake, reference_data: Path) -> None:
    deals = ask(maven, "files__opportunity", "select distinct owner_id, product_id, account_id from lake")
    for position, table, key in [
        (0, "files__user", "user_id"),
        (1, "files__product", "product_id"),
        (2, "files__account", "account_id"),
    ]:
        known = {value for (value,) in ask(maven, table, f"select {key} from lake")}
        assert {deal[position] for deal in deals} - {None} <= known
    assert len({deal[0] for deal in deals}) == 30
    assert ask(
        maven,
        "files__opportunity",
        "select count(*) from lake where product_id = 'gtx pro' and extra_product = 'GTXPro'",
    ) == [(1480,)]


def test_maven_keeps_what_is_missing_missing(maven: Lake) -> None:
    blanks = "select count(*) filter (account_id is null), count(*) filter (created_at is null), count(*) filter (amount is null) from lake"
    assert ask(maven, "files__opportunity", blanks) == [(1425, 500, 2089)]


def test_maven_misspelt_sector_is_read_and_kept(maven: Lake) -> None:
    assert ask(
        maven, "files__account", "select distinct industry, extra_sector from lake where industry like 'tech%'"
    ) == [("technology", "technolgy")]


def test_maven_again_lands_nothing(maven: Lake, reference_data: Path) -> None:
    before = maven.snapshot()
    reports = ingest(maven, "maven_crm", reference_data, 2)
    assert {report.landed + report.set_aside for report in reports.values()} == {0}
    assert reports["files__opportunity"].unchanged == 8800
    assert maven.snapshot() == before


@pytest.mark.parametrize(
    ("table", "count"),
    [("files__lead", 8000), ("files__opportunity", 842), ("files__account", 842), ("files__user", 41)],
)
def test_olist_counts(olist: Lake, table: str, count: int) -> None:
    assert ask(olist, table, "select count(*), count(_broken_rules) from lake") == [(count, 0)]


def test_olist_leads_carry_their_deal(olist: Lake) -> None:
    converted = "select count(converted_at), count(owner_id), count(*) filter (opportunity_id = lead_id) from lake"
    assert ask(olist, "files__lead", converted) == [(842, 842, 842)]
    assert ask(
        olist,
        "files__lead",
        "select count(*) filter (lead_source is null), count(*) filter (lead_source = 'unknown') from lake",
    ) == [(60, 1099)]


def test_olist_deal_won_before_first_contact_remains(olist: Lake) -> None:
    early = "select opportunity_id, created_at, converted_at from lake where converted_at < created_at"
    assert ask(olist, "files__lead", early) == [
        ("b91cf8812365f50ff4bda4bcd6206b05", "2018-03-08T03:00:00.000Z", "2018-03-06T19:38:55.000Z")
    ]


def test_olist_revenue_of_the_seller_is_no_amount_of_the_deal(olist: Lake) -> None:
    declared = "select count(*) filter (extra_declared_monthly_revenue::decimal(28, 2) > 0) from lake"
    assert ask(olist, "files__opportunity", declared) == [(45,)]
    assert "amount" not in next(
        table.columns for table in olist.snapshot().tables if table.table_name == "files__opportunity"
    )


def test_olist_days_are_those_of_sao_paulo(olist: Lake) -> None:
    midnight = "select close_date from lake where closed_at = '2018-06-04T00:00:00.000Z'"
    assert ask(olist, "files__opportunity", midnight) == [("2018-06-03",)]


def test_olist_again_lands_nothing(olist: Lake, reference_data: Path) -> None:
    assert not any(report.is_changed for report in ingest(olist, "olist_funnel", reference_data, 2).values())


def test_home_overrides_are_in_force(maven: Lake, olist: Lake) -> None:
    org = "select business_timezone, reporting_currency, fiscal_year_start_month from lake"
    assert ask(maven, "settings__org", org) == [("UTC", "USD", 1)]
    assert ask(olist, "settings__org", org) == [("America/Sao_Paulo", "BRL", 1)]
