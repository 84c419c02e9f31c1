"""Months as integers, fiscal quarters and years, and the forecast periods."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MONTHS_AHEAD = 12  # the fiscal year's last month is at most eleven months away


@dataclass(frozen=True)
class Period:
    """A run of whole months.

    Attributes:
        grain: `month`, `quarter` (fiscal) or `year` (fiscal).
        first: Index of the first month; see `month_index`.
        months: Length in months.
    """

    grain: str
    first: int
    months: int

    @property
    def start(self) -> date:
        """First day."""
        return month_start(self.first)

    @property
    def end(self) -> date:
        """The day after the last day."""
        return month_start(self.first + self.months)


def month_index(day: date) -> int:
    """Months since year 0, so consecutive months are consecutive numbers."""
    return day.year * 12 + day.month - 1


def month_indices(days: pd.Series) -> NDArray[np.int64]:
    """`month_index` of a whole column; -1 for a missing day."""
    stamps = pd.to_datetime(days).to_numpy(dtype="datetime64[M]")
    return np.where(np.isnat(stamps), -1, stamps.astype(np.int64) + 1970 * 12)


def month_start(index: int) -> date:
    """First day of the month with this index."""
    return date(index // 12, index % 12 + 1, 1)


def list_periods(as_of_date: date, fiscal_year_start_month: int) -> list[Period]:
    """The periods forecast on a day: this month and the next three, this and the next fiscal quarter, this fiscal year.

    >>> [str(p.start) for p in list_periods(date(2026, 1, 5), 2) if p.grain != "month"]
    ['2025-11-01', '2026-02-01', '2025-02-01']
    """
    now = month_index(as_of_date)
    since_year_start = (now - (fiscal_year_start_month - 1)) % 12
    quarter, year = now - since_year_start % 3, now - since_year_start
    return [
        *[Period("month", now + ahead, 1) for ahead in range(4)],
        *[Period("quarter", quarter + 3 * ahead, 3) for ahead in range(2)],
        Period("year", year, 12),
    ]
