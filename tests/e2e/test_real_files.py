"""Two companies that nobody here invented: what their exports hold must stand in the marts."""

from __future__ import annotations

import csv
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from tests.e2e.conftest import FinishedRun

pytestmark = pytest.mark.e2e


def test_maven_won_deals_and_their_worth(maven: FinishedRun) -> None:
    assert maven.rows("select count(*), sum(amount) from fct_opportunities where is_won") == [
        (4238, Decimal("10005534.00"))
    ]


@pytest.mark.parametrize(("month", "bookings"), [("2017-03-01", 1_134_672), ("2017-12-01", 1_131_573)])
def test_maven_bookings_by_month(maven: FinishedRun, month: str, bookings: int) -> None:
    assert maven.rows(f"select bookings from kpi_company_month where period_start = date '{month}'") == [
        (Decimal(bookings),)
    ]


def test_maven_agents_with_and_without_deals(maven: FinishedRun) -> None:
    assert maven.rows("select count(*) from dim_reps") == [(35,)]
    assert maven.rows("select count(distinct rep_id) from fct_opportunities where is_counted") == [(30,)]
    assert maven.rows("select count(*) from fct_opportunities where rep_id not in (select rep_id from dim_reps)") == [
        (0,)
    ]


def test_maven_gtxpro_and_gtx_pro_are_one_product(maven: FinishedRun) -> None:
    assert maven.rows("select count(*) from dim_products") == [(7,)]
    deals = """
        select product_name, count(*)
        from fct_opportunities join dim_products using (product_id)
        where replace(lower(product_name), ' ', '') = 'gtxpro'
        group by product_name
        """
    assert maven.rows(deals) == [("GTX Pro", 1480)]


def test_maven_deals_without_account_are_kept(maven: FinishedRun) -> None:
    assert maven.rows("select count(*), count(*) filter (where account_id is null) from fct_opportunities") == [
        (8800, 1425)
    ]


@pytest.mark.parametrize(
    "mart", ["fct_activities", "fct_invoices", "fct_leads", "fct_opportunity_stage_transitions", "lead_scores"]
)
def test_what_maven_cannot_tell_is_empty_not_broken(maven: FinishedRun, mart: str) -> None:
    assert maven.rows(f"select count(*) from {mart}") == [(0,)]


def test_maven_pays_commission_and_ranks_its_agents(maven: FinishedRun, reference_data: Path) -> None:
    assert maven.rows("select count(*), count(distinct rep_id) from commission_lines") == [(4238, 30)]
    bookings: Counter[str] = Counter()
    with (reference_data / "maven_crm/sales_pipeline.csv").open(newline="") as file:
        for deal in csv.DictReader(file):
            if deal["deal_stage"] == "Won" and deal["close_date"].startswith("2017-12"):
                bookings[deal["sales_agent"]] += int(deal["close_value"])
    board = "from leaderboard where board_id = 'monthly_bookings' and period_start = date '2017-12-01' and rank <= 5 order by rank"
    assert maven.rows(f"select rep_name, metric_value {board}") == [
        (name, Decimal(amount)) for name, amount in bookings.most_common(5)
    ]


def test_olist_leads_and_won_deals(olist: FinishedRun) -> None:
    assert olist.rows("select count(*), count(*) filter (where is_won) from fct_leads") == [(8000, 842)]
    assert olist.rows("select count(*) from fct_opportunities where is_won") == [(842,)]


def test_olist_deal_won_before_first_contact_is_an_error_and_in_no_duration(olist: FinishedRun) -> None:
    wrong = olist.rows("select days_lead_to_close, data_error from fct_opportunities where data_error is not null")
    assert len(wrong) == 1
    assert wrong[0][0] is None and "before" in str(wrong[0][1])
    assert olist.rows("select count(*) from fct_opportunities where days_lead_to_close < 0") == [(0,)]
    assert olist.rows("select count(days_lead_to_close) from fct_opportunities where is_won") == [(841,)]
