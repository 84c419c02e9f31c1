"""Phone calls: placed and received, answered or not, some transferred, some with unknown numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.company.business_time import DAY, HOUR, Bools, Ints, instant
from simulation.company.deals import DealLives, Deals
from simulation.company.leads import LeadLives, Leads
from simulation.company.people import People
from simulation.company.randomness import Randomness, draw_index, draw_true
from simulation.company.sizes import Size
from simulation.company.steps import NEVER
from simulation.company.touches import (
    FOR_DEAL,
    FOR_LEAD,
    NOBODY,
    Directory,
    Touches,
    join_touches,
    plan_deal_touches,
    plan_lead_touches,
)
from simulation.company.vocabulary import OUTSIDE

COMPLETED, BUSY, NO_ANSWER, FAILED, CANCELED = range(5)
# Calls that are over sooner reached an answering machine; the call log says so.
MACHINE_SECONDS = 25


@dataclass
class Calls:
    """Calls ordered by number; a transferred call has a second leg.

    Attributes:
        person: Who placed or received the call (its first leg).
        counterpart: Directory code of the other side; NOBODY for a number that is in no list.
        talk: Seconds talked on the first leg (0: not answered); `ring`: seconds of ringing if not answered.
        transfer_to: Person the call was transferred to (NOBODY: none), who joins after `transfer_after` seconds for
            `transfer_talk` seconds.
        visible_from: When the call log shows it.
    """

    person: Ints
    counterpart: Ints
    is_inbound: Bools
    status: Ints
    start: Ints
    talk: Ints
    ring: Ints
    transfer_to: Ints
    transfer_after: Ints
    transfer_talk: Ints
    visible_from: Ints

    def __len__(self) -> int:
        return len(self.person)

    @property
    def seconds(self) -> Ints:
        """Talk time of the call; time when two legs overlap counts once."""
        return np.maximum(self.talk, np.where(self.transfer_to >= 0, self.transfer_after + self.transfer_talk, 0))


def play_calls(
    size: Size,
    people: People,
    directory: Directory,
    leads: Leads,
    lead_lives: LeadLives,
    deals: Deals,
    deal_lives: DealLives,
    chance: Randomness,
) -> Calls:
    """Play all calls of a region over the horizon."""
    rng = chance.stream("calls")
    touches = join_touches(
        [
            _first_calls(directory, leads, lead_lives),
            plan_lead_touches(rng, people, directory, leads, lead_lives, 6.0 * size.touch, 0.5),
            plan_deal_touches(rng, people, directory, leads, deals, deal_lives, 11.0 * size.touch, 1.2 * size.touch),
        ]
    )
    touches = _with_strangers(rng, people, touches)
    until = instant(size.horizon_end)
    touches = touches.take(np.flatnonzero(touches.at < until))
    count = len(touches.at)
    inbound = draw_true(rng, np.where(touches.kind == FOR_DEAL, 0.14, 0.07), count)
    inbound[: int((lead_lives.first_touch < until)[_called_first(lead_lives)].sum())] = False
    mood = np.where(touches.kind == FOR_LEAD, leads.appeal[np.minimum(touches.subject, len(leads) - 1)], 0.0)
    answered = draw_true(
        rng,
        np.clip(np.where(inbound, 0.82, np.where(touches.kind == FOR_DEAL, 0.52, 0.27 + 0.03 * mood)), 0.02, 0.95),
        count,
    )
    unanswered = np.array([BUSY, NO_ANSWER, FAILED, CANCELED])[draw_index(rng, [0.16, 0.72, 0.05, 0.07], count)]
    unanswered = np.where(inbound & (unanswered == FAILED), NO_ANSWER, unanswered)
    length = np.exp(rng.normal(np.where(touches.kind == FOR_DEAL, 5.5, 4.6), 0.8, count)).astype(np.int64) + 8
    talk = np.where(answered, np.minimum(length, 5400), 0)
    transferred = answered & (talk > 90) & (people.roles[touches.person] < OUTSIDE) & draw_true(rng, 0.08, count)
    receiver = people.assign(rng, OUTSIDE, touches.at)
    transferred &= receiver != touches.person
    after = (talk * rng.uniform(0.4, 0.9, count)).astype(np.int64)
    passed_on = np.where(
        draw_true(rng, 0.75, count), talk - after + rng.integers(30, 900, count), np.maximum((talk - after) * 2 // 3, 5)
    )
    calls = Calls(
        touches.person, touches.counterpart, inbound, np.where(answered, COMPLETED, unanswered), touches.at, talk, rng.integers(4, 45, count),
        np.where(transferred, receiver, NOBODY), np.where(transferred, after, 0), np.where(transferred, passed_on, 0), touches.at,
    )  # fmt: skip
    calls.start = _one_at_a_time(calls)
    lag = rng.integers(2, 40, count) + np.where(draw_true(rng, 0.01, count), rng.integers(60, 560, count), 0)
    calls.visible_from = calls.start + np.maximum(calls.seconds, calls.ring) + lag
    return calls


def _called_first(lives: LeadLives) -> Ints:
    return np.flatnonzero(lives.by_call & (lives.first_touch < NEVER))


def _first_calls(directory: Directory, leads: Leads, lives: LeadLives) -> Touches:
    lead = _called_first(lives)
    at = lives.first_touch[lead]
    return Touches(np.full(len(lead), FOR_LEAD), lead, lives.owners.owner_at(lead, at), directory.lead(leads, lead), at)


def _with_strangers(rng: np.random.Generator, people: People, touches: Touches) -> Touches:
    """Add calls with unlisted numbers."""
    rows = np.flatnonzero(draw_true(rng, 0.04, len(touches.at)))
    other = touches.take(rows)
    other.counterpart = np.full(len(rows), NOBODY)
    other.at = people.at_work(rng, other.person, other.at + rng.integers(HOUR, 3 * DAY, len(rows)))
    return join_touches([touches, other])


def _one_at_a_time(calls: Calls) -> Ints:
    """Delay calls while their person is still on the phone."""
    order = np.lexsort((calls.start, calls.person))
    person, start = calls.person[order], calls.start[order]
    busy = np.maximum(calls.seconds, calls.ring)[order] + 5
    before = np.cumsum(busy) - busy
    group = person * (1 << 34)
    earliest = np.maximum.accumulate(group + start - before)
    result = np.empty_like(start)
    result[order] = earliest + before - group
    return result
