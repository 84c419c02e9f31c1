"""Made-up leads and deals whose true probabilities are known: what the model tests run on."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from models_ml.lead_quality.features import prepare_frame
from models_ml.revenue_forecast.inputs import Frames

HORIZON_DAYS = 90


def lead_frame(*, leads: int = 2500, months: int = 20, seed: int = 1) -> pd.DataFrame:
    """Rows as `int_lead_features` gives them, one a day after creation and one a month start, with the truth in `true_probability`."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2024-01-01")
    as_of = start + pd.DateOffset(months=months)
    created = start + pd.to_timedelta(rng.integers(0, months * 30, leads), unit="D")
    source = rng.choice(["Web", "Referral", "Event", "Cold"], leads, p=[0.5, 0.1, 0.2, 0.2])
    visits = rng.poisson(3, leads)
    log_odds = -2.6 + 1.5 * (source == "Referral") - 0.8 * (source == "Cold") + 0.25 * (visits - 3)
    truth = 1 / (1 + np.exp(-log_odds))
    won_at = created + pd.to_timedelta(rng.integers(20, 80, leads), unit="D")
    is_won = rng.random(leads) < truth
    gone_at = np.where(is_won, won_at, created + pd.to_timedelta(rng.integers(5, 200, leads), unit="D"))
    rows = []
    for moment in [None, *pd.date_range(start, as_of, freq="MS")]:
        at = created + pd.Timedelta(days=1) if moment is None else pd.DatetimeIndex([moment] * leads)
        is_known = at + pd.Timedelta(days=HORIZON_DAYS) <= as_of
        label = np.where(is_known, is_won & (won_at <= at + pd.Timedelta(days=HORIZON_DAYS)), np.nan)
        frame = pd.DataFrame(
            {
                "lead_id": [f"L{number:05d}" for number in range(leads)],
                "as_of": at,
                "lead_source": source,
                "process": "Inbound",
                "segment": None,
                "industry": "Retail",
                "country": "US",
                "employee_count": 50,
                "web_visits": visits,
                "age_days": (at - created).days,
                "is_scored_now": at == as_of,
                "outcome_horizon_days": HORIZON_DAYS,
                "is_won_within_horizon": label,
                "true_probability": truth,
            }
        )
        for name in ("touches", "replies", "connected_calls", "meetings", "is_nurtured", "is_qualified"):
            frame[name] = 0
        for name in ("days_since_last_touch", "minutes_to_first_touch"):
            frame[name] = np.nan
        rows.append(frame[(at >= created) & (at < gone_at) & (at <= as_of)])
    return prepare_frame(pd.concat(rows, ignore_index=True))


def revenue_frames(*, deals: int = 1500, months: int = 18, reps: int = 8, seed: int = 3) -> Frames:
    """Rows as the forecast models read them: deals with a stage that grows with age and a promised close date that is off by weeks."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2024-01-01")
    end = start + pd.DateOffset(months=months) + pd.Timedelta(days=4)
    days = (end - start).days
    created = rng.integers(-120, days, deals)
    life = rng.gamma(3, 25, deals).astype(int) + 5
    closed = created + life
    is_won = rng.random(deals) < 0.3
    amount = rng.lognormal(9, 0.8, deals).round(2)
    promised = closed + rng.integers(-40, 40, deals)
    rep = rng.integers(0, reps, deals)
    rep_id, team_id = np.char.add("r", rep.astype(str)), np.char.add("t", (rep % 2).astype(str))
    won = is_won & (closed >= 0) & (closed < days)
    bookings = pd.DataFrame(
        {"won_date": _day(start, closed[won]), "rep_id": rep_id[won], "team_id": team_id[won], "amount": amount[won]}
    )
    bookings = (
        bookings.assign(squared_amount=bookings["amount"] ** 2, deals=1)
        .groupby(["won_date", "rep_id", "team_id"], as_index=False)
        .sum()
    )
    instants = sorted(end - pd.DateOffset(months=back) for back in range(months - 1))
    pipeline, roster = [], []
    for instant in instants:
        day = (instant - start).days
        is_open = (created < day) & (closed >= day)
        share = (day - created) / life
        stage = np.select([share < 0.3, share < 0.6], ["qualification", "proposal"], "negotiation")
        outcome = np.where(is_won & (closed < days), closed.astype(float), np.nan)
        pipeline.append(
            pd.DataFrame(
                {
                    "as_of_date": instant,
                    "opportunity_id": np.arange(deals),
                    "stage": stage,
                    "amount": amount,
                    "close_date": _day(start, promised),
                    "age_days": day - created,
                    "rep_id": rep_id,
                    "team_id": team_id,
                    "outcome_won_date": _day(start, outcome),
                    "outcome_amount": np.where(np.isnan(outcome), np.nan, amount),
                }
            )[is_open]
        )
        people = {
            "rep_id": [f"r{number}" for number in range(reps)],
            "team_id": [f"t{number % 2}" for number in range(reps)],
        }
        roster.append(pd.DataFrame({**people, "as_of_date": instant, "role": "outside_rep", "tenure_days": 400}))
    return Frames(
        pd.DataFrame({"as_of_date": instants}),
        bookings,
        pd.concat(pipeline),
        pd.concat(roster),
        fiscal_year_start_month=2,
    )


def run_day(frames: Frames) -> date:
    """The run's as-of day of made-up frames."""
    return pd.Timestamp(frames.instants["as_of_date"].max()).date()


def _day(start: pd.Timestamp, offset: np.ndarray) -> pd.DatetimeIndex:
    return start + pd.to_timedelta(offset, unit="D")
