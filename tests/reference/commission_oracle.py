"""A second commission engine, slow and obvious: loops and fractions, one deal at a time. The SQL must pay what this pays."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from math import floor

from incentives.mechanics.flat import FlatComponent
from incentives.plans import Plan

CENT = Fraction(1, 100)


@dataclass(frozen=True)
class Rep:
    rep_id: str
    role: str = "rep"
    team: str = "north"
    email: str | None = None
    employee_id: str | None = None
    # Until this instant the rep held `earlier_role`.
    changed_role_at: datetime | None = None
    earlier_role: str | None = None

    def role_at(self, instant: datetime) -> str:
        return (
            self.earlier_role
            if self.changed_role_at and self.earlier_role and instant < self.changed_role_at
            else self.role
        )


@dataclass(frozen=True)
class Deal:
    opportunity_id: str
    amount: Decimal
    closed_at: datetime
    owner: str
    sourced_by: str | None = None
    splits: dict[str, Decimal] = field(default_factory=dict)  # rep id: percent, as in the CRM
    opportunity_type: str | None = None
    product: str | None = None

    @property
    def close_date(self) -> date:
        return self.closed_at.date()


@dataclass(frozen=True)
class Payment:
    payment_id: str
    deal: Deal
    amount: Decimal
    paid_on: date


@dataclass(frozen=True)
class Event:
    event_id: str
    measure: str
    at: datetime
    day: date
    amount: Fraction
    deal: Deal


@dataclass
class Line:
    line_id: str
    rep_id: str
    month: date
    credited: Fraction
    before: Fraction
    after: Fraction
    cents: int
    slices: dict[int, Fraction]
    reached: int | None


def pay(
    plans: list[Plan],
    deals: list[Deal],
    reps: list[Rep],
    quotas: dict[tuple[str, date], Decimal],
    payments: list[Payment] | None = None,
    fiscal_start: int = 2,
) -> dict[str, Line]:
    """Every commission line by id. Quotas are by rep and first day of the month; the fiscal year starts in `fiscal_start`."""
    events = [
        Event(
            f"bookings:{deal.opportunity_id}", "bookings", deal.closed_at, deal.close_date, Fraction(deal.amount), deal
        )
        for deal in deals
    ]
    for payment in payments or []:
        at = datetime(payment.paid_on.year, payment.paid_on.month, payment.paid_on.day)  # noqa: DTZ001 - as in the warehouse
        events.append(
            Event(
                f"collected:{payment.payment_id}",
                "collected",
                at,
                payment.paid_on,
                Fraction(payment.amount),
                payment.deal,
            )
        )
    people = {rep.rep_id: rep for rep in reps}
    lines: dict[str, Line] = {}
    for plan in plans:
        for component in plan.components:
            counted = []
            for event in events:
                if event.measure != component.measure or not _is_eligible(component.eligibility, event):
                    continue
                if event.day < plan.effective_from or (plan.effective_to and event.day > plan.effective_to):
                    continue
                rule = next(rule for rule in plan.crediting_rules if rule.id == component.crediting)
                for rep_id, amount in split(event.amount, _weigh(rule, event.deal)).items():
                    if _takes_part(plan, people[rep_id], event):
                        counted.append(
                            (event.at, f"{plan.id}/{rule.id}/{event.event_id}/{rep_id}", rep_id, amount, event)
                        )
            running: dict[tuple[str, object], Fraction] = defaultdict(Fraction)
            for at, credit_id, rep_id, amount, event in sorted(counted, key=lambda row: row[:2]):
                scope = "per_deal" if isinstance(component, FlatComponent) else component.scope
                key = (rep_id, credit_id if scope == "per_deal" else period_start(event.day, scope, fiscal_start))
                before = running[key]
                running[key] += amount
                line_id = f"{credit_id}/{component.id}"
                lines[line_id] = _price(component, line_id, rep_id, event, amount, before, quotas, scope, fiscal_start)
                assert at == event.at
    return lines


def split(amount: Fraction, weights: dict[str, int]) -> dict[str, Fraction]:
    """Largest remainder: everyone gets the whole cents of the share; the cents left go to the largest remainders, ties by id."""
    cents, sign = abs(amount) / CENT, -1 if amount < 0 else 1
    assert cents.denominator == 1
    exact = {who: cents * weight / sum(weights.values()) for who, weight in weights.items()}
    given = {who: floor(share) for who, share in exact.items()}
    by_remainder = sorted(exact, key=lambda who: (given[who] - exact[who], who))
    for who in by_remainder[: int(cents) - sum(given.values())]:
        given[who] += 1
    return {who: sign * units * CENT for who, units in given.items()}


def period_start(day: date, scope: str, fiscal_start: int) -> date:
    months_in = {"month": 1, "quarter": 3, "year": 12}[scope]
    back = (day.month - fiscal_start) % months_in if scope != "month" else 0
    month = day.year * 12 + day.month - 1 - back
    return date(month // 12, month % 12 + 1, 1)


def round_half_away(value: Fraction) -> int:
    magnitude = floor(abs(value) + Fraction(1, 2))
    return -magnitude if value < 0 else magnitude


def _weigh(rule, deal: Deal) -> dict[str, int]:
    weights: dict[str, Fraction] = defaultdict(Fraction)
    for credited in rule.split:
        match credited.party:
            case "owner":
                people = {deal.owner: Fraction(1)}
            case "sourced_by":
                people = {deal.sourced_by: Fraction(1)} if deal.sourced_by else {}
            case "opportunity_splits":
                total = sum(Fraction(percent) for percent in deal.splits.values())
                people = {who: Fraction(percent) / total for who, percent in deal.splits.items()} or {
                    deal.owner: Fraction(1)
                }
        for who, share in people.items():
            weights[who] += credited.weight * share
    scale = 1
    for weight in weights.values():
        scale = scale * weight.denominator
    return {who: int(weight * scale) for who, weight in weights.items()}


def _is_eligible(eligibility, event: Event) -> bool:
    tags = set()
    if event.deal.opportunity_type:
        tags.add("type:" + event.deal.opportunity_type.lower().replace(" ", "_"))
    if event.deal.product:
        tags.add("product:" + event.deal.product.lower().replace(" ", "_"))
    if not tags.issuperset(eligibility.all_of) or tags & set(eligibility.none_of):
        return False
    if eligibility.any_of and not tags & set(eligibility.any_of):
        return False
    if eligibility.amount_at_least is not None and event.amount < Fraction(eligibility.amount_at_least):
        return False
    return eligibility.amount_below is None or event.amount < Fraction(eligibility.amount_below)


def _takes_part(plan: Plan, rep: Rep, event: Event) -> bool:
    names = {name.lower() for name in (rep.rep_id, rep.email, rep.employee_id) if name}
    for block in plan.participants:
        if (block.from_date and event.day < block.from_date) or (block.to_date and event.day > block.to_date):
            continue
        if (block.roles and rep.role_at(event.at) not in block.roles) or (block.teams and rep.team not in block.teams):
            continue
        if block.reps and not names & {name.lower() for name in block.reps}:
            continue
        return True
    return False


def _price(component, line_id, rep_id, event, amount, before, quotas, scope, fiscal_start) -> Line:
    after, month = before + amount, event.day.replace(day=1)
    if isinstance(component, FlatComponent):
        if component.fixed is not None:
            cents = round_half_away(Fraction(component.fixed) / CENT) * (-1 if event.amount < 0 else 1)
            return Line(line_id, rep_id, month, amount, before, after, cents, {}, None)
        table = [(Fraction(0), None, Fraction(component.percent) / 100)]
        closure = "[lo, hi)"
    else:
        unit = Fraction(1)
        if component.basis == "percent_of_quota":
            start, quota = period_start(event.day, scope, fiscal_start), Fraction(0)
            for (who, month_start), monthly in quotas.items():
                if who == rep_id and period_start(month_start, scope, fiscal_start) == start:
                    quota += Fraction(monthly)
            if quota <= 0:
                return Line(line_id, rep_id, month, amount, before, after, 0, {}, None)
            unit = quota / 100
        table = []
        for tier in component.tiers:
            upper_bound = None if tier.upper is None else Fraction(tier.upper) * unit
            table.append((Fraction(tier.lower) * unit, upper_bound, Fraction(tier.percent) / 100))
        closure = component.closure
    total, slices, reached = Fraction(0), {}, None
    for number, (lower, upper, rate) in enumerate(table, start=1):
        part = _inside(after, lower, upper) - _inside(before, lower, upper)
        if part:
            slices[number] = part
            total += part * rate
        above = number == 1 or (after >= lower if closure == "[lo, hi)" else after > lower)
        below = upper is None or (after < upper if closure == "[lo, hi)" else after <= upper)
        if above and below:
            reached = number
    return Line(line_id, rep_id, month, amount, before, after, round_half_away(total / CENT), slices, reached)


def _inside(total: Fraction, lower: Fraction, upper: Fraction | None) -> Fraction:
    """How much of an amount lies between two bounds; below zero the table is mirrored."""
    size = abs(total)
    top = size if upper is None else min(size, upper)
    inside = max(Fraction(0), top - lower)
    return -inside if total < 0 else inside
