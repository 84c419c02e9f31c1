"""Meetings and tasks: booked, moved, cancelled, deleted; with leads, customers and colleagues."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.company.business_time import DAY, HOUR, Ints, draw_second_of_day, instant
from simulation.company.deals import DealLives, Deals
from simulation.company.leads import LeadLives, Leads
from simulation.company.people import People
from simulation.company.randomness import Randomness, draw_index, draw_true
from simulation.company.sizes import Size
from simulation.company.steps import NEVER, StepLog, StepTable
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

AMONG_COLLEAGUES = 2
MEETING_SUBJECTS = ["Discovery call", "Product presentation", "Proposal review", "Negotiation", "Pipeline review"]
TASK_SUBJECTS = ["Send brochure", "Follow up", "Prepare proposal", "Update contact data"]


@dataclass
class Meetings:
    """Meetings or tasks. `kind` says whether `subject` is a lead or a deal number, or only colleagues attend.

    The `steps` of meetings have columns start, minutes, is_cancelled, is_deleted; those of tasks is_done, is_deleted.
    """

    kind: Ints
    subject: Ints
    person: Ints
    counterpart: Ints
    topic: Ints
    due: Ints
    steps: StepTable


def play_meetings(
    size: Size,
    people: People,
    directory: Directory,
    leads: Leads,
    lead_lives: LeadLives,
    deals: Deals,
    deal_lives: DealLives,
    chance: Randomness,
) -> Meetings:
    """Play all meetings of a region booked within the horizon."""
    rng, until = chance.stream("meetings"), instant(size.horizon_end)
    touches = join_touches(
        [
            _qualifying_meetings(people, directory, leads, lead_lives, rng),
            plan_deal_touches(rng, people, directory, leads, deals, deal_lives, 3.9 * size.touch, 0.0),
        ]
    )
    inner = touches.take(np.flatnonzero(draw_true(rng, 0.16, len(touches.at))))
    inner.kind, inner.counterpart = np.full(len(inner.at), AMONG_COLLEAGUES), np.full(len(inner.at), NOBODY)
    inner.at = people.at_work(rng, inner.person, inner.at + rng.integers(DAY, 4 * DAY, len(inner.at)))
    touches = join_touches([touches, inner])
    calendar = people.calendar
    booked = touches.at - rng.integers(DAY, 9 * DAY, len(touches.at))
    begun = np.where(
        touches.kind == FOR_DEAL, deals.created_at[np.minimum(touches.subject, len(deals) - 1)],
        np.where(touches.kind == FOR_LEAD, leads.created_at[np.minimum(touches.subject, len(leads) - 1)], 0),
    )  # fmt: skip
    booked = np.maximum(booked, begun + 300)
    kept = np.flatnonzero(
        (booked < until) & (booked >= calendar.at(np.array([calendar.first_day + 10]), np.array([0]))[0])
    )
    touches, booked, begun, count = touches.take(kept), booked[kept], begun[kept], len(kept)
    second = np.clip(draw_second_of_day(rng, count, 0.0) // 1800 * 1800, 9 * HOUR, int(15.5 * HOUR))
    day = calendar.day(touches.at)
    day = np.where(calendar.at(day, second) < begun + HOUR, calendar.next_workday(day + 1), day)
    start = calendar.at(day, second)
    booked = np.minimum(booked, start - 600)
    minutes = np.array([30, 45, 60, 90])[draw_index(rng, [0.4, 0.15, 0.35, 0.1], count)]
    log = StepLog(start=0, minutes=0, is_cancelled=0, is_deleted=0)
    every = np.arange(count)
    log.add(every, booked, touches.person, start=start, minutes=minutes)
    moved = np.flatnonzero(draw_true(rng, 0.09, count))
    later = calendar.at(
        calendar.next_workday(day[moved] + rng.integers(1, 8, len(moved))), rng.integers(18, 31, len(moved)) * 1800
    )
    log.add(moved, _between(rng, booked[moved], start[moved]), touches.person[moved], start=later)
    final = start.copy()
    final[moved] = later
    off = np.flatnonzero(draw_true(rng, 0.10, count))
    log.add(
        off,
        _between(rng, np.maximum(start[off] - 3 * HOUR, booked[off] + 60), final[off]),
        touches.person[off],
        is_cancelled=1,
    )
    gone = np.flatnonzero(draw_true(rng, 0.02, count))
    log.add(
        gone,
        np.maximum(final[gone] + rng.integers(-2 * DAY, 3 * DAY, len(gone)), booked[gone] + 90),
        touches.person[gone],
        is_deleted=1,
    )
    topic = np.where(
        touches.kind == AMONG_COLLEAGUES, 4, np.where(touches.kind == FOR_LEAD, 0, rng.integers(0, 4, count))
    )
    steps = log.finish(rng, until)
    return Meetings(touches.kind, touches.subject, touches.person, touches.counterpart, topic, final, steps)


def play_tasks(
    size: Size,
    people: People,
    directory: Directory,
    leads: Leads,
    lead_lives: LeadLives,
    deals: Deals,
    deal_lives: DealLives,
    chance: Randomness,
) -> Meetings:
    """Play the tasks that reps set themselves; most get done."""
    rng, until = chance.stream("tasks"), instant(size.horizon_end)
    touches = join_touches(
        [
            plan_lead_touches(rng, people, directory, leads, lead_lives, 0.25, 0.2),
            plan_deal_touches(rng, people, directory, leads, deals, deal_lives, 0.7, 0.0),
        ]
    )
    touches = touches.take(np.flatnonzero(touches.at < until))
    count = len(touches.at)
    due = people.calendar.next_workday(people.calendar.day(touches.at) + rng.integers(1, 10, count))
    log = StepLog(is_done=0, is_deleted=0)
    log.add(np.arange(count), touches.at, touches.person)
    done = np.flatnonzero(draw_true(rng, 0.83, count))
    done_at = people.calendar.at(due[done], draw_second_of_day(rng, len(done))) + rng.integers(-DAY, 2 * DAY, len(done))
    log.add(done, np.maximum(done_at, touches.at[done] + 60), touches.person[done], is_done=1)
    gone = np.flatnonzero(draw_true(rng, 0.01, count))
    log.add(gone, touches.at[gone] + rng.integers(HOUR, 9 * DAY, len(gone)), touches.person[gone], is_deleted=1)
    topic = rng.integers(0, len(TASK_SUBJECTS), count)
    return Meetings(
        touches.kind, touches.subject, touches.person, touches.counterpart, topic, due, log.finish(rng, until)
    )


def _between(rng: np.random.Generator, earliest: Ints, latest: Ints) -> Ints:
    moment: Ints = earliest + (rng.random(len(earliest)) * np.maximum(latest - earliest, 60)).astype(np.int64)
    return moment


def _qualifying_meetings(
    people: People, directory: Directory, leads: Leads, lives: LeadLives, rng: np.random.Generator
) -> Touches:
    """First meetings with most leads that convert, and with some that do not."""
    over = np.minimum(np.minimum(lives.converted, lives.disqualified), np.minimum(lives.merged, lives.deleted))
    wanted = ((lives.converted < NEVER) & draw_true(rng, 0.5, len(leads))) | (
        (lives.disqualified < NEVER) & draw_true(rng, 0.12, len(leads))
    )
    lead = np.flatnonzero(wanted & (over - lives.first_touch > 2 * DAY))
    at = over[lead] - rng.integers(HOUR, 2 * DAY - HOUR, len(lead))
    person = lives.owners.owner_at(lead, at)
    return Touches(
        np.full(len(lead), FOR_LEAD), lead, person, directory.lead(leads, lead), people.at_work(rng, person, at)
    )
