"""The forecaster: three parts that sum to the mean, and intervals from its errors on earlier days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models_ml.revenue_forecast.inputs import Floats, History
from models_ml.revenue_forecast.periods import MONTHS_AHEAD, Period, list_periods, month_index
from models_ml.revenue_forecast.run_rate import RunRate, fit_run_rate, share_out
from models_ml.revenue_forecast.win_timing import WinTiming, fit_win_timing

METHOD = "booked_pipeline_run_rate"
LEVELS = (50, 80, 90)
MIN_MISSES = 30
# Shared risk (a product, a quarter's mood) moves all open amounts together by about this share.
COMMON_SHARE = 0.15
QUANTILES = {"median": 0.5} | {
    f"{side}_{level}": 0.5 + sign * level / 200 for level in LEVELS for side, sign in (("lo", -1), ("hi", 1))
}


@dataclass(frozen=True)
class Expectation:
    """The expectation for one period on one day, per entity (arrays in the order of `History.entities`).

    Attributes:
        period: The forecast period.
        booked: Won in the period before the day.
        pipeline: Expected from open deals.
        run_rate: Expected from deals not yet in the pipeline.
        spread: Standard deviation before calibration.
        is_forecast: Which entities are forecast: the company, roster members, and entities with bookings or open deals.
    """

    period: Period
    booked: Floats
    pipeline: Floats
    run_rate: Floats
    spread: Floats
    is_forecast: NDArray[np.bool_]

    @property
    def mean(self) -> Floats:
        """The sum of the parts."""
        return (self.booked + self.pipeline + self.run_rate).round(2)


@dataclass(frozen=True)
class Forecaster:
    """A fit on data known before a day.

    Attributes:
        timing: Win chances of open deals; None if too few were won, and then the run rate covers everything.
        run_rate: The contribution of new deals.
        misses: Per entity type and grain, ascending: (actual − mean) ÷ spread of this fit's forecasts on earlier days.
        known_until: Nothing from this day on was used.
    """

    timing: WinTiming | None
    run_rate: RunRate
    misses: dict[tuple[str, str], Floats]
    known_until: date

    def to_plain(self) -> dict[str, Any]:
        """Everything fitted, as arrays and numbers."""
        misses = {f"{entity_type}/{grain}": values for (entity_type, grain), values in self.misses.items()}
        timing = vars(self.timing) if self.timing else {}
        return {
            "timing": timing,
            "run_rate": vars(self.run_rate),
            "misses": misses,
            "known_until": self.known_until.isoformat(),
        }

    def forecast(self, history: History, as_of_date: date) -> pd.DataFrame:
        """Forecast every period and entity as of the start of a day.

        Returns:
            One row per period and entity: period_grain, period_start, entity_type, entity_id, mean, median, lo_/hi_ 50,
            80, 90, and the parts: booked_part + pipeline_part + run_rate_part = mean, each in reporting currency to the
            cent. No interval goes below the booked amount.
        """
        types, ids = np.array(history.entities.types, dtype=object), np.array(history.entities.ids, dtype=object)
        frames = []
        for expected in self.expect(history, as_of_date):
            rows = expected.is_forecast
            mean, grain = expected.mean[rows], expected.period.grain
            shifts = np.array([self._quantiles(entity_type, grain) for entity_type in types[rows]])
            floor = np.minimum(expected.booked[rows], mean)[:, None]
            bounds = np.maximum(mean[:, None] + shifts * expected.spread[rows][:, None], floor).round(2)
            columns = {
                "period_grain": grain,
                "period_start": expected.period.start,
                "entity_type": types[rows],
                "entity_id": ids[rows],
                "mean": mean,
                **{name: bounds[:, position] for position, name in enumerate(QUANTILES)},
                "booked_part": expected.booked[rows],
                "pipeline_part": expected.pipeline[rows],
                "run_rate_part": expected.run_rate[rows],
            }
            frames.append(pd.DataFrame(columns))
        return pd.concat(frames, ignore_index=True)

    def expect(self, history: History, as_of_date: date) -> list[Expectation]:
        """The parts and the spread of every period forecast on a day."""
        deals, roster, entities = history.pipeline[as_of_date], history.rosters[as_of_date], history.entities
        chances = self.timing.chances(deals, as_of_date) if self.timing else np.zeros((len(deals.amount), MONTHS_AHEAD))
        amounts = deals.amount * (self.timing.realised if self.timing else 1.0)
        new_by_month = self.run_rate.expected(history, as_of_date)
        shares = entities.sum_by(share_out(history, as_of_date), roster.rep, roster.team)
        shares[0] = 1.0  # the company always expects new business, even if no roster says who will bring it
        expected = []
        for period in list_periods(as_of_date, history.fiscal_year_start_month):
            months = month_index(as_of_date) + np.arange(MONTHS_AHEAD)
            is_in = (months >= period.first) & (months < period.first + period.months)
            chance = chances[:, is_in].sum(axis=1)
            booked = history.booked(period.start, min(as_of_date, period.end)).round(2)
            pipeline = entities.sum_by(amounts * chance, deals.rep, deals.team).round(2)
            run_rate = (shares * new_by_month[is_in].sum()).round(2)
            variance = entities.sum_by(amounts**2 * chance * (1 - chance), deals.rep, deals.team)
            variance += self.run_rate.amount_spread * run_rate + (COMMON_SHARE * (pipeline + run_rate)) ** 2
            is_forecast = (booked != 0) | (pipeline != 0) | (shares > 0)
            expected.append(Expectation(period, booked, pipeline, run_rate, np.sqrt(variance), is_forecast))
        return expected

    def _quantiles(self, entity_type: str, grain: str) -> list[float]:
        """Quantiles of earlier misses of this entity type and grain.

        If too few: of all grains; then the normal distribution's.
        """
        pool = self.misses.get((entity_type, grain), np.empty(0))
        if len(pool) < MIN_MISSES:
            pool = np.sort(
                np.concatenate(
                    [np.empty(0), *[values for (kind, _), values in self.misses.items() if kind == entity_type]]
                )
            )
        return [_miss_quantile(pool, quantile) for quantile in QUANTILES.values()]


def fit(history: History, *, known_until: date) -> Forecaster:
    """Fit on deals, bookings and earlier instants known before a day."""
    timing = fit_win_timing(history, known_until=known_until)
    run_rate = fit_run_rate(history, known_until=known_until)
    plain = Forecaster(timing, run_rate, {}, known_until)
    types = np.array(history.entities.types, dtype=object)
    misses: dict[tuple[str, str], list[Floats]] = {}
    for day in usable_instants(history, known_until):
        for expected in plain.expect(history, day):
            if expected.period.end > known_until:
                continue
            actual = history.booked(expected.period.start, expected.period.end)
            judged = expected.is_forecast & (expected.spread > 0)
            miss = (actual - expected.mean)[judged] / expected.spread[judged]
            for entity_type in ("company", "team", "rep"):
                misses.setdefault((entity_type, expected.period.grain), []).append(miss[types[judged] == entity_type])
    return Forecaster(
        timing, run_rate, {key: np.sort(np.concatenate(values)) for key, values in misses.items()}, known_until
    )


def usable_instants(history: History, before: date) -> list[date]:
    """Earlier instants with at least three months of bookings before them."""
    first = history.first_booking
    return [day for day in history.instants if first is not None and (day - first).days >= 90 and day < before]


def _miss_quantile(pool: Floats, quantile: float) -> float:
    """A quantile of earlier misses, rounded outwards as in split conformal prediction; the normal's if too few."""
    if len(pool) < MIN_MISSES:
        return NormalDist().inv_cdf(quantile)
    position = (len(pool) + 1) * quantile - 1
    if quantile != 0.5:
        position = np.floor(position) if quantile < 0.5 else np.ceil(position)
    return float(np.interp(np.clip(position, 0, len(pool) - 1), np.arange(len(pool)), pool))
