"""Days, hours and holidays of the company: its calendar days are New York's, its instants UTC.

Instants are whole seconds since 1970 (UTC) in int64 arrays; days are days since 1970 in New York.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
import numpy as np
from numpy.typing import NDArray

TIME_ZONE = "America/New_York"
DAY = 86_400
HOUR = 3_600

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - date(1970, 1, 1)).days


def to_date(number: int) -> date:
    """The date of a day number."""
    return date(1970, 1, 1) + timedelta(days=int(number))


def instant(moment: datetime) -> int:
    """Whole seconds from 1970 to an aware datetime."""
    return int(moment.timestamp())


def month_number(day: Ints) -> Ints:
    """Months since 1970-01, from day numbers."""
    return np.asarray(day).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


class BusinessCalendar:
    """New York's clock and working days between two dates."""

    def __init__(self, first: date, last: date) -> None:
        self.first_day = day_number(first)
        self.last_day = day_number(last)
        days = np.arange(self.first_day, self.last_day + 1)
        named = holidays.country_holidays("US", years=range(first.year, last.year + 1))
        self.holidays = {day: named.get(day, "") for day in sorted(named) if first <= day <= last}
        self.is_workday: Bools = ((days + 3) % 7 < 5) & ~np.isin(days, [day_number(day) for day in self.holidays])
        self._set_offsets(first, last)

    def _set_offsets(self, first: date, last: date) -> None:
        zone = ZoneInfo(TIME_ZONE)
        moment = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=2)
        end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=2)
        changes, offsets = [instant(moment)], [int(moment.astimezone(zone).utcoffset().total_seconds())]  # type: ignore[union-attr]
        while moment < end:
            following = moment + timedelta(days=1)
            if following.astimezone(zone).utcoffset() != moment.astimezone(zone).utcoffset():
                hour = next(
                    h
                    for h in range(25)
                    if (moment + timedelta(hours=h)).astimezone(zone).utcoffset()
                    == following.astimezone(zone).utcoffset()
                )
                changes.append(instant(moment) + hour * HOUR)
                offsets.append(int(following.astimezone(zone).utcoffset().total_seconds()))  # type: ignore[union-attr]
            moment = following
        self._changes = np.array(changes, dtype=np.int64)
        self._offsets = np.array(offsets, dtype=np.int64)

    def local(self, at: Ints) -> Ints:
        """Seconds since 1970 on New York's wall clock."""
        return at + self._offsets[np.searchsorted(self._changes, at, side="right") - 1]

    def day(self, at: Ints) -> Ints:
        """New York's calendar day of an instant."""
        return self.local(at) // DAY

    def at(self, day: Ints, second: Ints) -> Ints:
        """The instant at which New York's clock shows `second` of `day`."""
        wall = np.asarray(day, dtype=np.int64) * DAY + np.asarray(second, dtype=np.int64)
        position = np.searchsorted(self._changes + self._offsets, wall, side="right") - 1
        return wall - self._offsets[np.maximum(position, 0)]

    def next_workday(self, day: Ints) -> Ints:
        """The day itself if it is a working day, else the next one."""
        if not hasattr(self, "_next"):
            self._next = next_true(self.is_workday)
        return self.first_day + self._next[np.clip(day - self.first_day, 0, len(self._next) - 1)]


def next_true(flags: Bools) -> Ints:
    """For each position on the last axis, the first true one at or after it (the last position if there is none)."""
    size = flags.shape[-1]
    positions = np.where(flags, np.arange(size), size - 1)
    return np.minimum.accumulate(positions[..., ::-1], axis=-1)[..., ::-1].astype(np.int64)


def draw_second_of_day(rng: np.random.Generator, count: int, evening_share: float = 0.03) -> Ints:
    """Draw working times of day: two peaks between nine and five, and a few early or late."""
    morning = rng.random(count) < 0.52
    hours = np.where(morning, 9 + 3.2 * rng.beta(1.6, 1.4, count), 13 + 3.95 * rng.beta(1.4, 1.8, count))
    hours = np.where(
        rng.random(count) < evening_share, rng.choice([8.0, 17.1, 19.2, 20.6], count) + 0.9 * rng.random(count), hours
    )
    return (hours * HOUR).astype(np.int64)
