"""Who works in a region: reps and managers, their skill, their place in the organisation over time, their work days.

What does not belong here: anything a customer does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from simulation.company.business_time import (
    DAY,
    HOUR,
    Bools,
    BusinessCalendar,
    Floats,
    Ints,
    day_number,
    draw_second_of_day,
    next_true,
)
from simulation.company.randomness import Randomness, draw_per_row
from simulation.company.sizes import Size
from simulation.company.vocabulary import (
    DIRECTOR,
    FIRST_NAMES,
    INSIDE,
    LAST_NAMES,
    MANAGER,
    OUTSIDE,
    TEAMS,
    TERRITORIES,
)

STAYS = 1 << 30


@dataclass
class Place:
    """A person's place in the organisation from a day on; `known_at` is when the personnel file shows it."""

    day: int
    team: int
    territory: int
    manager: int
    known_at: int
    is_leave: bool = False


@dataclass
class Person:
    """An employee. `skill` is per segment, in log odds of a win."""

    index: int
    role: int
    first_name: str
    last_name: str
    hired: int
    skill: Floats
    ramp_days: int
    places: list[Place] = field(default_factory=list)
    left: int = STAYS
    absences: list[tuple[int, int, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}"


@dataclass
class People:
    """Everybody in a region, with lookups by day.

    Attributes:
        team_names: Team of each team number.
        territory_names: Territory of each territory number.
        weight: Person × day: how much new work a person takes (0: none; reduced while ramping up).
    """

    persons: list[Person]
    calendar: BusinessCalendar
    team_names: list[str]
    territory_names: list[str]
    is_available: Bools
    weight: Floats
    left: Ints
    hired: Ints
    ramp: Ints
    skill: Floats
    roles: Ints

    def assign(self, rng: np.random.Generator, role: int, at: Ints, staying_days: int = 0) -> Ints:
        """Draw who takes each piece of a role's work; prefers people who stay that many more days."""
        members = np.flatnonzero(self.roles == role)
        day = self.calendar.day(at)
        weights = self.weight[members][:, self._column(day)].T.copy()
        stays = self.left[members][None, :] > day[:, None] + staying_days
        weights = np.where(stays, weights, weights * 1e-9)
        return members[draw_per_row(rng, weights)]

    def at_work(self, rng: np.random.Generator, person: Ints, at: Ints) -> Ints:
        """Move each instant to a time when the person works: the same day, or their next day at work."""
        day = self.calendar.day(at)
        second = self.calendar.local(at) - day * DAY
        day = day + (second >= 18 * HOUR)
        following = self.calendar.first_day + self._next[person, self._column(day)]
        in_hours = (second >= 8 * HOUR) & (second < 18 * HOUR) & (following == day)
        return self.calendar.at(following, np.where(in_hours, second, draw_second_of_day(rng, len(at))))

    def place_on(self, person: Ints, day: Ints, what: str) -> Ints:
        """Number of each person's team, territory or manager on each day."""
        return self._by_day[what][person, self._column(day)]

    def _column(self, day: Ints) -> Ints:
        return np.clip(day - self.calendar.first_day, 0, self.weight.shape[1] - 1)

    def __post_init__(self) -> None:
        self._next = next_true(self.is_available)
        self._by_day: dict[str, Ints] = {}
        for what in ("team", "territory", "manager"):
            table = np.zeros(self.weight.shape, dtype=np.int64)
            for person in self.persons:
                for place in person.places:
                    table[person.index, max(place.day - self.calendar.first_day, 0) :] = getattr(place, what)
            self._by_day[what] = table


class _Organisation:
    """Plays hires, moves and departures chronologically."""

    def __init__(self, size: Size, calendar: BusinessCalendar, rng: np.random.Generator, first_serial: int) -> None:
        self.size, self.calendar, self.rng, self.first_serial = size, calendar, rng, first_serial
        self.persons: list[Person] = []
        self.start = day_number(size.start)
        self.history = day_number(size.clock_day) - self.start
        self.teams, self.territories = size.teams, size.teams + 1
        self.director, self.managers = -1, [-1] * size.teams

    def hire(self, role: int, team: int, territory: int, day: int) -> Person:
        index = len(self.persons)
        serial = self.first_serial + index
        manager = -1 if role == DIRECTOR else self.director if role == MANAGER else self.managers[team]
        person = Person(
            index, role, FIRST_NAMES[(serial * 7 + 3) % len(FIRST_NAMES)], LAST_NAMES[(serial * 13 + 5) % len(LAST_NAMES)], day,
            self.rng.normal(0, 0.32) + self.rng.normal(0, 0.25, 3), int(self.rng.integers(90, 180)),
        )  # fmt: skip
        person.places.append(Place(day, team, territory, manager, self._known(max(day, self.start), days_before=3)))
        self.persons.append(person)
        return person

    def move(self, person: Person, day: int, late_days: int = 0, **changes: int) -> None:
        last = person.places[-1]
        values = {"team": last.team, "territory": last.territory, "manager": last.manager} | changes
        person.places.append(
            Place(
                day,
                values["team"],
                values["territory"],
                values["manager"],
                self._known(day, -late_days if late_days else 3),
            )
        )

    def leave(self, person: Person, day: int) -> None:
        last = person.places[-1]
        person.left = day
        person.places.append(Place(day, last.team, last.territory, last.manager, self._known(day, 3), is_leave=True))

    def workday(self, day: float) -> int:
        return int(self.calendar.next_workday(np.array([int(day)]))[0])

    def _known(self, day: int, days_before: int) -> int:
        return int(self.calendar.at(np.array([day - days_before]), np.array([6 * HOUR]))[0])

    def _some_day_before(self) -> int:
        return self.start - int(self.rng.integers(60, 1500))

    def _day_of(self, share: float) -> int:
        return self.workday(self.start + share * self.history)

    def first_staff(self) -> None:
        self.director = self.hire(DIRECTOR, 0, 0, self._some_day_before()).index
        self.managers = [self.hire(MANAGER, team, team, self._some_day_before()).index for team in range(self.teams)]
        for role, count in ((INSIDE, self.size.inside_reps), (OUTSIDE, self.size.outside_reps)):
            for number in range(count):
                newcomer = role == INSIDE and number == count - 1
                day = self.workday(self.start + 0.3 * self.history) if newcomer else self._some_day_before()
                self.hire(role, number % self.teams, number % self.territories, day)

    def replace_manager(self, team: int, day: int) -> None:
        old = self.persons[self.managers[team]]
        self.leave(old, day)
        new = self.hire(MANAGER, team, old.places[-1].territory, day)
        self.managers[team] = new.index
        for person in self.persons:
            last = person.places[-1]
            if person.left != STAYS or last.team != team or person.role not in (INSIDE, OUTSIDE):
                continue
            if last.day < day:
                self.move(person, day, manager=new.index)
            else:
                last.manager = new.index

    def change_team(self, person: Person, day: int) -> None:
        team = (person.places[-1].team + 1) % self.teams
        self.move(person, day, team=team, manager=self.managers[team])

    def change_territory(self, person: Person, day: int, late_days: int = 0) -> None:
        self.move(person, day, late_days, territory=(person.places[-1].territory + 1) % self.territories)

    def replace(self, person: Person, day: int) -> None:
        self.leave(person, day)
        self.hire(
            person.role,
            person.places[-1].team,
            person.places[-1].territory,
            self.workday(day + int(self.rng.integers(5, 40))),
        )

    def play(self) -> None:
        """Play one change of each kind on fixed days, so that even the smallest company has it; then more at random."""
        self.first_staff()
        reps = [person for person in self.persons if person.role in (INSIDE, OUTSIDE)]
        outside = [person for person in reps if person.role == OUTSIDE]
        planned: list[tuple[int, Callable[[int], None]]] = [
            (self._day_of(0.35), partial(self.change_territory, outside[0], late_days=4)),
            (self._day_of(0.45), partial(self.change_team, reps[0])),
            (self._day_of(0.52), partial(self.replace_manager, 1)),
            (self._day_of(0.60), partial(self.replace, outside[1])),
            (self._day_of(0.75), partial(self.change_team, outside[2])),
        ]
        spared = {reps[0].index, *(person.index for person in outside[:3])}
        span = self.history + self.size.days_ahead
        for person in reps:
            if person.index in spared:
                continue
            draw = (
                self.rng.exponential(3650.0, 1)[0],
                self.rng.exponential(2200.0, 1)[0],
                self.rng.exponential(3000.0, 1)[0],
            )
            first = max(person.hired, self.start) + 60 - self.start
            changes: list[Callable[[Person, int], None]] = [self.replace, self.change_territory, self.change_team]
            for change, days in zip(changes, draw, strict=True):
                if first + days < span:
                    planned.append((self.workday(self.start + first + days), partial(change, person)))
        taken: set[int] = set()
        for day, act in sorted(planned, key=lambda item: item[0]):
            while day in taken:  # one change a day keeps (employee, effective date) unique
                day = self.workday(day + 1)
            taken.add(day)
            act(day)


def build_people(size: Size, calendar: BusinessCalendar, chance: Randomness, first_serial: int) -> People:
    """Play a region's organisation over the whole horizon."""
    rng = chance.stream("people")
    organisation = _Organisation(size, calendar, rng, first_serial)
    organisation.play()
    persons = organisation.persons
    for person in persons:
        person.places = [place for place in person.places if place.day <= person.left]
        _draw_absences(person, organisation, rng)
    prefix = "" if size.regions == 1 else f"R{chance.region + 1:02d} "
    days = calendar.first_day + np.arange(len(calendar.is_workday))
    left, hired = np.array([p.left for p in persons]), np.array([p.hired for p in persons])
    ramp = np.array([p.ramp_days for p in persons])
    employed = (days >= hired[:, None]) & (days <= left[:, None])
    away = np.zeros_like(employed)
    for person in persons:
        for first, last, _ in person.absences:
            away[person.index] |= (days >= first) & (days <= last)
    tenure = np.clip((days - hired[:, None]) / ramp[:, None], 0.0, 1.0)
    weight = employed * np.where(away, 0.15, 1.0) * (0.35 + 0.65 * tenure)
    return People(
        persons, calendar, [prefix + name for name in TEAMS[: size.teams]], [prefix + name for name in TERRITORIES[: size.teams + 1]],
        employed & ~away & calendar.is_workday, weight, left, hired, ramp, np.array([p.skill for p in persons]), np.array([p.role for p in persons]),
    )  # fmt: skip


def _draw_absences(person: Person, organisation: _Organisation, rng: np.random.Generator) -> None:
    end = organisation.start + organisation.history + organisation.size.days_ahead
    day = max(person.hired, organisation.start) + int(rng.integers(20, 70))
    while day < min(end, person.left - 5):
        kind = str(rng.choice(["vacation", "sick", "training"], p=[0.55, 0.33, 0.12]))
        length = int(rng.integers(4, 11)) if kind == "vacation" else int(rng.integers(0, 3))
        person.absences.append((day, min(day + length, person.left - 1), kind))
        day += length + int(rng.integers(35, 90))
