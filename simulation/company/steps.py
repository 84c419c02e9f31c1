"""Steps: the log of changes behind both the systems' record versions and the truth.

A process adds *steps* (which entity, when, by whom, what changed). Finishing the log orders them and carries values
forward, so that each row holds the entity's whole state after that step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.company.business_time import Bools, Ints

UNCHANGED = np.iinfo(np.int64).min
NEVER = np.int64(1 << 40)
LATE_SHARE = 0.005


@dataclass
class StepTable:
    """Steps ordered by entity and time.

    Attributes:
        entity: Index of the entity.
        at: When it happened; strictly increasing within an entity.
        visible_from: When others can see it: usually at once, sometimes minutes later.
        actor: Who did it (person index; -1 is the automated user).
        state: Every column's value after the step.
        changed: Whether the step changed the column (true on an entity's first step).
        is_first: Whether it is the entity's first step.
    """

    entity: Ints
    at: Ints
    visible_from: Ints
    actor: Ints
    state: dict[str, Ints]
    changed: dict[str, Bools]
    is_first: Bools

    def first_at(self, entities: int) -> Ints:
        """Time of each entity's first step (NEVER if it has none)."""
        result = np.full(entities, NEVER)
        result[self.entity[self.is_first]] = self.at[self.is_first]
        return result

    def start(self) -> Ints:
        """For each step, the row of its entity's first step."""
        return carry_forward(np.where(self.is_first, np.arange(len(self.entity)), -1))


def carry_forward(marks: Ints) -> Ints:
    """Replace every negative mark with the last non-negative one before it."""
    return np.maximum.accumulate(marks)


class StepLog:
    """Collects steps of one kind of entity.

    Args:
        columns: Names and initial values of the columns that can change.
    """

    def __init__(self, **columns: int) -> None:
        self._initial = columns
        self._parts: list[dict[str, Ints]] = []

    def add(self, entity: Ints, at: Ints, actor: Ints | int, **changes: Ints | int) -> None:
        """Add one step per entity."""
        unknown = set(changes) - set(self._initial)
        if unknown:
            raise KeyError(f"no such columns: {sorted(unknown)}")
        size = len(entity)
        values = {"entity": entity, "at": at, "actor": actor} | {
            name: changes.get(name, UNCHANGED) for name in self._initial
        }
        self._parts.append(
            {name: np.broadcast_to(np.asarray(value, dtype=np.int64), (size,)) for name, value in values.items()}
        )

    def finish(self, rng: np.random.Generator, until: int, ends_at: Ints | None = None) -> StepTable:
        """Order the steps, drop those after `until` or after the entity's end, and carry every value forward."""
        merged = {name: np.concatenate([part[name] for part in self._parts]) for name in self._parts[0]}
        keep = merged["at"] <= (until if ends_at is None else np.minimum(ends_at[merged["entity"]], until))
        merged = {name: values[keep] for name, values in merged.items()}
        order = np.lexsort((merged["at"], merged["entity"]))
        merged = {name: values[order] for name, values in merged.items()}
        entity = merged.pop("entity")
        size = len(entity)
        row = np.arange(size)
        is_first = np.ones(size, dtype=bool)
        is_first[1:] = entity[1:] != entity[:-1]
        at = _strictly_increasing(entity, merged.pop("at"))
        late = np.where(rng.random(size) < LATE_SHARE, rng.integers(20, 600, size), 0)
        actor = merged.pop("actor")
        state: dict[str, Ints] = {}
        changed: dict[str, Bools] = {}
        for name, values in merged.items():
            values = np.where(is_first & (values == UNCHANGED), self._initial[name], values)
            held = values[carry_forward(np.where(values != UNCHANGED, row, -1))]
            differs = is_first.copy()
            differs[1:] |= held[1:] != held[:-1]
            state[name], changed[name] = held, differs
        return StepTable(entity, at, at + late, actor, state, changed, is_first)


def _strictly_increasing(entity: Ints, at: Ints) -> Ints:
    """Move equal or earlier times forward, so that each is at least a second after the previous one."""
    if not len(at):
        return at
    row = np.arange(len(at))
    group = entity * (1 << 33)
    return np.maximum.accumulate(group + at - row) + row - group
