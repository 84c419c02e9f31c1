"""Who owns a lead or deal over time: it changes hands when its owner leaves, and sometimes to balance the load."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.company.business_time import HOUR, Ints
from simulation.company.people import People
from simulation.company.steps import NEVER


@dataclass
class Ownership:
    """Owners of each entity, in order: `owners[:, k]` owns it from `since[:, k]` on (NEVER: not used)."""

    owners: Ints
    since: Ints

    def owner_at(self, entity: Ints, at: Ints) -> Ints:
        """Owner of each entity at each instant (before the first: the first owner)."""
        since = self.since[entity]
        turn = np.where(since <= at[:, None], since, -1).argmax(axis=1)
        owner: Ints = self.owners[entity, turn]
        return owner


def play_ownership(
    people: People, rng: np.random.Generator, role: int, first: Ints, since: Ints, change_share: float, until: Ints
) -> Ownership:
    """Reassign entities: `first` owns from `since`, some change hands before `until`, a leaver's go to a colleague."""
    count = len(first)
    owners, starts = np.repeat(first[:, None], 4, axis=1), np.full((count, 4), NEVER)
    starts[:, 0] = since
    span = np.maximum(until - since, HOUR)
    by_choice = np.where(
        rng.random(count) < change_share, since + (span * rng.uniform(0.2, 0.8, count)).astype(np.int64), NEVER
    )
    holder, held = first.copy(), since.copy()
    for turn in range(1, 4):
        last_day = people.left[holder]
        handed_on = people.calendar.at(
            np.minimum(last_day, people.calendar.last_day) + 1,
            (9.2 * HOUR + rng.integers(0, HOUR, count)).astype(np.int64),
        )
        leaves = np.where(last_day < people.calendar.last_day, handed_on, NEVER)
        change = np.minimum(leaves, by_choice)
        change = np.where(change > held, change, NEVER)
        by_choice = np.where(by_choice <= change, NEVER, by_choice)
        taker = people.assign(rng, role, np.where(change < NEVER, change, since), staying_days=240)
        moved = (change < NEVER) & (taker != holder)
        holder, held = np.where(moved, taker, holder), np.where(moved, change, held)
        owners[:, turn], starts[:, turn] = holder, np.where(moved, change, NEVER)
    return Ownership(owners, starts)
