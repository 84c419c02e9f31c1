"""Deals: who works on them, how likely they truly are, and each one's path through the stages.

Deals come from converted leads; some lost ones are retried, and customers expand and renew.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from simulation.company.business_time import (
    DAY,
    HOUR,
    Bools,
    BusinessCalendar,
    Floats,
    Ints,
    draw_second_of_day,
    month_number,
)
from simulation.company.leads import LeadLives, Leads
from simulation.company.ownership import Ownership, play_ownership
from simulation.company.people import People
from simulation.company.randomness import Randomness, draw_index, draw_true, sigmoid
from simulation.company.sizes import Size
from simulation.company.steps import NEVER
from simulation.company.vocabulary import (
    COMPETITORS,
    COUNTRY_CURRENCY,
    LOSS_REASONS,
    LOST,
    NEGOTIATION,
    OUTSIDE,
    PROPOSAL,
    WON,
)

NEW_BUSINESS, EXPANSION, RENEWAL = range(3)
CYCLE_DAYS = np.array([38.0, 55.0, 80.0])
COMPETITOR_EFFECT = np.array([0.25, -0.2, -0.35, -0.1, -0.5])


@dataclass
class Deals:
    """A deal as it is opened.

    Attributes:
        lead: Its source lead (-1: expansion, renewal or retry).
        account: The converted lead whose company the deal is with.
        opened_by: Person who created the record.
        competitor: Position in COMPETITORS, or -1.
        likelihood: True win probability when opened.
    """

    created_at: Ints
    lead: Ints
    account: Ints
    type: Ints
    opened_by: Ints
    first_owner: Ints
    currency: Ints
    segment: Ints
    appeal: Floats
    competitor: Ints
    discount: Ints
    likelihood: Floats

    def __len__(self) -> int:
        return len(self.created_at)


@dataclass
class DealLives:
    """The life of each deal.

    Attributes:
        owners: Who owned it when.
        slot_stage: Deal × slot: stage entered (-1: slot not used), in order; the last used one closes it.
        slot_at: Deal × slot: when.
        first_close: First close. A reopened deal then has `reopened` and `closed`; otherwise `closed` equals it.
        won: Whether it was finally won.
        deleted: When it was deleted (NEVER: not).
    """

    owners: Ownership
    slot_stage: Ints
    slot_at: Ints
    first_close: Ints
    first_won: Bools
    reopened: Ints
    closed: Ints
    won: Bools
    loss_reason: Ints
    deleted: Ints


def open_from_leads(leads: Leads, lives: LeadLives, people: People, chance: Randomness, until: int) -> Deals:
    """Open a deal for every lead converted before `until`: the inside rep hands it to an outside rep."""
    rng = chance.stream("deals from leads")
    lead = np.flatnonzero(lives.converted <= until)
    at = lives.converted[lead]
    opener = lives.owners.owner_at(lead, at)
    owner = people.assign(rng, OUTSIDE, at, staying_days=20)
    kind = np.full(len(lead), NEW_BUSINESS)
    return _describe(leads, at, lead, lead, kind, opener, owner, leads.appeal[lead], people, rng)


def open_from_deals(
    leads: Leads, deals: Deals, lives: DealLives, people: People, chance: Randomness, until: int
) -> Deals:
    """Open the deals that follow from closed ones: retries of lost deals, expansions, renewals."""
    rng, count = chance.stream(f"deals from {len(deals)} deals"), len(deals)
    parts = []
    intact = (lives.deleted == NEVER) & (lives.closed < NEVER)
    for kind, wanted, share, shortest, longest in (
        (NEW_BUSINESS, intact & ~lives.won, 0.09, 55, 170),
        (EXPANSION, intact & lives.won, 0.24, 45, 240),
        (RENEWAL, intact & lives.won, 0.42, 90, 350),
    ):
        rows = np.flatnonzero(wanted & draw_true(rng, share, count))
        term = (
            rng.integers(shortest, longest, len(rows))
            if kind != RENEWAL
            else rng.choice([80, 165, 335], len(rows), p=[0.25, 0.25, 0.5])
        )
        calendar = people.calendar
        at = calendar.at(
            calendar.next_workday(calendar.day(lives.closed[rows]) + term), draw_second_of_day(rng, len(rows))
        )
        rows, at = rows[at < until - DAY], at[at < until - DAY]
        owner = lives.owners.owner_at(rows, at)
        lead = np.full(len(rows), -1)
        parts.append(
            _describe(
                leads,
                at,
                lead,
                deals.account[rows],
                np.full(len(rows), kind),
                owner,
                owner,
                deals.appeal[rows],
                people,
                rng,
            )
        )
    return join_deals(parts)


def join_deals(parts: list[Deals]) -> Deals:
    """Concatenate deals."""
    return Deals(
        **{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Deals)}
    )


def join_lives(parts: list[DealLives]) -> DealLives:
    """Concatenate the lives of deals."""
    owners = Ownership(
        np.concatenate([part.owners.owners for part in parts]), np.concatenate([part.owners.since for part in parts])
    )
    columns = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(DealLives)
        if field.name != "owners"
    }
    return DealLives(owners=owners, **columns)


def _describe(
    leads: Leads,
    at: Ints,
    lead: Ints,
    account: Ints,
    kind: Ints,
    opener: Ints,
    owner: Ints,
    appeal: Floats,
    people: People,
    rng: np.random.Generator,
) -> Deals:
    count = len(at)
    segment = leads.segment[account]
    competitor = draw_index(rng, [0.45, 0.18, 0.15, 0.12, 0.10], count) - 1
    discount = np.where(
        draw_true(rng, 0.55, count), rng.choice([500, 1000, 1500, 2000], count, p=[0.35, 0.4, 0.15, 0.1]), 0
    )
    day = people.calendar.day(at)
    tenure = np.clip((day - people.hired[owner]) / people.ramp[owner], 0, 1)
    quarter_end = np.isin(
        month_number(day + 45) % 12, [0, 3, 6, 9]
    )  # fiscal quarters end in January, April, July, October
    odds = -1.5 + 0.62 * (appeal - 0.95) + people.skill[owner, segment] - 0.7 * (1 - tenure) + 0.15 * quarter_end
    odds += COMPETITOR_EFFECT[competitor + 1] + discount / 4000 + np.array([0.0, 0.75, 1.7])[kind]
    return Deals(
        at,
        lead,
        account,
        kind,
        opener,
        owner,
        np.array(COUNTRY_CURRENCY)[leads.country[account]],
        segment,
        appeal,
        competitor,
        discount,
        sigmoid(odds),
    )


def play_deals(deals: Deals, leads: Leads, size: Size, people: People, chance: Randomness) -> DealLives:
    """Play each deal to its end, which may be after the horizon."""
    rng, count, calendar = chance.stream(f"deal lives {len(deals)}"), len(deals), people.calendar
    won = draw_true(rng, deals.likelihood, count)
    days = (
        np.exp(rng.normal(np.log(CYCLE_DAYS[deals.segment]), 0.42, count))
        * np.array([1.0, 0.75, 0.6])[deals.type]
        * np.where(won, 1.0, 0.9)
    )
    end = deals.created_at + (days * DAY).astype(np.int64)
    owners = play_ownership(people, rng, OUTSIDE, deals.first_owner, deals.created_at, 0.05, end)
    stage, weight = _draw_path(deals, leads, won, rng)
    passed = np.cumsum(weight, axis=1)
    share = (passed - weight) / passed[:, -1:]
    at = deals.created_at[:, None] + (share * (end - deals.created_at)[:, None]).astype(np.int64)
    at = _in_working_time(calendar, at, rng)
    first_slot = (np.cumsum(stage >= 0, axis=1) == 1) & (stage >= 0)
    at = np.where(first_slot, deals.created_at[:, None], np.maximum(at, deals.created_at[:, None] + 600))
    at = np.maximum.accumulate(np.where(stage >= 0, at, 0), axis=1) + np.cumsum(stage >= 0, axis=1) * 60 - 60
    close = _in_working_time(calendar, np.maximum(end, at[:, -1] + HOUR)[:, None], rng)[:, 0]
    late = draw_true(rng, 0.03, count)  # signed in the evening: another day in UTC than in New York
    close = np.where(late, calendar.at(calendar.day(close), rng.integers(20 * HOUR, 22 * HOUR, count)), close)
    close = np.maximum(close, at[:, -1] + 900)

    reopens = draw_true(rng, np.where(won, 0.012, 0.035), count)
    reopened = np.where(reopens, close + rng.integers(2 * DAY, 25 * DAY, count), NEVER)
    reopened = np.where(reopens, _in_working_time(calendar, np.minimum(reopened, 1 << 32)[:, None], rng)[:, 0], NEVER)
    again = _in_working_time(
        calendar, (np.minimum(reopened, 1 << 32) + rng.integers(5 * DAY, 30 * DAY, count))[:, None], rng
    )[:, 0]
    final_won = np.where(reopens, np.where(won, True, draw_true(rng, 0.4, count)), won)
    slot_stage = np.column_stack(
        [
            stage,
            np.where(won, WON, LOST),
            np.where(reopens, NEGOTIATION, -1),
            np.where(reopens, np.where(final_won, WON, LOST), -1),
        ]
    )
    slot_at = np.column_stack([at, close, reopened, np.where(reopens, again, NEVER)])
    removable = ~won & ~final_won & (deals.type == NEW_BUSINESS) & draw_true(rng, 0.025, count)
    deleted = np.where(removable, deals.created_at + rng.integers(DAY, 60 * DAY, count), NEVER)
    return DealLives(
        owners, slot_stage, np.where(slot_stage >= 0, slot_at, NEVER), close, won, reopened, np.where(reopens, again, close), final_won,
        draw_index(rng, [26, 24, 18, 12, 12, 8], count), deleted,
    )  # fmt: skip


def _draw_path(deals: Deals, leads: Leads, won: Bools, rng: np.random.Generator) -> tuple[Ints, Floats]:
    """Open stages in slots (a stage, the previous one, the stage again) and the share of the cycle spent in each."""
    count = len(deals)
    first = np.where(
        deals.type == RENEWAL,
        rng.integers(2, 4, count),
        np.where((leads.process[deals.account] == 1) & draw_true(rng, 0.4, count), 1, 0),
    )
    last = np.where(
        won,
        np.where(draw_true(rng, 0.2, count), PROPOSAL, NEGOTIATION),
        draw_index(rng, [0.13, 0.22, 0.26, 0.24, 0.15], count),
    )
    last = np.maximum(last, first)
    number = np.arange(5)
    visited = (number >= first[:, None]) & (number <= last[:, None])
    inner = (number > first[:, None]) & (number < last[:, None])
    visited &= ~(inner & (rng.random((count, 5)) < 0.07))
    falls_back = np.where(draw_true(rng, 0.07, count), rng.integers(1, 5, count), 0)
    falls = visited & (number == falls_back[:, None]) & (number > first[:, None])
    turns = [np.where(visited, number, -1), np.where(falls, number - 1, -1), np.where(falls, number, -1)]
    stage = np.stack(turns, axis=2).reshape(count, 15)
    return stage, np.where(stage >= 0, rng.gamma(2.0, 1.0, (count, 15)) + 0.1, 0.0)


def _in_working_time(calendar: BusinessCalendar, at: Ints, rng: np.random.Generator) -> Ints:
    """Move instants to working days and working hours."""
    flat = at.ravel()
    day = calendar.next_workday(calendar.day(flat))
    return calendar.at(day, draw_second_of_day(rng, len(flat), 0.01)).reshape(at.shape)


assert len(COMPETITOR_EFFECT) == len(COMPETITORS) + 1 and len(LOSS_REASONS) == 6
