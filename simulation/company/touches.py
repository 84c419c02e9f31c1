"""Contacts between reps and customers in general: when they happen, who makes them, and both sides' codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.company.business_time import DAY, HOUR, Bools, Ints
from simulation.company.deals import DealLives, Deals
from simulation.company.leads import LeadLives, Leads
from simulation.company.ownership import Ownership
from simulation.company.people import People
from simulation.company.randomness import repeat_ranges
from simulation.company.steps import NEVER

NOBODY = -1
FOR_LEAD, FOR_DEAL = 0, 1


@dataclass(frozen=True)
class Directory:
    """Codes of everybody with a phone number and a mail address.

    Persons come first, then leads, then a colleague of each lead, then senders of newsletters and bounces.
    """

    persons: int
    leads: int

    def lead(self, leads: Leads, lead: Ints) -> Ints:
        """Code of a lead's person (a duplicate has its original's)."""
        return self.persons + leads.identity[lead]

    def colleague(self, lead: Ints) -> Ints:
        """Code of a colleague at the same customer."""
        return self.persons + self.leads + lead

    @property
    def outsiders(self) -> int:
        """Code of the first other sender."""
        return self.persons + 2 * self.leads


@dataclass
class Touches:
    """Planned contacts: `subject` is a lead or deal number, depending on `kind`; `counterpart` is a directory code."""

    kind: Ints
    subject: Ints
    person: Ints
    counterpart: Ints
    at: Ints

    def take(self, rows: Ints) -> Touches:
        """Only those rows."""
        return Touches(**{name: values[rows] for name, values in vars(self).items()})


def has_colleague(leads: Leads) -> Bools:
    """Whether a second person at the customer takes part (at larger companies)."""
    takes_part: Bools = (leads.segment > 0) & (np.arange(len(leads)) % 3 != 0)
    return takes_part


def plan_lead_touches(
    rng: np.random.Generator,
    people: People,
    directory: Directory,
    leads: Leads,
    lives: LeadLives,
    rate: float,
    nurture_rate: float,
) -> Touches:
    """Contacts while a lead is worked (`rate` per lead) and while it is nurtured (`nurture_rate` per nurtured lead)."""
    count = len(leads)
    touched = lives.first_touch < NEVER
    span = np.where(touched, np.minimum(lives.working_until, lives.first_touch + 60 * DAY) - lives.first_touch, 0)
    eager = np.exp(0.25 * np.tanh(leads.appeal)) * (0.6 + 0.4 * np.minimum(span / (8 * DAY), 1.5))
    parts = [
        _spread(
            rng,
            rng.poisson(np.where(touched & (span > 0), rate * eager, 0.0)),
            lives.first_touch + 1800,
            np.maximum(span, HOUR),
        )
    ]
    again = lives.contacted_again < NEVER
    parts.append(
        _spread(rng, rng.poisson(np.where(again, rate * 0.6, 0.0)), lives.contacted_again, np.full(count, 10 * DAY))
    )
    nurtured = lives.nurtured < NEVER
    parts.append(
        _spread(rng, rng.poisson(np.where(nurtured, nurture_rate, 0.0)), lives.nurtured, np.full(count, 75 * DAY))
    )
    lead = np.concatenate([part[0] for part in parts])
    at = np.concatenate([part[1] for part in parts])
    gone = np.minimum(np.minimum(lives.merged, lives.deleted), np.minimum(lives.converted, lives.disqualified))
    kept = at < gone[lead]
    return _staffed(
        rng,
        people,
        lives.owners,
        np.full(int(kept.sum()), FOR_LEAD),
        lead[kept],
        at[kept],
        directory.lead(leads, lead[kept]),
    )


def plan_deal_touches(
    rng: np.random.Generator,
    people: People,
    directory: Directory,
    leads: Leads,
    deals: Deals,
    lives: DealLives,
    rate: float,
    nurture_rate: float,
) -> Touches:
    """Contacts while a deal is open (`rate` per deal of average length) and after it is lost (`nurture_rate`)."""
    span = np.minimum(lives.closed, lives.deleted) - deals.created_at
    parts = [
        _spread(
            rng,
            rng.poisson(rate * np.clip(span / (50 * DAY), 0.2, 2.5)),
            deals.created_at + HOUR,
            np.maximum(span - HOUR, HOUR),
        )
    ]
    lost = ~lives.won & (lives.deleted == NEVER)
    parts.append(
        _spread(
            rng, rng.poisson(np.where(lost, nurture_rate, 0.0)), lives.closed + 14 * DAY, np.full(len(deals), 140 * DAY)
        )
    )
    deal = np.concatenate([part[0] for part in parts])
    at = np.concatenate([part[1] for part in parts])
    customer = deals.account[deal]
    second = has_colleague(leads)[customer] & (rng.random(len(deal)) < 0.3)
    counterpart = np.where(second, directory.colleague(customer), directory.lead(leads, customer))
    return _staffed(rng, people, lives.owners, np.full(len(deal), FOR_DEAL), deal, at, counterpart)


def join_touches(parts: list[Touches]) -> Touches:
    """Concatenate plans."""
    return Touches(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])})


def _spread(rng: np.random.Generator, counts: Ints, start: Ints, span: Ints) -> tuple[Ints, Ints]:
    subject, _ = repeat_ranges(counts)
    return subject, start[subject] + (rng.random(len(subject)) * span[subject]).astype(np.int64)


def _staffed(
    rng: np.random.Generator, people: People, owners: Ownership, kind: Ints, subject: Ints, at: Ints, counterpart: Ints
) -> Touches:
    person = owners.owner_at(subject, at)
    return Touches(kind, subject, person, counterpart, people.at_work(rng, person, at))
