"""Leads: where they come from, how good they truly are, and how each one ends.

Inbound: web form → assigned automatically → e-mail → qualifying meeting → converted, or disqualified, or nurtured and
contacted again. Outbound: an inside rep finds the lead and cold-calls. After conversion it is a deal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.company.business_time import (
    DAY,
    HOUR,
    Bools,
    BusinessCalendar,
    Floats,
    Ints,
    draw_second_of_day,
    instant,
)
from simulation.company.market import SOURCE_EFFECT, SOURCE_SHARE, Market, campaign_of
from simulation.company.ownership import Ownership, play_ownership
from simulation.company.people import People
from simulation.company.randomness import Randomness, draw_index, draw_true, sigmoid
from simulation.company.sizes import Size
from simulation.company.steps import NEVER, StepLog, StepTable
from simulation.company.vocabulary import (
    CONVERTED,
    COUNTRIES,
    DISQUALIFIED,
    DISQUALIFIED_REASONS,
    INDUSTRIES,
    INSIDE,
    NURTURING,
    QUALIFIED,
    WORKING,
)

AUTOMATED = -1
INDUSTRY_EFFECT = np.array([0.45, 0.1, 0.15, -0.3, 0.3, 0.0, -0.55, -0.15])
SEGMENT_EFFECT = np.array([-0.25, 0.3, 0.15])
COUNTRY_EFFECT = np.array([0.1, 0.0, 0.05, -0.25, -0.3, 0.0])


@dataclass
class Leads:
    """What is known of each lead at creation, and its true quality.

    Attributes:
        identity: The lead whose person and company it has: itself, or the original of a duplicate.
        quality: True conversion probability if contacted at once.
        appeal: The log odds behind `quality`; deals inherit it.
        creator: Person who entered it (AUTOMATED for web forms and lists).
    """

    created_at: Ints
    process: Ints
    source: Ints
    campaign: Ints
    segment: Ints
    industry: Ints
    country: Ints
    employees: Ints
    web_visits: Ints
    title: Ints
    rating: Ints
    identity: Ints
    creator: Ints
    appeal: Floats
    quality: Floats

    def __len__(self) -> int:
        return len(self.created_at)


@dataclass
class LeadLives:
    """The outcome of each lead; times are NEVER if it did not happen."""

    owners: Ownership
    first_touch: Ints
    by_call: Bools
    nurtured: Ints
    contacted_again: Ints
    converted: Ints
    disqualified: Ints
    working_until: Ints
    merged: Ints
    master: Ints
    deleted: Ints
    likelihood: Floats
    steps: StepTable


def draw_leads(size: Size, people: People, market: Market, chance: Randomness) -> Leads:
    """Draw a region's leads over the whole horizon, in creation order, including duplicates."""
    rng, calendar = chance.stream("leads"), people.calendar
    history = market.season[: (size.clock_day - size.start).days + 10].sum()
    count = int(size.leads * 0.97 * market.season.sum() / history)
    process = draw_index(rng, [0.45, 0.55], count)
    created = _creation_times(calendar, market, rng, process)
    order = np.argsort(created, kind="stable")
    created, process = created[order], process[order]
    source = np.empty(count, dtype=np.int64)
    for kind, shares in SOURCE_SHARE.items():
        rows = process == kind
        source[rows] = np.array(list(shares))[draw_index(rng, list(shares.values()), int(rows.sum()))]
    segment = draw_index(rng, [0.55, 0.31, 0.14], count)
    industry = draw_index(rng, [22, 16, 13, 12, 13, 10, 7, 7], count)
    country = draw_index(rng, [70, 6, 10, 6, 5, 3], count)
    employees = np.exp(rng.normal(np.array([3.4, 5.6, 7.8])[segment], 0.55)).astype(np.int64) + 2
    interest = rng.normal(0, 0.9, count)
    web_visits = rng.poisson(np.where(process == 1, 3.2, 0.5) * np.exp(0.8 * interest))
    campaign = campaign_of(market, rng, source, calendar.day(created))
    lift = np.append([c.lift for c in market.campaigns], 0.0)[campaign]
    fit = SOURCE_EFFECT[source] + INDUSTRY_EFFECT[industry] + SEGMENT_EFFECT[segment] + COUNTRY_EFFECT[country] + lift
    right_sized = -0.5 * np.abs(np.log(employees) - 5.4)
    appeal = (
        0.5 + fit + right_sized + 0.75 * (np.log1p(web_visits) - 0.9) + 0.25 * interest + rng.normal(0, 0.55, count)
    )
    creator = np.where(process == 0, people.assign(rng, INSIDE, created), AUTOMATED)
    creator[source == 1] = AUTOMATED  # purchased lists are loaded by the integration
    rating = np.digitize(appeal + rng.normal(0, 1.0, count), [-0.9, 0.4])
    leads = Leads(
        created, process, source, campaign, segment, industry, country, employees, web_visits, draw_index(rng, [1] * 8, count),
        rating, np.arange(count), creator, appeal, sigmoid(appeal),
    )  # fmt: skip
    return _with_duplicates(leads, size, calendar, rng)


def _creation_times(calendar: BusinessCalendar, market: Market, rng: np.random.Generator, process: Ints) -> Ints:
    at = np.empty(len(process), dtype=np.int64)
    for kind, idle_weight in ((0, 0.0), (1, 0.3)):
        rows = np.flatnonzero(process == kind)
        days = calendar.first_day + draw_index(
            rng, market.season * np.where(calendar.is_workday, 1.0, idle_weight), len(rows)
        )
        second = draw_second_of_day(rng, len(rows))
        if kind == 1:
            second = np.where(rng.random(len(rows)) < 0.3, rng.integers(0, DAY, len(rows)), second)
        at[rows] = calendar.at(days, second)
    return at


def _with_duplicates(leads: Leads, size: Size, calendar: BusinessCalendar, rng: np.random.Generator) -> Leads:
    """Add leads that duplicate others: the same person fills in the form again, or a list repeats them."""
    original = np.flatnonzero(draw_true(rng, 0.031, len(leads)))
    again = leads.created_at[original] + rng.integers(DAY, 60 * DAY, len(original))
    kept = again < instant(size.horizon_end) - 2 * DAY
    original, again = original[kept], again[kept]
    columns = {name: np.concatenate([values, values[original]]) for name, values in vars(leads).items()}
    new = slice(len(leads), None)
    columns["created_at"][new] = again
    columns["process"][new], columns["source"][new], columns["campaign"][new] = 1, 3, -1
    columns["creator"][new] = AUTOMATED
    columns["web_visits"][new] += rng.poisson(1.0, len(original))
    return Leads(**columns)


def play_leads(leads: Leads, size: Size, people: People, chance: Randomness) -> LeadLives:
    """Play each lead to its end."""
    rng, count, end = chance.stream("lead lives"), len(leads), instant(size.horizon_end)
    created = leads.created_at
    assigned = np.where(leads.creator >= 0, created, created + rng.integers(40, 600, count))
    owner = np.where(leads.creator >= 0, leads.creator, people.assign(rng, INSIDE, assigned))
    ends = assigned + 150 * DAY
    owners = play_ownership(people, rng, INSIDE, owner, assigned, 0.04, ends)

    wait = np.where(
        leads.process == 1, np.exp(rng.normal(np.log(0.9), 1.3, count)), np.exp(rng.normal(np.log(9.0), 1.2, count))
    )
    first_touch = people.at_work(rng, owner, assigned + (np.minimum(wait, 300) * HOUR).astype(np.int64) + 60)
    first_touch = np.maximum(first_touch, assigned + rng.integers(60, 1800, count))
    is_duplicate = leads.identity != np.arange(count)
    untouched = draw_true(rng, 0.035, count) | (is_duplicate & draw_true(rng, 0.6, count))
    first_touch = np.where(untouched, NEVER, first_touch)
    hours = np.where(untouched, 0, (first_touch - created) / HOUR)
    likelihood = np.where(untouched, 0.0, sigmoid(leads.appeal - 0.13 * np.log1p(hours)))

    draw = rng.random(count)
    direct = ~is_duplicate & (draw < likelihood * 0.78)
    undecided = ~direct & ~untouched & draw_true(rng, 0.42, count)
    dropped = ~direct & ~undecided & ~untouched & draw_true(rng, 0.8, count)
    working = np.exp(rng.normal(np.log(9), 0.6, count)) * DAY
    assessed = people.at_work(
        rng, owners.owner_at(np.arange(count), first_touch), first_touch + 3 * HOUR + working.astype(np.int64)
    )
    again = people.at_work(rng, owner, assessed + rng.integers(28 * DAY, 95 * DAY, count))
    reassessed = again + (working * 0.6).astype(np.int64) + 3 * HOUR
    reassessed = people.at_work(rng, owners.owner_at(np.arange(count), reassessed), reassessed)
    won_over = undecided & ~is_duplicate & (draw < likelihood * 0.78 + (1 - likelihood * 0.78) * likelihood * 0.5)
    given_up = undecided & ~won_over & draw_true(rng, 0.45, count)
    converted = np.where(direct, assessed, np.where(won_over, reassessed, NEVER))
    disqualified = np.where(dropped, assessed, np.where(given_up, reassessed, NEVER))

    lives = LeadLives(
        owners=owners,
        first_touch=first_touch,
        by_call=(leads.process == 0) | draw_true(rng, 0.25, count),
        nurtured=np.where(undecided, assessed, NEVER),
        contacted_again=np.where(undecided, again, NEVER),
        converted=converted,
        disqualified=disqualified,
        working_until=np.minimum(np.where(undecided, again, assessed), end),
        merged=np.full(count, NEVER),
        master=np.full(count, -1),
        deleted=np.full(count, NEVER),
        likelihood=likelihood,
        steps=_no_steps(),
    )
    _merge_and_delete(leads, lives, is_duplicate, rng)
    lives.steps = _log_steps(leads, lives, assigned, reassessed, undecided & ~won_over & ~given_up, rng, end)
    return lives


def _no_steps() -> StepTable:
    empty = np.empty(0, dtype=np.int64)
    return StepTable(empty, empty, empty, empty, {}, {}, empty.astype(bool))


def _merge_and_delete(leads: Leads, lives: LeadLives, is_duplicate: Bools, rng: np.random.Generator) -> None:
    count = len(leads)
    merged = is_duplicate & draw_true(rng, 0.8, count)
    lives.merged = np.where(merged, leads.created_at + rng.integers(6 * HOUR, 20 * DAY, count), NEVER)
    lives.master = np.where(merged, leads.identity, -1)
    has_duplicate = np.isin(np.arange(count), leads.identity[is_duplicate])
    spam = ~is_duplicate & ~has_duplicate & (lives.converted == NEVER) & draw_true(rng, 0.035, count)
    lives.deleted = np.where(spam, leads.created_at + rng.integers(2 * HOUR, 45 * DAY, count), NEVER)
    gone = np.minimum(lives.merged, lives.deleted)
    for name in ("first_touch", "nurtured", "contacted_again", "converted", "disqualified"):
        times = getattr(lives, name)
        setattr(lives, name, np.where(times < gone, times, NEVER))
    lives.working_until = np.minimum(lives.working_until, gone)


def _log_steps(
    leads: Leads,
    lives: LeadLives,
    assigned: Ints,
    reassessed: Ints,
    nurtured_on: Bools,
    rng: np.random.Generator,
    end: int,
) -> StepTable:
    log = StepLog(
        status=0, owner=AUTOMATED, reason=-1, industry=-1, employees=-1, is_converted=0, is_deleted=0, is_merged=0
    )
    every = np.arange(len(leads))

    def at(times: Ints) -> Ints:
        return np.flatnonzero(times < NEVER)

    def owner(rows: Ints, times: Ints) -> Ints:
        return lives.owners.owner_at(rows, times)

    log.add(
        every, leads.created_at, leads.creator, owner=leads.creator, industry=leads.industry, employees=leads.employees
    )
    rows = np.flatnonzero(leads.creator == AUTOMATED)
    log.add(rows, assigned[rows], AUTOMATED, owner=lives.owners.owners[rows, 0])
    over = np.minimum(lives.converted, lives.disqualified)
    for turn in range(1, 4):
        moved = lives.owners.since[:, turn]
        rows = np.flatnonzero((moved < NEVER) & (moved < over))
        log.add(rows, moved[rows], AUTOMATED, owner=lives.owners.owners[rows, turn])
    rows = at(lives.first_touch)
    log.add(
        rows,
        lives.first_touch[rows] + rng.integers(200, 2400, len(rows)),
        owner(rows, lives.first_touch[rows]),
        status=WORKING,
    )
    for times, status, delay in ((lives.nurtured, NURTURING, 120), (lives.contacted_again, WORKING, 900)):
        rows = at(times)
        log.add(rows, times[rows] + delay, owner(rows, times[rows]), status=status)
    rows = np.flatnonzero(nurtured_on & (lives.nurtured < NEVER))
    log.add(rows, reassessed[rows] + 300, owner(rows, reassessed[rows]), status=NURTURING)
    rows = at(lives.converted)
    qualified = lives.converted[rows] - rng.integers(600, 2 * HOUR, len(rows))
    log.add(rows, qualified, owner(rows, qualified), status=QUALIFIED)
    log.add(rows, lives.converted[rows], owner(rows, lives.converted[rows]), status=CONVERTED, is_converted=1)
    rows = at(lives.disqualified)
    log.add(
        rows,
        lives.disqualified[rows],
        owner(rows, lives.disqualified[rows]),
        status=DISQUALIFIED,
        reason=rng.integers(0, len(DISQUALIFIED_REASONS), len(rows)),
    )
    rows = np.flatnonzero(draw_true(rng, 0.06, len(leads)) & (lives.first_touch < NEVER))
    edited = lives.first_touch[rows] + rng.integers(HOUR, 12 * DAY, len(rows))
    rows, edited = rows[edited < over[rows]], edited[edited < over[rows]]
    half = rng.random(len(rows)) < 0.5
    log.add(
        rows[half],
        edited[half],
        owner(rows[half], edited[half]),
        industry=rng.integers(0, len(INDUSTRIES), int(half.sum())),
    )
    log.add(rows[~half], edited[~half], owner(rows[~half], edited[~half]), employees=leads.employees[rows[~half]] * 2)
    rows = at(lives.merged)
    log.add(rows, lives.merged[rows], owner(rows, lives.merged[rows]), is_merged=1, is_deleted=1)
    rows = at(lives.deleted)
    log.add(rows, lives.deleted[rows], owner(rows, lives.deleted[rows]), is_deleted=1)
    return log.finish(rng, end, ends_at=np.minimum(lives.merged, lives.deleted))


assert len(COUNTRY_EFFECT) == len(COUNTRIES) and len(INDUSTRY_EFFECT) == len(INDUSTRIES)
