"""The commission SQL against a second engine on random plans and deals, and laws that hold whatever the plan."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incentives.plans import Plan
from storage.operator_files import OperatorFile
from tests.reference.commission_oracle import Deal, Payment, Rep, pay
from tests.reference.commission_sql import build_commissions, read_plan_text

START = datetime(2025, 1, 1)  # noqa: DTZ001 - UTC without zone, as in the warehouse
REPS = [
    Rep("r1", "outside_rep", "north", "R1@x.example"),
    Rep("r2", "outside_rep", "south"),
    Rep("r3", "inside_rep", "north", employee_id="E3"),
    # Moves to the field in the middle of the deals.
    Rep("r4", "outside_rep", "south", changed_role_at=START + timedelta(days=100), earlier_role="inside_rep"),
]
PEOPLE = st.sampled_from([rep.rep_id for rep in REPS])
TYPES, PRODUCTS = ["New Business", "Renewal"], ["GTX Pro", "MG"]

# Few enough values that bounds are met exactly, running totals coincide and remainders tie.
cents = st.one_of(st.integers(-20_000, 500_000), st.sampled_from([0, 1, 10_000, 50_000, 100_000]))
amounts = cents.map(lambda value: Decimal(value) / 100)
percents = st.decimals("0", "150", places=4)

deals = st.builds(
    Deal,
    opportunity_id=st.just(""),
    amount=amounts,
    closed_at=st.integers(0, 200).map(lambda hours: START + timedelta(days=hours, hours=hours % 24)),
    owner=PEOPLE,
    sourced_by=st.none() | PEOPLE,
    splits=st.dictionaries(
        PEOPLE, st.sampled_from([Decimal(n) for n in ("33.33", "33.34", "50", "20", "0.01", "100")]), max_size=3
    ),
    opportunity_type=st.none() | st.sampled_from(TYPES),
    product=st.none() | st.sampled_from(PRODUCTS),
)
numbered_deals = st.lists(deals, min_size=1, max_size=40).map(
    lambda drawn: [Deal(**{**vars(deal), "opportunity_id": f"d{number:02}"}) for number, deal in enumerate(drawn)]
)

eligibility = st.fixed_dictionaries(
    {},
    optional={
        "all_of": st.just(["type:new_business"]),
        "any_of": st.just(["product:gtx_pro", "product:mg"]),
        "none_of": st.just(["type:renewal"]),
        "amount_at_least": st.just("100"),
        "amount_below": st.just("1000"),
    },
)


@st.composite
def components(draw: st.DrawFn, number: int) -> dict[str, Any]:
    component: dict[str, Any] = {
        "id": f"c{number}",
        "measure": draw(st.sampled_from(["bookings", "bookings", "bookings", "collected"])),
        "crediting": draw(st.sampled_from(["owner", "team", "splits"])),
    }
    if draw(st.booleans()):
        component["eligibility"] = draw(eligibility)
    match draw(st.sampled_from(["percent", "fixed", "tiers", "tiers"])):
        case "percent":
            return component | {"kind": "flat", "percent": str(draw(percents))}
        case "fixed":
            return component | {"kind": "flat", "fixed": "12.34"}
    basis = draw(st.sampled_from(["amount", "percent_of_quota"]))
    scope = draw(st.sampled_from(["month", "quarter", "year"] + (["per_deal"] if basis == "amount" else [])))
    scale = st.sampled_from([100, 500, 1000, 2500]) if basis == "amount" else st.decimals("0.01", "200", places=2)
    bounds = [Decimal(0), *sorted(draw(st.sets(scale.map(Decimal), max_size=3)))]
    table = [{"from": str(lower), "percent": str(draw(percents))} for lower in bounds]
    for tier, following in zip(table, bounds[1:], strict=False):
        tier["to"] = str(following)
    closure = draw(st.sampled_from(["[lo, hi)", "(lo, hi]"]))
    return component | {"kind": "marginal_tiers", "basis": basis, "scope": scope, "closure": closure, "tiers": table}


@st.composite
def plans(draw: st.DrawFn, plan_id: str) -> dict[str, Any]:
    weights = st.integers(1, 100)
    block = draw(
        st.sampled_from(
            [
                {"everyone": True},
                {"roles": ["outside_rep"]},
                {"roles": ["outside_rep", "inside_rep"], "teams": ["north"]},
                {"reps": ["r1@X.example", "e3"], "from": "2025-02-01", "to": "2025-04-30"},
            ]
        )
    )
    return {
        "id": plan_id,
        "effective_from": draw(st.sampled_from(["2024-01-01", "2025-02-15"])),
        "effective_to": draw(st.sampled_from([None, "2025-05-20"])),
        "participants": [block],
        "crediting": [
            {
                "id": "team",
                "split": [
                    {"party": "owner", "weight": draw(weights)},
                    {"party": "sourced_by", "weight": draw(weights)},
                ],
            },
            {
                "id": "splits",
                "split": [
                    {"party": "opportunity_splits", "weight": draw(weights)},
                    {"party": "sourced_by", "weight": draw(weights)},
                ],
            },
        ],
        "components": [draw(components(number)) for number in range(draw(st.integers(1, 4)))],
    }


quota_amounts = st.sampled_from(["0", "1000", "1300.01", "333.33"]).map(Decimal)
quotas = st.dictionaries(
    st.tuples(PEOPLE, st.integers(1, 7).map(lambda month: date(2025, month, 1))), quota_amounts, max_size=12
)

relaxed = settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def payments_for(deals: list[Deal]) -> list[Payment]:
    return [
        Payment(f"p-{deal.opportunity_id}", deal, deal.amount, deal.close_date + timedelta(days=30))
        for deal in deals[::2]
    ]


def read_lines(marts: duckdb.DuckDBPyConnection) -> dict[str, tuple[Any, ...]]:
    rows = marts.execute(
        """
        select lines.line_id, lines.rep_id, period_start, credited_amount, attainment_before_amount, attainment_after_amount,
            commission_minor_units, reached_tier_number,
            coalesce((
                select list((tier_number, slice_amount) order by tier_number)
                from marts.commission_line_slices as slices where slices.line_id = lines.line_id
            ), [])
        from marts.commission_lines as lines
        """
    ).fetchall()
    assert len({row[0] for row in rows}) == len(rows)
    return {
        row[0]: (*row[1:3], *map(Fraction, row[3:6]), *row[6:8], {tier: Fraction(amount) for tier, amount in row[8]})
        for row in rows
    }


@relaxed
@given(drawn=st.tuples(plans("first"), plans("second"), plans("third")), deals=numbered_deals, quotas=quotas)
def test_sql_lines_equal_the_oracle(
    drawn: tuple[dict[str, Any], ...], deals: list[Deal], quotas: dict[tuple[str, date], Decimal]
) -> None:
    files, payments = [read_plan_text(plan) for plan in drawn], payments_for(deals)
    marts = build_commissions(files, deals, REPS, quotas=quotas, payments=payments)
    expected = pay([file.content for file in files], deals, REPS, quotas, payments)
    got = read_lines(marts)
    assert got.keys() == expected.keys()
    for line_id, line in expected.items():
        assert got[line_id] == (
            line.rep_id,
            line.month,
            line.credited,
            line.before,
            line.after,
            line.cents,
            line.reached,
            line.slices,
        ), line_id
    # Statements are sums of lines.
    statements = marts.execute(
        "select rep_id, sum(commission_minor_units)::bigint from marts.commission_statements group by rep_id"
    ).fetchall()
    totals: dict[str, int] = defaultdict(int)
    for line in expected.values():
        totals[line.rep_id] += line.cents
    assert dict(statements) == totals


@settings(relaxed, max_examples=5)
@given(plan=plans("plan"), deals=numbered_deals, quotas=quotas, order=st.randoms(use_true_random=False))
def test_shuffling_the_input_changes_nothing(
    plan: dict[str, Any], deals: list[Deal], quotas: dict[tuple[str, date], Decimal], order: random.Random
) -> None:
    shuffled, reps, payments = order.sample(deals, len(deals)), order.sample(REPS, len(REPS)), payments_for(deals)
    before = read_lines(build_commissions([read_plan_text(plan)], deals, REPS, quotas=quotas, payments=payments))
    after = read_lines(
        build_commissions(
            [read_plan_text(plan)], shuffled, reps, quotas=quotas, payments=order.sample(payments, len(payments))
        )
    )
    assert before == after


def split_plan(percent: str) -> OperatorFile[Plan]:
    """A flat percent of what the CRM's opportunity splits give."""
    rule = {"id": "s", "split": [{"party": "opportunity_splits"}]}
    return read_plan_text(
        {
            "id": "p",
            "crediting": [rule],
            "components": [{"id": "c", "kind": "flat", "percent": percent, "crediting": "s"}],
        }
    )


@settings(relaxed, max_examples=3)
@given(
    drawn=st.lists(
        st.tuples(st.integers(1, 10_000_000), st.lists(st.integers(1, 9999), min_size=1, max_size=4)),
        min_size=20,
        max_size=60,
    )
)
def test_splits_sum_exactly_and_a_reversal_mirrors_its_original(drawn: list[tuple[int, list[int]]]) -> None:
    ids = [rep.rep_id for rep in REPS]
    original = [
        Deal(
            f"d{number}",
            Decimal(units) / 100,
            START,
            "r1",
            splits={who: Decimal(weight) / 100 for who, weight in zip(ids, weights, strict=False)},
        )
        for number, (units, weights) in enumerate(drawn)
    ]
    reversal = [
        Deal(**{**vars(deal), "opportunity_id": f"{deal.opportunity_id}-reversed", "amount": -deal.amount})
        for deal in original
    ]
    plan = split_plan("7.77")
    marts = build_commissions([plan], original + reversal, REPS)
    off = (
        "select event_id from incentives.int_credits group by event_id having sum(credited_amount) <> max(event_amount)"
    )
    assert marts.execute(off).fetchall() == []
    by_person = """
        select replace(record_id, '-reversed', ''), rep_id, sum(credited_amount), sum(commission_minor_units)
        from marts.commission_lines group by all
    """
    assert {row[2:] for row in marts.execute(by_person).fetchall()} == {(Decimal(0), 0)}


def test_of_deals_at_one_instant_the_lower_credit_id_counts_first() -> None:
    tiers = [{"from": 0, "to": 100, "percent": 10}, {"from": 100, "percent": 20}]
    plan = read_plan_text(
        {"id": "p", "components": [{"id": "c", "kind": "marginal_tiers", "scope": "month", "tiers": tiers}]}
    )
    marts = build_commissions([plan], [Deal(name, Decimal(100), START, "r1") for name in ("b", "a")], REPS)
    lines = marts.execute(
        "select record_id, commission_amount from marts.commission_lines order by record_id"
    ).fetchall()
    assert lines == [("a", Decimal("10.00")), ("b", Decimal("20.00"))]


def test_a_role_begins_at_its_first_instant_and_ends_before_the_next() -> None:
    change = START + timedelta(days=100)
    plans = [
        read_plan_text(
            {"id": role, "participants": [{"roles": [role]}], "components": [{"id": "c", "kind": "flat", "fixed": "1"}]}
        )
        for role in ("inside_rep", "outside_rep")
    ]
    deals = [Deal("before", Decimal(1), change - timedelta(microseconds=1), "r4"), Deal("at", Decimal(1), change, "r4")]
    marts = build_commissions(plans, deals, REPS)
    lines = marts.execute("select record_id, plan_id from marts.commission_lines order by record_id").fetchall()
    assert lines == [("at", "outside_rep"), ("before", "inside_rep")]


def test_thirds_leave_the_odd_cent_to_the_first_id() -> None:
    deal = Deal("d", Decimal("100.00"), START, "r1", splits={who: Decimal(1) for who in ("r3", "r2", "r1")})
    plan = split_plan("10")
    marts = build_commissions([plan], [deal], REPS)
    credits = marts.execute("select rep_id, credited_amount from incentives.int_credits order by rep_id").fetchall()
    assert credits == [("r1", Decimal("33.34")), ("r2", Decimal("33.33")), ("r3", Decimal("33.33"))]


def test_a_bound_on_attainment_is_not_rounded_to_cents() -> None:
    tiers = [{"from": 0, "to": "33.33", "percent": 10}, {"from": "33.33", "percent": 20}]
    component = {"id": "c", "kind": "marginal_tiers", "basis": "percent_of_quota", "scope": "month", "tiers": tiers}
    plan = read_plan_text({"id": "p", "components": [component]})
    amount = Decimal("1300000.01")
    marts = build_commissions([plan], [Deal("d", amount, START, "r1")], REPS, quotas={("r1", date(2025, 1, 1)): amount})
    slices = marts.execute("select slice_amount from marts.commission_line_slices order by tier_number").fetchall()
    assert slices == [(Decimal("433290.003333"),), (Decimal("866710.006667"),)]


def test_a_rep_without_quota_is_paid_nothing_with_the_reason() -> None:
    component = {
        "id": "c",
        "kind": "marginal_tiers",
        "basis": "percent_of_quota",
        "scope": "month",
        "tiers": [{"from": 0, "percent": 10}],
    }
    marts = build_commissions(
        [read_plan_text({"id": "p", "components": [component]})], [Deal("d", Decimal(100), START, "r1")], REPS
    )
    assert marts.execute("select line_status, commission_minor_units from marts.commission_lines").fetchall() == [
        ("no_quota", 0)
    ]
    assert marts.execute(
        "select lines_without_quota, commission_amount from marts.commission_statements"
    ).fetchall() == [(1, Decimal("0.00"))]


def test_a_currency_without_decimals_is_paid_in_whole_units() -> None:
    plan = read_plan_text(
        {"id": "p", "payout_currency": "JPY", "components": [{"id": "c", "kind": "flat", "percent": "2.5"}]}
    )
    marts = build_commissions(
        [plan], [Deal("d", Decimal(100), START, "r1"), Deal("e", Decimal(-100), START, "r2")], REPS, currency="JPY"
    )
    rows = marts.execute(
        "select commission_minor_units, currency_exponent, commission_amount from marts.commission_lines order by rep_id"
    ).fetchall()
    assert rows == [(3, 0, Decimal("3.00")), (-3, 0, Decimal("-3.00"))]


def test_a_currency_with_three_decimals_is_credited_and_paid_to_the_thousandth() -> None:
    split = {who: Decimal(1) for who in ("r3", "r2", "r1")}
    plan = read_plan_text(
        {
            "id": "p",
            "payout_currency": "KWD",
            "crediting": [{"id": "s", "split": [{"party": "opportunity_splits"}]}],
            "components": [{"id": "c", "kind": "flat", "percent": "2.5", "crediting": "s"}],
        }
    )
    marts = build_commissions([plan], [Deal("d", Decimal("100.00"), START, "r1", splits=split)], REPS, currency="KWD")
    rows = marts.execute(
        "select rep_id, credited_amount, commission_minor_units, currency_exponent, commission_amount from marts.commission_lines order by rep_id"
    ).fetchall()
    # 33.334 × 2.5 % = 0.83335; 33.333 × 2.5 % = 0.833325.
    assert rows == [
        ("r1", Decimal("33.334"), 833, 3, Decimal("0.833")),
        ("r2", Decimal("33.333"), 833, 3, Decimal("0.833")),
        ("r3", Decimal("33.333"), 833, 3, Decimal("0.833")),
    ]


def pay_adjusted(
    *adjustments: dict[str, Any], deals: tuple[str, ...] = ("100", "200", "1000")
) -> list[tuple[str, Decimal]]:
    """What 1.005 % of these deals of one rep in one month pays, line by line, with these adjustments beside it."""
    plan = read_plan_text({"id": "p", "components": [{"id": "c", "kind": "flat", "percent": "1.005"}]})
    period = {
        "rep_id": "r1",
        "plan_id": "p",
        "component_id": "c",
        "period_grain": "month",
        "period_start": date(2025, 1, 1),
        "currency": "USD",
    }
    rows = [{"adjustment_id": f"a{number}", "line_id": None, **period, **row} for number, row in enumerate(adjustments)]
    sold = [Deal(f"d{number}", Decimal(amount), START, "r1") for number, amount in enumerate(deals)]
    marts = build_commissions([plan], sold, REPS, adjustments=rows)
    lines = marts.execute(
        "select record_id, commission_amount, commission_minor_units from marts.commission_lines order by record_id"
    ).fetchall()
    assert all(amount == Decimal(units) / 100 for _, amount, units in lines)
    return [line[:2] for line in lines]


def test_an_adjustment_of_a_line_is_added_before_the_one_rounding() -> None:
    # Unrounded the lines pay 1.005, 2.01 and 10.05.
    assert pay_adjusted() == [("d0", Decimal("1.01")), ("d1", Decimal("2.01")), ("d2", Decimal("10.05"))]
    more = {"line_id": "p/owner/bookings:d0/r1/c", "adjustment_kind": "spiff", "adjustment_amount": Decimal("0.0099")}
    less = {"line_id": "p/owner/bookings:d1/r1/c", "adjustment_kind": "cap", "adjustment_amount": Decimal("-1.5")}
    # 1.0149 is 1.01: added after the rounding it would be 1.02.
    assert pay_adjusted(more, less) == [("d0", Decimal("1.01")), ("d1", Decimal("0.51")), ("d2", Decimal("10.05"))]


def test_an_adjustment_of_a_period_is_divided_by_what_the_lines_pay_and_adds_up() -> None:
    whole = {"adjustment_kind": "cap", "adjustment_amount": Decimal("-3.00")}
    # -3.00 by 101 : 201 : 1005 cents is -0.23, -0.46, -2.30 and a cent left, which goes to the largest remainder (d2).
    # Then 1.005 - 0.23 = 0.775, 2.01 - 0.46 = 1.55, 10.05 - 2.31 = 7.74.
    assert pay_adjusted(whole) == [("d0", Decimal("0.78")), ("d1", Decimal("1.55")), ("d2", Decimal("7.74"))]


def test_where_no_line_pays_anything_an_adjustment_is_divided_evenly() -> None:
    floor = {"adjustment_kind": "guarantee", "adjustment_amount": Decimal("10.00")}
    assert pay_adjusted(floor, deals=("0", "0", "0")) == [
        ("d0", Decimal("3.34")),
        ("d1", Decimal("3.33")),
        ("d2", Decimal("3.33")),
    ]


def test_there_are_no_adjustments_yet_and_their_columns_are_fixed() -> None:
    marts = build_commissions([], [], REPS)
    described = marts.execute(
        "select column_name, column_type from (describe incentives.int_commission_adjustments)"
    ).fetchall()
    assert dict(described) == {
        **dict.fromkeys(("adjustment_id", "rep_id", "plan_id", "component_id", "period_grain"), "VARCHAR"),
        "period_start": "DATE",
        **dict.fromkeys(("line_id", "adjustment_kind"), "VARCHAR"),
        "adjustment_amount": "DECIMAL(38,12)",
        **dict.fromkeys(("currency", "reason"), "VARCHAR"),
    }
    assert marts.execute("select count(*) from incentives.int_commission_adjustments").fetchone() == (0,)
