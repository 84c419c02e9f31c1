"""The columns of `int_lead_features` that the model may use, and splitting the past into fitted and judged periods."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

CATEGORICAL = ("lead_source", "process", "segment", "industry", "country")
NUMERIC = (
    "employee_count",
    "web_visits",
    "age_days",
    "touches",
    "replies",
    "connected_calls",
    "meetings",
    "days_since_last_touch",
    "minutes_to_first_touch",
    "is_nurtured",
    "is_qualified",
)
FEATURES = (*CATEGORICAL, *NUMERIC)
LABEL = "is_won_within_horizon"
HORIZON = "outcome_horizon_days"

# Below these a probability is a guess: 30 wins give the base rate to within ± 35 % of itself; an AUC needs at least 10.
MIN_FITTED_WINS = 30
MIN_JUDGED_WINS = 10
FITTED_SHARE = 0.7
MIN_USABLE_DAYS = 30
MAX_FITTED_ROWS = 25_000


@dataclass(frozen=True)
class Split:
    """The split of the labelled past, in calendar days. Both ends are included.

    A fitted row's outcome must be known before the judged period begins, so `fitted_until` (the last as-of in the fit)
    is one outcome horizon before `judged_from`.
    """

    fitted_from: date
    fitted_until: date
    judged_from: date
    judged_until: date


@dataclass(frozen=True)
class TooLittleData:
    """Why no model is fitted.

    Attributes:
        metric: Its metric name in `model__evaluation`.
        value: The count that was too low.
        reason: The same, for a reader.
    """

    metric: str
    value: float
    reason: str


def prepare_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Convert `int_lead_features` rows to the types that the model expects, ordered by as-of and lead."""
    prepared = frame.copy()
    prepared["as_of"] = pd.to_datetime(prepared["as_of"]).astype("datetime64[us]")
    for name in CATEGORICAL:
        prepared[name] = prepared[name].astype(object).where(prepared[name].notna(), "unknown").astype(str)
    for name in (*NUMERIC, LABEL):
        prepared[name] = pd.to_numeric(prepared[name], errors="coerce").astype(float)
    return prepared.sort_values(["as_of", "lead_id"], kind="stable").reset_index(drop=True)


def known_outcomes(frame: pd.DataFrame, *, before: pd.Timestamp) -> pd.DataFrame:
    """Labelled rows whose outcome horizon had fully passed at `before`."""
    ended = frame["as_of"] + pd.to_timedelta(frame[HORIZON], unit="D") <= before
    return frame[ended & frame[LABEL].notna()]


def sample_leads(rows: pd.DataFrame) -> pd.DataFrame:
    """About `MAX_FITTED_ROWS` rows: whole leads, chosen by a hash of their id, so the sample is reproducible."""
    if len(rows) <= MAX_FITTED_ROWS:
        return rows
    place = pd.util.hash_array(rows["lead_id"].to_numpy(dtype=object)) / 2.0**64
    return rows[place < MAX_FITTED_ROWS / len(rows)]


def plan_split(known: pd.DataFrame) -> Split | TooLittleData:
    """Choose where the fitted period ends and the judged period begins, or return why no split is possible.

    Args:
        known: Prepared rows with a known outcome; see `known_outcomes`.
    """
    wins = float(known[LABEL].sum())
    if wins < MIN_FITTED_WINS + MIN_JUDGED_WINS:
        needed = MIN_FITTED_WINS + MIN_JUDGED_WINS
        reason = (
            f"{wins:.0f} rows of leads with a known won outcome; at least {needed} are needed to fit and judge a score."
        )
        return TooLittleData("not_fitted_too_few_wins", wins, reason)
    horizon = timedelta(days=int(known[HORIZON].iloc[0]))
    first, last = known["as_of"].min(), known["as_of"].max()
    days = ((last - first) - horizon) / timedelta(days=1)
    if days < MIN_USABLE_DAYS:
        return TooLittleData(
            "not_fitted_history_too_short",
            max(days, 0.0),
            "The labelled history is hardly longer than the outcome horizon.",
        )
    judged_from = (first + horizon + FITTED_SHARE * timedelta(days=days)).normalize()
    fitted = known_outcomes(known, before=judged_from)
    judged = known[known["as_of"] >= judged_from]
    if fitted[LABEL].sum() < MIN_FITTED_WINS or judged[LABEL].sum() < MIN_JUDGED_WINS:
        count = float(min(fitted[LABEL].sum(), judged[LABEL].sum()))
        return TooLittleData(
            "not_fitted_too_few_wins",
            count,
            "Too few won leads on one side of the split between fitted past and judged period.",
        )
    return Split(
        fitted["as_of"].min().date(), fitted["as_of"].max().date(), judged_from.date(), judged["as_of"].max().date()
    )
