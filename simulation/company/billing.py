"""Invoices, payments and quotas: what the finance department makes of won deals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.company.business_time import HOUR, BusinessCalendar, Ints, day_number, month_number
from simulation.company.deal_steps import CORRECTED, NO_OFFER, Offers
from simulation.company.deals import DealLives, Deals
from simulation.company.market import RATE_SCALE, Market
from simulation.company.people import People
from simulation.company.randomness import Randomness, draw_index, draw_true, repeat_ranges
from simulation.company.sizes import Size
from simulation.company.steps import NEVER, StepTable
from simulation.company.vocabulary import OUTSIDE, WON

WARM_UP_DAYS = 90
QUOTA_STEP = 500_00


@dataclass
class Invoices:
    """One row per invoice; amounts in cents of the deal's currency, days in New York."""

    deal: Ints
    day: Ints
    due: Ints
    amount: Ints
    visible_from: Ints


@dataclass
class Payments:
    """One row per payment."""

    invoice: Ints
    day: Ints
    amount: Ints
    visible_from: Ints


@dataclass
class Quotas:
    """One row per outside rep and month, in cents of US dollars."""

    person: Ints
    month: Ints
    amount: Ints
    visible_from: Ints


def bill(
    deals: Deals, lives: DealLives, offers: Offers, steps: StepTable, calendar: BusinessCalendar, chance: Randomness
) -> tuple[Invoices, Payments]:
    """Invoice every won deal, in one or several parts, and collect most of the money, some of it partially or late."""
    rng = chance.stream("billing")
    won = np.flatnonzero(lives.won & (lives.deleted == NEVER) & (lives.closed < NEVER))
    version = np.full(len(deals), NO_OFFER)
    at_close = (steps.state["stage"] == WON) & (steps.state["offer"] != CORRECTED)
    version[steps.entity[at_close]] = steps.state["offer"][at_close]
    won = won[version[won] >= 0]
    total = offers.amount[won, version[won]]
    parts = np.where(
        deals.segment[won] == 0, 1, np.array([1, 2, 3, 4])[draw_index(rng, [0.4, 0.25, 0.15, 0.2], len(won))]
    )
    row, place = repeat_ranges(parts)
    share = total[row] // parts[row]
    amount = np.where(place == parts[row] - 1, total[row] - share * (parts[row] - 1), share)
    day = calendar.next_workday(calendar.day(lives.closed[won])[row] + rng.integers(1, 12, len(won))[row] + place * 30)
    invoices = Invoices(won[row], day, day + 30, amount, _known(calendar, day, rng, 2))

    count = len(day)
    paid = draw_true(rng, 0.96, count)
    in_two = draw_true(rng, 0.14, count)
    pieces = np.where(paid, np.where(in_two, 2, 1), 0)
    invoice, number = repeat_ranges(pieces)
    first = (amount * rng.uniform(0.3, 0.7, count)).astype(np.int64)
    unpaid_rest = draw_true(rng, 0.15, count)
    value = np.where(
        in_two[invoice], np.where(number == 0, first[invoice], amount[invoice] - first[invoice]), amount[invoice]
    )
    delay = np.where(draw_true(rng, 0.22, count), rng.integers(31, 95, count), rng.integers(8, 31, count))
    paid_on = calendar.next_workday(day[invoice] + delay[invoice] + number * 25)
    kept = ~((number == 1) & unpaid_rest[invoice])
    return invoices, Payments(invoice[kept], paid_on[kept], value[kept], _known(calendar, paid_on[kept], rng, 4))


def _known(calendar: BusinessCalendar, day: Ints, rng: np.random.Generator, longest: int) -> Ints:
    """Feeds are written at 4 a.m.; an entry appears the next morning or some days later."""
    return calendar.at(
        day + 1 + rng.integers(0, longest, len(day)) * draw_true(rng, 0.2, len(day)), np.full(len(day), 4 * HOUR)
    )


def set_quotas(
    deals: Deals, lives: DealLives, offers: Offers, market: Market, people: People, size: Size, chance: Randomness
) -> Quotas:
    """Set monthly quotas for outside reps, many of them attainable; new reps start at half."""
    rng, calendar = chance.stream("quotas"), people.calendar
    first, last = day_number(size.start), day_number(size.clock_day) + size.days_ahead
    closed_day = calendar.day(np.minimum(lives.closed, 1 << 32))
    steady = lives.won & (closed_day >= first + WARM_UP_DAYS) & (closed_day < last) & (lives.deleted == NEVER)
    dollars = (offers.amount[:, 2] * RATE_SCALE // market.rate_on(deals.currency, closed_day))[steady].sum()
    reps = [person for person in people.persons if person.role == OUTSIDE]
    rep_days = sum(max(min(person.left, last) - max(person.hired, first + WARM_UP_DAYS), 0) for person in reps)
    fair = dollars / max(rep_days / 30.4, 1) * 1.02
    rows = []
    months = np.unique(month_number(np.arange(first, last)))
    season = 1 + 0.08 * np.sin(np.arange(12) * 2 * np.pi / 12)
    for person in reps:
        personal = rng.normal(1.0, 0.08) + 0.15 * person.skill.mean()
        for month in months:
            begins = int(np.datetime64(int(month), "M").astype("datetime64[D]").astype(np.int64))
            if begins + 31 <= person.hired or begins > person.left:
                continue
            ramp = 0.5 if begins - person.hired < 90 else 1.0
            build_up = min(1.0, 0.3 + 0.7 * (begins - first) / WARM_UP_DAYS)
            rows.append(
                (
                    person.index,
                    month,
                    round(fair * personal * ramp * build_up * season[month % 12] / QUOTA_STEP) * QUOTA_STEP,
                    begins - 10,
                )
            )
    table = np.array(rows, dtype=np.int64).reshape(-1, 4)
    return Quotas(table[:, 0], table[:, 1], table[:, 2], calendar.at(table[:, 3], np.full(len(table), 4 * HOUR)))
