"""The sizes of company to play, and their time spans."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from simulation.errors import SimulationError


@dataclass(frozen=True)
class Size:
    """A size of company.

    Attributes:
        start: First day of the history.
        clock_day: Day of the initial clock, at 11:00 UTC (before work starts in New York).
        days_ahead: Days played after `clock_day`, so that the clock can advance.
        regions: Parts of the company that share no rep and no customer; only one at a time is in memory.
        inside_reps: Per region, at any time.
        outside_reps: Per region, at any time.
        teams: Per region.
        leads: Per region, created between `start` and `clock_day`.
        touch: Scale factor for calls, mails and meetings per lead and deal.
    """

    name: str
    start: date
    clock_day: date
    days_ahead: int
    regions: int
    inside_reps: int
    outside_reps: int
    teams: int
    leads: int
    touch: float

    @property
    def initial_clock(self) -> datetime:
        """The clock's initial instant."""
        return datetime(self.clock_day.year, self.clock_day.month, self.clock_day.day, 11, tzinfo=UTC)

    @property
    def horizon_end(self) -> datetime:
        """The last instant to which the clock can advance."""
        return self.initial_clock + timedelta(days=self.days_ahead)


SIZES = {
    size.name: size
    for size in (
        Size(
            "tiny",
            date(2025, 1, 1),
            date(2025, 9, 1),
            215,
            regions=1,
            inside_reps=3,
            outside_reps=4,
            teams=2,
            leads=400,
            touch=0.8,
        ),
        Size(
            "small",
            date(2024, 1, 1),
            date(2026, 1, 5),
            215,
            regions=1,
            inside_reps=8,
            outside_reps=12,
            teams=3,
            leads=8_000,
            touch=1.0,
        ),
        Size(
            "medium",
            date(2023, 1, 2),
            date(2026, 1, 5),
            215,
            regions=5,
            inside_reps=8,
            outside_reps=12,
            teams=3,
            leads=12_000,
            touch=1.0,
        ),
        Size(
            "large",
            date(2022, 1, 3),
            date(2026, 1, 5),
            215,
            regions=25,
            inside_reps=16,
            outside_reps=24,
            teams=6,
            leads=24_000,
            touch=1.0,
        ),
    )
}


def find_size(name: str) -> Size:
    """Return the size with that name.

    Raises:
        SimulationError: There is none.
    """
    if name not in SIZES:
        raise SimulationError(
            f"There is no company size '{name}'.",
            where="SALESOPS_SIMULATION_SIZE",
            fix=f"Use one of: {', '.join(SIZES)}.",
        )
    return SIZES[name]
