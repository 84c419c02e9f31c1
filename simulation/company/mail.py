"""Mail: to leads and customers, their replies, automatic replies, bounces, newsletters, and internal mail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.company.business_time import HOUR, Bools, Ints, day_number, instant
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
from simulation.company.vocabulary import INSIDE, OUTSIDE

NEWSLETTERS = ["digest@saleswire.example", "weekly@cloudpost.example", "events@expohall.example"]
MAILER_DAEMON = "mailer-daemon@northlight.example"
TO_LEAD, TO_CUSTOMER, ANSWER, AUTOMATIC, BOUNCE, NEWSLETTER, AMONG_COLLEAGUES = range(7)
SUBJECTS = [
    "Quick question about your plans",
    "Your project with Northlight",
    "Re: ",
    "Automatic reply: out of office",
    "Undelivered mail returned to sender",
    "This week in sales",
    "Pipeline notes",
]


@dataclass
class Messages:
    """Messages ordered by number.

    Attributes:
        sender: Directory code.
        to: Directory code of the single addressee.
        copied: Directory code of the person in copy (NOBODY: none).
        kind: One of the constants above.
        answers: Number of the message it replies to (NOBODY: none).
        has_date: Whether it has a Date header.
    """

    sender: Ints
    to: Ints
    copied: Ints
    kind: Ints
    answers: Ints
    sent_at: Ints
    visible_from: Ints
    has_date: Bools

    def __len__(self) -> int:
        return len(self.sender)


class _Post:
    def __init__(self) -> None:
        self.parts: list[dict[str, Ints]] = []
        self.count = 0

    def send(
        self,
        kind: int | Ints,
        sender: Ints,
        to: Ints,
        at: Ints,
        copied: Ints | int = NOBODY,
        answers: Ints | int = NOBODY,
    ) -> Ints:
        size = len(sender)
        values = {"sender": sender, "to": to, "copied": copied, "kind": kind, "answers": answers, "sent_at": at}
        self.parts.append(
            {name: np.broadcast_to(np.asarray(value, dtype=np.int64), (size,)) for name, value in values.items()}
        )
        numbers = np.arange(self.count, self.count + size)
        self.count += size
        return numbers


def play_mail(
    size: Size,
    people: People,
    directory: Directory,
    leads: Leads,
    lead_lives: LeadLives,
    deals: Deals,
    deal_lives: DealLives,
    chance: Randomness,
) -> Messages:
    """Play all mail of a region over the horizon."""
    rng, until = chance.stream("mail"), instant(size.horizon_end)
    touches = join_touches(
        [
            _first_mails(directory, leads, lead_lives),
            plan_lead_touches(rng, people, directory, leads, lead_lives, 0.8 * size.touch, 1.8),
            plan_deal_touches(rng, people, directory, leads, deals, deal_lives, 2.8 * size.touch, 1.3 * size.touch),
        ]
    )
    touches = touches.take(np.flatnonzero(touches.at < until))
    post, count = _Post(), len(touches.at)
    for_deal = touches.kind == FOR_DEAL
    colleague = people.assign(rng, INSIDE, touches.at)
    customer = np.where(for_deal, touches.counterpart, NOBODY)
    drawn = rng.random(count)
    second = directory.colleague(np.where(for_deal, deals.account[np.minimum(touches.subject, len(deals) - 1)], 0))
    copied = np.where(
        (drawn < 0.12) & (colleague != touches.person),
        colleague,
        np.where(for_deal & (drawn > 0.9) & (second != customer), second, NOBODY),
    )
    numbers = post.send(
        np.where(for_deal, TO_CUSTOMER, TO_LEAD), touches.person, touches.counterpart, touches.at, copied
    )
    _answers(rng, people, directory, post, touches, numbers, for_deal)
    _office_mail(rng, size, people, directory, post, count)
    columns = {name: np.concatenate([part[name] for part in post.parts]) for name in post.parts[0]}
    lag = rng.integers(1, 30, post.count) + np.where(
        draw_true(rng, 0.01, post.count), rng.integers(60, 560, post.count), 0
    )
    undated = (columns["kind"] == NEWSLETTER) & draw_true(rng, 0.06, post.count)
    return Messages(**columns, visible_from=columns["sent_at"] + lag, has_date=~undated)


def _first_mails(directory: Directory, leads: Leads, lives: LeadLives) -> Touches:
    lead = np.flatnonzero(~lives.by_call & (lives.first_touch < NEVER))
    at = lives.first_touch[lead]
    return Touches(np.full(len(lead), FOR_LEAD), lead, lives.owners.owner_at(lead, at), directory.lead(leads, lead), at)


def _answers(
    rng: np.random.Generator,
    people: People,
    directory: Directory,
    post: _Post,
    touches: Touches,
    numbers: Ints,
    for_deal: Bools,
) -> None:
    """Replies by people and machines; a reply that comes while the rep is away gets an automatic reply."""
    count = len(numbers)
    drawn = rng.random(count)
    rows = np.flatnonzero(drawn < np.where(for_deal, 0.42, 0.16))
    at = touches.at[rows] + (np.exp(rng.normal(np.log(7), 1.0, len(rows))) * HOUR).astype(np.int64) + 120
    answered = post.send(ANSWER, touches.counterpart[rows], touches.person[rows], at, answers=numbers[rows])
    back = np.flatnonzero(
        ~people.is_available[
            touches.person[rows], np.clip(people.calendar.day(at) - people.calendar.first_day, 0, None)
        ]
    )
    back = back[rng.random(len(back)) < 0.5]
    post.send(
        AUTOMATIC, touches.person[rows][back], touches.counterpart[rows][back], at[back] + 4, answers=answered[back]
    )
    rows = np.flatnonzero((drawn > 0.9) & (drawn < 0.93))
    post.send(
        AUTOMATIC,
        touches.counterpart[rows],
        touches.person[rows],
        touches.at[rows] + rng.integers(2, 90, len(rows)),
        answers=numbers[rows],
    )
    rows = np.flatnonzero(drawn > 0.985)
    daemon = np.full(len(rows), directory.outsiders + len(NEWSLETTERS))
    post.send(
        BOUNCE, daemon, touches.person[rows], touches.at[rows] + rng.integers(2, 30, len(rows)), answers=numbers[rows]
    )


def _office_mail(
    rng: np.random.Generator, size: Size, people: People, directory: Directory, post: _Post, base: int
) -> None:
    """Internal mail (in both mailboxes) and newsletters."""
    start, end = (
        int(people.calendar.at(np.array([day_number(size.start)]), np.array([0]))[0]),
        instant(size.horizon_end),
    )
    count = base // 12
    at = rng.integers(start, end, count)
    writer = people.assign(rng, OUTSIDE, at)
    reader = people.assign(rng, INSIDE, at)
    swap = rng.random(count) < 0.5
    writer, reader = np.where(swap, reader, writer), np.where(swap, writer, reader)
    sent = people.at_work(rng, writer, at)
    kept = sent < end
    post.send(AMONG_COLLEAGUES, writer[kept], reader[kept], sent[kept])
    count = base // 15
    at = rng.integers(start, end, count)
    reader = np.where(rng.random(count) < 0.5, people.assign(rng, OUTSIDE, at), people.assign(rng, INSIDE, at))
    post.send(NEWSLETTER, directory.outsiders + draw_index(rng, [1, 1, 1], count), reader, at)
