"""Forecast errors on days later than any in the fit, beside those of naive forecasts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from models_ml.revenue_forecast.forecaster import LEVELS, Forecaster, fit, usable_instants
from models_ml.revenue_forecast.inputs import DAYS_PER_MONTH, History
from models_ml.revenue_forecast.periods import Period, list_periods, month_start

FITTED_SHARE = 0.6
MIN_INSTANTS = 5


@dataclass(frozen=True)
class Backtest:
    """One fit on the past, judged on later instants.

    Attributes:
        metrics: Error and coverage by name; see `measure`.
        fitted_from: First instant in the fit.
        fitted_until: Last day known to the fit; the day before `judged_from`.
        judged_from: First instant judged.
        judged_until: The day before the run's as-of; periods that had ended by then are judged.
        rows: The judged forecasts with their actuals.
    """

    metrics: dict[str, float]
    fitted_from: date
    fitted_until: date
    judged_from: date
    judged_until: date
    rows: pd.DataFrame


def backtest(history: History, *, as_of_date: date) -> Backtest | None:
    """Fit on the earlier 60 % of instants, forecast at each later one, and compare with actual bookings.

    Returns:
        None with fewer than five instants, or if no period has ended since.
    """
    instants = usable_instants(history, as_of_date)
    if len(instants) < MIN_INSTANTS:
        return None
    judged_from = instants[int(len(instants) * FITTED_SHARE)]
    forecaster = fit(history, known_until=judged_from)
    rows = pd.concat(
        [_judge(forecaster, history, day, as_of_date) for day in instants if day >= judged_from], ignore_index=True
    )
    if rows.empty:
        return None
    one_day = timedelta(days=1)
    return Backtest(measure(rows), instants[0], judged_from - one_day, judged_from, as_of_date - one_day, rows)


def measure(rows: pd.DataFrame) -> dict[str, float]:
    """Errors and coverage of judged forecasts.

    Returns:
        `mape_company_month`, `_quarter`, `_year` (mean |F−A| ÷ A); the same for the naive forecasts
        (`…_of_trailing_mean`: booked so far, then the mean of the previous six months; `…_of_last_year`, given a year
        of history); `wape_team_month` and `wape_rep_month` (Σ|F−A| ÷ Σ A); `bias_company_month` (Σ(F−A) ÷ Σ A);
        `coverage_50_rep` … (share of actuals inside the interval); counts.
    """
    metrics: dict[str, float] = {
        "judged_forecasts": float(len(rows)),
        "judged_instants": float(rows["as_of_date"].nunique()),
    }
    company = rows[(rows["entity_type"] == "company") & (rows["actual"] > 0)]
    for grain in ("month", "quarter", "year"):
        of_grain = company[company["period_grain"] == grain]
        for suffix, column in (("", "mean"), ("_of_trailing_mean", "trailing_mean"), ("_of_last_year", "last_year")):
            errors = ((of_grain[column] - of_grain["actual"]).abs() / of_grain["actual"]).dropna()
            if len(errors):
                metrics[f"mape_company_{grain}{suffix}"] = float(errors.mean())
    months = rows[rows["period_grain"] == "month"]
    for entity_type in ("team", "rep"):
        of_type = months[months["entity_type"] == entity_type]
        if of_type["actual"].sum() > 0:
            metrics[f"wape_{entity_type}_month"] = float(
                (of_type["mean"] - of_type["actual"]).abs().sum() / of_type["actual"].sum()
            )
    of_company = months[months["entity_type"] == "company"]
    if of_company["actual"].sum() > 0:
        metrics["bias_company_month"] = float(
            (of_company["mean"] - of_company["actual"]).sum() / of_company["actual"].sum()
        )
    for entity_type in ("company", "team", "rep"):
        of_type = rows[rows["entity_type"] == entity_type]
        if of_type.empty:
            continue
        for level in LEVELS:
            inside = of_type["actual"].between(of_type[f"lo_{level}"], of_type[f"hi_{level}"])
            metrics[f"coverage_{level}_{entity_type}"] = float(inside.mean())
    return metrics


def _judge(forecaster: Forecaster, history: History, day: date, known_until: date) -> pd.DataFrame:
    """One day's forecasts for periods that ended by `known_until`, with actuals and the company's naive forecasts."""
    forecasts = forecaster.forecast(history, day).assign(as_of_date=day)
    positions = {
        key: position for position, key in enumerate(zip(history.entities.types, history.entities.ids, strict=True))
    }
    parts = []
    for period in list_periods(day, history.fiscal_year_start_month):
        if period.end > known_until:
            continue
        rows = forecasts[(forecasts["period_grain"] == period.grain) & (forecasts["period_start"] == period.start)]
        order = [positions[key] for key in zip(rows["entity_type"], rows["entity_id"], strict=True)]
        is_company = rows["entity_type"] == "company"
        rows = rows.assign(actual=history.booked(period.start, period.end)[order])
        rows["trailing_mean"] = np.where(is_company, _trailing_mean(history, period, day), np.nan)
        rows["last_year"] = np.where(is_company, _last_year(history, period, day), np.nan)
        parts.append(rows)
    return pd.concat(parts, ignore_index=True) if parts else forecasts.iloc[:0]


def _trailing_mean(history: History, period: Period, day: date) -> float:
    booked = history.booked(period.start, min(day, period.end))[0]
    days_to_come = (period.end - max(day, period.start)).days
    return float(booked + history.trailing_monthly(day, 6) * days_to_come / DAYS_PER_MONTH)


def _last_year(history: History, period: Period, day: date) -> float:
    """Booked so far, plus bookings on the same days a year earlier; NaN if history does not reach back that far."""
    first, end = month_start(period.first - 12), month_start(period.first + period.months - 12)
    if history.first_booking is None or first < history.first_booking:
        return float("nan")
    start = max(first, day - timedelta(days=365))
    return float(history.booked(period.start, min(day, period.end))[0] + history.booked(start, end)[0])
