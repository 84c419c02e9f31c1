"""The step that orchestration runs: read history, backtest, forecast with a fit on all of it, write."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd

from models_ml.registry import (
    EVALUATIONS,
    REVENUE_FORECASTS,
    Report,
    fingerprint,
    hash_model,
    save_model,
    write_predictions,
)
from models_ml.revenue_forecast import win_timing
from models_ml.revenue_forecast.backtest import Backtest, backtest
from models_ml.revenue_forecast.forecaster import METHOD, fit
from models_ml.revenue_forecast.inputs import History, make_history, read_frames
from storage.lake import Lake

MODEL_KIND = "revenue_forecast"
MIN_WINS = 20


def forecast_revenue(
    warehouse_connection: duckdb.DuckDBPyConnection, lake: Lake, models_dir: Path, *, as_of: datetime, run_id: str
) -> Report:
    """Forecast revenue as of the start of the run's business day; write forecasts and backtest results to the lake.

    With fewer than 20 won deals, less than three months of history, or no win in the last year, nothing is forecast and
    one evaluation row says why. If the history is too short to backtest (under five months more), forecasts are written
    and one evaluation row says so.

    Args:
        warehouse_connection: A warehouse in which dbt built the models that `inputs.read_frames` names.
        lake: Where forecasts and evaluation are written; a rerun with the same as-of and data adds nothing.
        models_dir: Where fitted models are stored, to trace how a forecast was made.
        as_of: The run's instant, UTC.
        run_id: The orchestrator's run, for traceability.
    """
    frames = read_frames(warehouse_connection)
    history = make_history(frames)
    as_of_date = history.instants[-1]
    data = fingerprint(frames.bookings, frames.pipeline, frames.roster)
    parameters = {
        "win_timing": win_timing.PARAMETERS,
        "as_of": as_of_date,
        "fiscal_year_start_month": history.fiscal_year_start_month,
    }
    model_hash = hash_model(MODEL_KIND, data=data, parameters=parameters)
    wins = float(history.bookings.deals[history.bookings.between(date.min, as_of_date)].sum())
    note = _lack(history, as_of_date, wins)
    forecasts, judged = pd.DataFrame(), None
    if not note:
        forecaster = fit(history, known_until=as_of_date)
        save_model(models_dir, MODEL_KIND, model_hash, forecaster.to_plain())
        forecasts = forecaster.forecast(history, as_of_date).assign(method=METHOD)
        judged = backtest(history, as_of_date=as_of_date)
    evaluation = _evaluation_rows(judged, note, wins)
    written = {
        REVENUE_FORECASTS: write_predictions(
            lake, REVENUE_FORECASTS, forecasts, as_of=as_of, model_hash=model_hash, run_id=run_id
        ),
        EVALUATIONS: write_predictions(
            lake, EVALUATIONS, evaluation, as_of=as_of, model_hash=model_hash, run_id=run_id
        ),
    }
    return Report(MODEL_KIND, model_hash, written, judged.metrics if judged else {}, note)


def _lack(history: History, as_of_date: date, wins: float) -> str:
    """Why nothing can be forecast; empty if something can."""
    first = history.first_booking
    if first is None or wins < MIN_WINS:
        return f"{wins:.0f} won deals; at least {MIN_WINS} are needed to forecast."
    if (as_of_date - first).days < 90:
        return "The first deal was won less than 90 days ago: too short a history to forecast from."
    if not history.bookings.between(as_of_date - timedelta(days=365), as_of_date).any():
        return "Nothing was won in the year before: the history has ended, there is nothing to go on from."
    return ""


def _evaluation_rows(judged: Backtest | None, note: str, wins: float) -> pd.DataFrame:
    if judged is None:
        metric = (
            ("not_fitted_too_few_wins" if wins < MIN_WINS else "not_fitted_no_recent_history")
            if note
            else "not_judged_history_too_short"
        )
        row = {"model_kind": MODEL_KIND, "metric": metric, "value": wins}
        return pd.DataFrame([row | dict.fromkeys(("fitted_from", "fitted_until", "judged_from", "judged_until"))])
    dates = {name: getattr(judged, name) for name in ("fitted_from", "fitted_until", "judged_from", "judged_until")}
    return pd.DataFrame(
        [{"model_kind": MODEL_KIND, "metric": name, "value": value, **dates} for name, value in judged.metrics.items()]
    )
