"""The revenue forecast: parts that add up, intervals in order, nothing known later than the day it speaks for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from models_ml.registry import EVALUATIONS, REVENUE_FORECASTS
from models_ml.revenue_forecast import forecast_revenue
from models_ml.revenue_forecast.backtest import backtest
from models_ml.revenue_forecast.forecaster import Forecaster, fit
from models_ml.revenue_forecast.inputs import Frames, History, make_history
from models_ml.revenue_forecast.periods import list_periods
from models_ml.revenue_forecast.run_rate import share_out
from storage.lake import Lake
from tests.models_sample import revenue_frames, run_day

AS_OF = datetime(2025, 7, 5, 11, tzinfo=UTC)


@pytest.fixture(scope="module")
def frames() -> Frames:
    return revenue_frames()


@pytest.fixture(scope="module")
def history(frames: Frames) -> History:
    return make_history(frames)


@pytest.fixture(scope="module")
def forecaster(history: History) -> Forecaster:
    return fit(history, known_until=history.instants[-1])


@pytest.fixture(scope="module")
def predicted(history: History, forecaster: Forecaster) -> pd.DataFrame:
    return forecaster.forecast(history, history.instants[-1])


@pytest.mark.parametrize(
    ("day", "start_month", "expected"),
    [
        pytest.param(date(2026, 1, 5), 2, [(2025, 11), (2026, 2), (2025, 2)], id="last month of a February year"),
        pytest.param(date(2026, 2, 1), 2, [(2026, 2), (2026, 5), (2026, 2)], id="first day of a February year"),
        pytest.param(date(2026, 12, 31), 1, [(2026, 10), (2027, 1), (2026, 1)], id="calendar year's last day"),
    ],
)
def test_periods_follow_the_fiscal_year(day: date, start_month: int, expected: list[tuple[int, int]]) -> None:
    periods = list_periods(day, start_month)
    assert [(period.start.year, period.start.month) for period in periods if period.grain != "month"] == expected
    assert [period.grain for period in periods].count("month") == 4
    assert all(period.end > day for period in periods)


def test_parts_add_up_to_the_mean(predicted: pd.DataFrame) -> None:
    parts = predicted[["booked_part", "pipeline_part", "run_rate_part"]].sum(axis=1)
    assert np.allclose(parts, predicted["mean"], atol=0.006, rtol=0)
    assert (predicted[["booked_part", "pipeline_part", "run_rate_part"]] >= 0).all().all()


def test_teams_and_reps_add_up_to_the_company(predicted: pd.DataFrame) -> None:
    sums = predicted.pivot_table(
        index=["period_grain", "period_start"], columns="entity_type", values="mean", aggfunc="sum"
    )
    assert np.allclose(sums["rep"], sums["company"], atol=1.0, rtol=0)
    assert np.allclose(sums["team"], sums["company"], atol=1.0, rtol=0)


def test_intervals_are_nested_and_never_below_what_is_booked(predicted: pd.DataFrame) -> None:
    bounds = predicted[["lo_90", "lo_80", "lo_50", "median", "hi_50", "hi_80", "hi_90"]].to_numpy()
    assert (np.diff(bounds, axis=1) >= 0).all()
    assert (predicted["lo_90"] >= predicted["booked_part"] - 0.005).all()
    assert (predicted["hi_90"] > predicted["lo_90"]).mean() > 0.95


def test_booked_so_far_is_exactly_what_was_booked(history: History, frames: Frames, predicted: pd.DataFrame) -> None:
    quarter = predicted[(predicted["period_grain"] == "quarter") & (predicted["entity_type"] == "company")].iloc[0]
    in_quarter = frames.bookings["won_date"].between(
        pd.Timestamp(quarter["period_start"]), pd.Timestamp(run_day(frames)), inclusive="left"
    )
    assert quarter["booked_part"] == pytest.approx(frames.bookings.loc[in_quarter, "amount"].sum(), abs=0.01)


def test_nothing_from_the_day_on_changes_what_is_said_that_day(frames: Frames, history: History) -> None:
    day = history.instants[-5]
    stamp = pd.Timestamp(day)
    later = frames.pipeline["outcome_won_date"] >= stamp
    bookings = frames.bookings.assign(amount=frames.bookings["amount"].where(frames.bookings["won_date"] < stamp, 1e6))
    pipeline = frames.pipeline.assign(
        outcome_won_date=frames.pipeline["outcome_won_date"].mask(later),
        outcome_amount=frames.pipeline["outcome_amount"].mask(later),
    )
    tampered = make_history(replace(frames, bookings=bookings, pipeline=pipeline[pipeline["as_of_date"] <= stamp]))
    said, said_again = (fit(known, known_until=day).forecast(known, day) for known in (history, tampered))
    pd.testing.assert_frame_equal(said, said_again)


def test_judged_days_lie_after_everything_fitted(history: History) -> None:
    judged = backtest(history, as_of_date=history.instants[-1])
    assert judged is not None
    assert judged.fitted_from < judged.fitted_until < judged.judged_from < judged.judged_until
    assert judged.rows["as_of_date"].min() == judged.judged_from


def test_the_backtest_beats_last_year_and_its_intervals_hold(history: History) -> None:
    judged = backtest(history, as_of_date=history.instants[-1])
    assert judged is not None
    metrics = judged.metrics
    assert metrics["mape_company_month"] < metrics["mape_company_month_of_last_year"]
    assert 0.4 < metrics["coverage_50_rep"] < 0.75
    assert 0.7 < metrics["coverage_80_rep"] < 0.95
    assert metrics["coverage_50_rep"] < metrics["coverage_80_rep"] < metrics["coverage_90_rep"]


def test_chances_follow_stage_and_never_pass_certainty(history: History, forecaster: Forecaster) -> None:
    day = history.instants[-1]
    deals = history.pipeline[day]
    assert forecaster.timing is not None
    chances = forecaster.timing.chances(deals, day)
    assert chances.min() >= 0
    assert chances.sum(axis=1).max() <= 1 + 1e-9
    this_month = {stage: chances[deals.stage == code, 0].mean() for code, stage in enumerate(history.stages)}
    assert this_month["negotiation"] > this_month["qualification"]


def test_new_business_is_shared_out_whole_and_a_newcomer_gets_some(frames: Frames) -> None:
    day = run_day(frames)
    newcomer = (
        frames.roster[frames.roster["as_of_date"] == pd.Timestamp(day)].head(1).assign(rep_id="r_new", tenure_days=10)
    )
    shares = share_out(make_history(replace(frames, roster=pd.concat([frames.roster, newcomer]))), day)
    assert shares.sum() == pytest.approx(1.0)
    assert 0.3 / len(shares) < shares.min()


def _warehouse(frames: Frames) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("create schema predictions; create schema conformed")
    amounts = {"amount": "amount_reporting", "outcome_amount": "outcome_amount_reporting"}
    tables = {
        "predictions.int_feature_instants": frames.instants.assign(instant_kind="same_day"),
        "predictions.int_bookings_daily": frames.bookings.rename(columns=amounts),
        "predictions.int_revenue_features": frames.pipeline.rename(columns=amounts),
        "predictions.int_forecast_roster": frames.roster,
        "conformed.int_run_context": pd.DataFrame({"fiscal_year_start_month": [frames.fiscal_year_start_month]}),
    }
    for name, rows in tables.items():
        connection.register("rows", rows)
        days = [column for column in rows.columns if column.endswith("_date")]
        casts = ", ".join(f"cast({column} as date) as {column}" for column in days)
        connection.execute(f"create table {name} as select * {f'replace ({casts})' if casts else ''} from rows")
    return connection


def test_the_step_writes_once_and_says_the_same_again(tmp_path: Path, frames: Frames) -> None:
    lake = Lake(tmp_path / "lake")
    first = forecast_revenue(_warehouse(frames), lake, tmp_path / "models", as_of=AS_OF, run_id="one")
    again = forecast_revenue(_warehouse(frames), lake, tmp_path / "models", as_of=AS_OF, run_id="two")
    assert first.rows_written[REVENUE_FORECASTS] > 0
    assert again == replace(first, rows_written={REVENUE_FORECASTS: 0, EVALUATIONS: 0})
    assert list((tmp_path / "models" / "revenue_forecast").glob(f"{first.model_hash}.skops"))


@pytest.mark.parametrize(
    ("kept", "metric", "forecast_rows"),
    [
        pytest.param(lambda bookings: bookings.iloc[:0], "not_fitted_too_few_wins", 0, id="no wins"),
        pytest.param(
            lambda bookings: bookings[bookings["won_date"] >= "2025-05-01"],
            "not_fitted_no_recent_history",
            0,
            id="two months",
        ),
        pytest.param(
            lambda bookings: bookings[bookings["won_date"] >= "2025-01-20"],
            "not_judged_history_too_short",
            1,
            id="six months",
        ),
        pytest.param(
            lambda bookings: bookings[bookings["won_date"] < "2024-06-01"],
            "not_fitted_no_recent_history",
            0,
            id="ended a year ago",
        ),
    ],
)
def test_too_little_history_is_a_reason_not_an_error(
    tmp_path: Path, frames: Frames, kept: object, metric: str, forecast_rows: int
) -> None:
    lake = Lake(tmp_path / "lake")
    some = replace(frames, bookings=kept(frames.bookings))  # type: ignore[operator]
    report = forecast_revenue(_warehouse(some), lake, tmp_path / "models", as_of=AS_OF, run_id="r")
    held = lake.query(EVALUATIONS, "select metric from lake")
    assert held is not None
    assert held.column(0).to_pylist() == [metric]
    assert (report.rows_written[REVENUE_FORECASTS] > 0) == bool(forecast_rows)


def test_without_pipeline_the_run_rate_carries_all(frames: Frames) -> None:
    history = make_history(replace(frames, pipeline=frames.pipeline.iloc[:0]))
    day = run_day(frames)
    predicted = fit(history, known_until=day).forecast(history, day)
    company = predicted[(predicted["entity_type"] == "company") & (predicted["period_grain"] == "month")]
    assert (company["pipeline_part"] == 0).all()
    assert (company["run_rate_part"] > 0).all()
