"""Leaderboards, and the explanation of a line."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from incentives.boards import Board, BoardMetric
from incentives.currencies import currency_exponent
from incentives.errors import UnknownLineError
from incentives.explain import explain_line
from storage.operator_files import OperatorFile
from tests.reference.commission_oracle import Deal, Rep
from tests.reference.commission_sql import build_commissions, read_plan_text, render_macro

JUNE = datetime(2026, 6, 3, 12)  # noqa: DTZ001 - UTC without zone, as in the warehouse
REPS = [Rep(name, "outside_rep") for name in ("ann", "ben", "cid", "dot", "eve")] + [Rep("sdr", "inside_rep")]


def board(**more: Any) -> OperatorFile[Board]:
    content = {
        "id": "b",
        "name": "B",
        "metric": "bookings",
        "period": "month",
        "participants": [{"roles": ["outside_rep"]}],
        **more,
    }
    return OperatorFile(Path("b.yml"), "hash-of-b", Board.model_validate(content))


def kpi(rep: str, bookings: int, deals: int = 1, month: int = 6, **more: Any) -> dict[str, Any]:
    start = datetime(2026, month, 1).date()  # noqa: DTZ001
    end = datetime(2026, month, 30).date()  # noqa: DTZ001
    return {
        "rep_id": rep,
        "period_grain": "month",
        "period_start": start,
        "period_end": end,
        "bookings": bookings,
        "deals_closed": deals,
        **more,
    }


def rank(
    board_file: OperatorFile[Board], kpis: list[dict[str, Any]], deals: list[Deal] | None = None
) -> dict[str, int]:
    marts = build_commissions([], deals or [], REPS, boards=[board_file], kpis=kpis)
    return dict(
        marts.execute(
            "select rep_id, rank from marts.leaderboard where period_start = date '2026-06-01' order by rank, rep_id"
        ).fetchall()
    )


def test_true_ties_share_the_rank_and_the_next_is_left_out() -> None:
    kpis = [kpi("ann", 300), kpi("ben", 500), kpi("cid", 300), kpi("dot", 100), kpi("sdr", 900)]
    assert rank(board(), kpis) == {"ben": 1, "ann": 2, "cid": 2, "dot": 4}


def test_ties_are_broken_by_the_stated_chain() -> None:
    kpis = [kpi("ann", 300, deals=2), kpi("ben", 300, deals=3), kpi("cid", 300, deals=2), kpi("dot", 300, deals=2)]
    deals = [
        Deal(f"of {rep}", Decimal(300), JUNE + timedelta(days=day), rep)
        for rep, day in (("ann", 5), ("cid", 2), ("dot", 5), ("ben", 9))
    ]
    chain = {"tie_breakers": ["deals_closed", "reached_first"]}
    assert rank(board(**chain), kpis, deals) == {"ben": 1, "cid": 2, "ann": 3, "dot": 3}


def test_a_rep_without_figures_ranks_as_zero_and_months_are_ranked_apart() -> None:
    kpis = [kpi("ann", 100), kpi("ben", 0, deals=0), kpi("cid", 900, month=5)]
    assert rank(board(), kpis) == {"ann": 1, "ben": 2}


def test_a_period_that_has_not_ended_is_open_and_one_that_has_not_begun_is_absent() -> None:
    marts = build_commissions(
        [], [], REPS, boards=[board()], kpis=[kpi("ann", 1), kpi("ann", 1, month=5), kpi("ann", 1, month=9)]
    )
    assert marts.execute("select month(period_start), is_open from marts.leaderboard order by 1").fetchall() == [
        (5, False),
        (6, True),
    ]


def test_boards_and_sql_know_the_same_metrics() -> None:
    assert render_macro("board_metrics").split() == list(BoardMetric.__args__)  # type: ignore[attr-defined]


def test_python_and_sql_give_every_currency_the_same_decimals() -> None:
    letters = [chr(code) for code in range(ord("A"), ord("Z") + 1)]
    codes = (
        duckdb.connect()
        .sql(
            f"select {render_macro('currency_exponent')} as exponent, currency from (select unnest(?) as currency)",
            params=[["".join(code) for code in itertools.product(letters, repeat=3)]],
        )
        .fetchall()
    )
    assert len(codes) == 26**3
    assert {code: exponent for exponent, code in codes} == {code: currency_exponent(code) for _, code in codes}


def test_a_line_explains_itself_down_to_the_record() -> None:
    tiers = [{"from": 0, "to": 100, "percent": 5}, {"from": 100, "percent": "7.5"}]
    component = {
        "id": "tiers",
        "kind": "marginal_tiers",
        "scope": "quarter",
        "basis": "percent_of_quota",
        "tiers": tiers,
    }
    plan = read_plan_text({"id": "p", "name": "The plan", "components": [component]})
    quotas = {("ann", JUNE.date().replace(day=1)): Decimal(1000)}
    marts = build_commissions([plan], [Deal("d1", Decimal("1200.10"), JUNE, "ann")], REPS, quotas=quotas)
    assert str(explain_line(marts, "p/owner/bookings:d1/ann/tiers")).splitlines() == [
        "p/owner/bookings:d1/ann/tiers",
        "  Event:      bookings d1 on 2026-06-03, 1,200.10 USD",
        "  Credit:     1,200.10 USD to ann: the whole by the rule owner",
        "  Plan:       The plan (p), file p.yml, SHA-256 hash-of-p",
        "  Component:  tiers (tiers), marginal_tiers",
        "  Attainment: in the fiscal quarter from 2026-05-01 from 0.00 USD to 1,200.10 USD, of a quota of 1,000.00 USD; reached tier 2",
        "  Tier:       1 (from 0.00 USD to 1,000.00 USD): 1,000.00 USD at 5 % = 50",
        "  Tier:       2 (from 1,000.00 USD): 200.10 USD at 7.5 % = 15.0075",
        "  Pay:        65.01 USD: 65.0075 rounded once, half away from zero",
        "  Record:     opportunity d1 as brought by load load-1, known since 2026-06-03 12:00:00 UTC",
    ]


def test_the_explanation_of_a_split_names_the_part_in_lowest_terms() -> None:
    rule = {"id": "team", "split": [{"party": "opportunity_splits"}]}
    plan = read_plan_text(
        {
            "id": "p",
            "crediting": [rule],
            "components": [{"id": "c", "kind": "flat", "fixed": "10", "crediting": "team"}],
        }
    )
    marts = build_commissions(
        [plan], [Deal("d1", Decimal("100"), JUNE, "ann", splits={"ann": Decimal(75), "ben": Decimal(25)})], REPS
    )
    text = str(explain_line(marts, "p/team/bookings:d1/ben/c"))
    assert "Credit:     25.00 USD to ben: 1 of 4 parts by the rule team" in text
    assert "Pay:        10.00 USD: a fixed amount for each event" in text


def test_a_line_that_does_not_exist_is_an_error_that_says_where_to_look() -> None:
    with pytest.raises(UnknownLineError, match=r"no commission line") as caught:
        explain_line(build_commissions([], [], REPS), "p/owner/x/y/z")
    assert "commission_lines" in str(caught.value)
