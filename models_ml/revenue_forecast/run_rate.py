"""What deals not yet in the pipeline usually add, and for whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from models_ml.revenue_forecast.inputs import DAYS_PER_MONTH, Floats, History, Ints
from models_ml.revenue_forecast.periods import MONTHS_AHEAD, month_index

LEVEL_MONTHS = 6
WARM_UP = timedelta(days=90)
PRIOR_MONTHS = 3.0
SEASON_PRIOR_YEARS = 2.0
MIN_INSTANTS = 3
# Growth over a few instants is half chance, so it is shrunk to "as in the last six months" with this many instants'
# weight.
PRIOR_INSTANTS = 6


@dataclass(frozen=True)
class RunRate:
    """The usual contribution of new deals.

    Attributes:
        shares: Per month ahead, new deals as a share of the company's mean monthly bookings of the last six months.
        seasons: Factor per calendar month, January first; all 1 with less than two years of history.
        amount_spread: Σ amount² ÷ Σ amount of won deals: the deal size that drives the randomness of new business.
    """

    shares: Floats
    seasons: Floats
    amount_spread: float

    def expected(self, history: History, as_of_date: date) -> Floats:
        """Company-wide amount from deals not yet in the pipeline, per month ahead (the current one first)."""
        now = month_index(as_of_date)
        factors = (
            self.seasons[np.arange(now, now + MONTHS_AHEAD) % 12]
            / self.seasons[np.arange(now - LEVEL_MONTHS, now) % 12].mean()
        )
        expected: Floats = self.shares * history.trailing_monthly(as_of_date, LEVEL_MONTHS) * factors
        return expected


def fit_run_rate(history: History, *, known_until: date) -> RunRate:
    """Learn from earlier instants and the months that had ended by `known_until`."""
    bookings = history.bookings
    is_known = bookings.day < known_until.toordinal()
    total = bookings.amount[is_known].sum()
    spread = float(bookings.squared_amount[is_known].sum() / total) if total > 0 else 0.0
    seasons = _fit_seasons(history, known_until)
    neutral = RunRate(np.ones(MONTHS_AHEAD), seasons, spread)
    added, level, from_pipeline = (np.zeros(MONTHS_AHEAD, dtype=np.float64) for _ in range(3))
    seen: Ints = np.zeros(MONTHS_AHEAD, dtype=np.int64)
    first = history.first_booking
    for day in history.instants:
        if first is None or day < first + WARM_UP or day >= known_until:
            continue
        is_over = np.arange(MONTHS_AHEAD) + month_index(day) < month_index(known_until)
        later, of_pipeline = _booked_later(history, day)
        added += np.where(is_over, later - of_pipeline, 0.0)
        from_pipeline += np.where(is_over, of_pipeline, 0.0)
        level += np.where(is_over, neutral.expected(history, day), 0.0)
        seen += is_over
    weight = PRIOR_INSTANTS / np.maximum(seen, 1)
    shares = np.divide(
        added + weight * (level - from_pipeline), (1 + weight) * level, out=np.zeros(MONTHS_AHEAD), where=level > 0
    )
    for ahead in range(MONTHS_AHEAD):
        if seen[ahead] < MIN_INSTANTS:  # too few to estimate: repeat the previous month ahead
            shares[ahead] = shares[ahead - 1] if ahead else 1.0
    return RunRate(np.maximum(shares, 0.0), seasons, spread)


def share_out(history: History, as_of_date: date) -> Floats:
    """Each roster member's share of new business on a day, in the roster's order; the shares sum to 1.

    A rep's own yield over the last year, shrunk to the role's mean with three months' weight: a new hire is expected to
    match the role.
    """
    roster = history.rosters[as_of_date]
    if not len(roster.rep):
        return np.empty(0)
    year_ago = as_of_date - timedelta(days=365)
    won = history.booked(year_ago, as_of_date)[roster.rep]
    first = history.first_booking or as_of_date
    observed = min(365, max((as_of_date - first).days, 1))
    months = np.clip(roster.tenure_days, 1, observed) / DAYS_PER_MONTH
    _, role = np.unique(roster.role.astype(str), return_inverse=True)
    role_rate = (np.bincount(role, won) / np.bincount(role, months))[role]
    rate = (won + PRIOR_MONTHS * role_rate) / (months + PRIOR_MONTHS)
    total = rate.sum()
    shares: Floats = rate / total if total > 0 else np.full(len(rate), 1.0 / len(rate))
    return shares


def _booked_later(history: History, as_of_date: date) -> tuple[Floats, Floats]:
    """Bookings from a day on, per month ahead: of all deals, and of those in that day's pipeline."""
    now = month_index(as_of_date)
    bookings, deals = history.bookings, history.pipeline[as_of_date]
    ahead = bookings.month - now
    is_later = (bookings.day >= as_of_date.toordinal()) & (ahead < MONTHS_AHEAD)
    total = np.bincount(ahead[is_later], bookings.amount[is_later], MONTHS_AHEAD)
    won_ahead = deals.won_month - now
    is_won = (deals.won_day >= as_of_date.toordinal()) & (won_ahead < MONTHS_AHEAD)
    from_pipeline = np.bincount(won_ahead[is_won], deals.won_amount[is_won], MONTHS_AHEAD)
    return total.astype(np.float64), from_pipeline.astype(np.float64)


def _fit_seasons(history: History, known_until: date) -> Floats:
    """Factor per calendar month relative to a centred year, shrunk towards 1 with two years' weight."""
    first = history.first_booking
    seasons: Floats = np.ones(12, dtype=np.float64)
    if first is None:
        return seasons
    begin, end = month_index(first) + 1, month_index(known_until)
    if end - begin < 24:
        return seasons
    months = np.arange(begin, end)
    is_in = (history.bookings.month >= begin) & (history.bookings.month < end)
    amounts = np.bincount(history.bookings.month[is_in] - begin, history.bookings.amount[is_in], len(months))
    around = pd.Series(amounts).rolling(12, center=True, min_periods=12).mean().bfill().ffill().to_numpy(dtype=float)
    ratio = np.divide(amounts, around, out=np.ones(len(amounts)), where=around > 0)
    for month in range(12):
        ratios = ratio[months % 12 == month]
        seasons[month] = (ratios.sum() + SEASON_PRIOR_YEARS) / (len(ratios) + SEASON_PRIOR_YEARS)
    seasons /= seasons.mean()
    return seasons
