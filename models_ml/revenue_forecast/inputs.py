"""The forecaster's warehouse inputs as plain arrays per past day, so that hundreds of past forecasts take a second."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models_ml.revenue_forecast.periods import month_indices

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COMPANY = "company"
DAYS_PER_MONTH = 30.4375


@dataclass(frozen=True)
class Entities:
    """The forecast entities: the company first, then teams, then reps. A code is a position here; -1 means none."""

    types: list[str]
    ids: list[str]

    def sum_by(self, values: Floats, rep: Ints, team: Ints) -> Floats:
        """Sum values per entity; values without a team or rep count only for the company."""
        sums = np.zeros(len(self.ids))
        for codes in (rep, team):
            sums += np.bincount(codes[codes >= 0], values[codes >= 0], len(self.ids))
        sums[0] = values.sum()
        return sums


@dataclass(frozen=True)
class Bookings:
    """Won amounts, one element per day, rep and team."""

    day: Ints  # proleptic ordinal, see `date.toordinal`
    month: Ints  # see `periods.month_index`
    rep: Ints
    team: Ints
    amount: Floats
    squared_amount: Floats
    deals: Ints

    def between(self, start: date, end: date) -> NDArray[np.bool_]:
        """Mask of the elements in `[start, end)`."""
        return (self.day >= start.toordinal()) & (self.day < end.toordinal())


@dataclass(frozen=True)
class OpenDeals:
    """The pipeline at the start of one day, with its later outcome as a label. Missing months and days are -1."""

    stage: Ints
    amount: Floats
    promised_month: Ints
    age_days: Floats
    rep: Ints
    team: Ints
    opportunity: Ints
    won_day: Ints
    won_month: Ints
    won_amount: Floats


@dataclass(frozen=True)
class Roster:
    """Who could win deals on one day."""

    rep: Ints
    team: Ints
    role: NDArray[np.object_]
    tenure_days: Floats


Rows = TypeVar("Rows", OpenDeals, Roster)


@dataclass(frozen=True)
class History:
    """Bookings, pipeline and rosters for a table of instants.

    Attributes:
        instants: The forecast days, ascending: the run's own and the same day of earlier months. A forecast made on the
            5th is thus calibrated on forecasts made on the 5th.
        entities: The forecast entities.
        stages: Stage names; a stage code is a position here.
        bookings: Won amounts.
        pipeline: Open deals per instant.
        rosters: Reps per instant.
        fiscal_year_start_month: 1–12.
    """

    instants: list[date]
    entities: Entities
    stages: list[str]
    bookings: Bookings
    pipeline: dict[date, OpenDeals]
    rosters: dict[date, Roster]
    fiscal_year_start_month: int

    @property
    def first_booking(self) -> date | None:
        """The day of the first won deal; None if nothing has been won yet."""
        return date.fromordinal(int(self.bookings.day.min())) if len(self.bookings.day) else None

    def booked(self, start: date, end: date) -> Floats:
        """Booked amount per entity in `[start, end)`."""
        is_in = self.bookings.between(start, end)
        return self.entities.sum_by(self.bookings.amount[is_in], self.bookings.rep[is_in], self.bookings.team[is_in])

    def trailing_monthly(self, as_of_date: date, months: int) -> float:
        """Mean monthly bookings over the last `months` before a day, or over the history if shorter."""
        first = self.first_booking
        if first is None or first >= as_of_date:
            return 0.0
        days = round(min(months * DAYS_PER_MONTH, max((as_of_date - first).days, DAYS_PER_MONTH)))
        is_in = self.bookings.between(date.fromordinal(as_of_date.toordinal() - days), as_of_date)
        return float(self.bookings.amount[is_in].sum() / (days / DAYS_PER_MONTH))


@dataclass(frozen=True)
class Frames:
    """The warehouse rows behind a history; their fingerprint identifies a model's data.

    Attributes:
        instants: as_of_date.
        bookings: won_date, rep_id, team_id, amount, squared_amount, deals.
        pipeline: as_of_date, opportunity_id, stage, amount, close_date, age_days, rep_id, team_id, outcome_won_date, outcome_amount.
        roster: as_of_date, rep_id, team_id, role, tenure_days.
        fiscal_year_start_month: 1–12.
    """

    instants: pd.DataFrame
    bookings: pd.DataFrame
    pipeline: pd.DataFrame
    roster: pd.DataFrame
    fiscal_year_start_month: int


def read_frames(connection: duckdb.DuckDBPyConnection) -> Frames:
    """Read `int_feature_instants`, `int_bookings_daily`, `int_revenue_features` and `int_forecast_roster` from schema `predictions`."""
    instants = connection.execute(
        "select distinct as_of_date from predictions.int_feature_instants where instant_kind in ('run', 'same_day') order by as_of_date"
    ).df()
    bookings = connection.execute(
        """select won_date, rep_id, team_id, cast(amount_reporting as double) as amount, squared_amount, deals
        from predictions.int_bookings_daily order by won_date, rep_id nulls last, team_id nulls last"""
    ).df()
    pipeline = connection.execute(
        """select as_of_date, opportunity_id, stage, cast(amount_reporting as double) as amount, close_date, age_days, rep_id, team_id,
            outcome_won_date, cast(outcome_amount_reporting as double) as outcome_amount
        from predictions.int_revenue_features order by as_of_date, opportunity_id"""
    ).df()
    roster = connection.execute(
        "select as_of_date, rep_id, team_id, role, tenure_days from predictions.int_forecast_roster order by as_of_date, rep_id"
    ).df()
    setting = connection.execute("select fiscal_year_start_month from conformed.int_run_context").fetchone()
    return Frames(instants, bookings, pipeline, roster, int(setting[0]) if setting and setting[0] else 1)


def make_history(frames: Frames) -> History:
    """Convert warehouse rows to arrays. A deal without an amount counts as a median won deal."""
    bookings, pipeline, roster = frames.bookings, frames.pipeline, frames.roster
    teams = sorted({str(name) for frame in (bookings, pipeline, roster) for name in frame["team_id"].dropna().unique()})
    reps = sorted({str(name) for frame in (bookings, pipeline, roster) for name in frame["rep_id"].dropna().unique()})
    entities = Entities([COMPANY, *["team"] * len(teams), *["rep"] * len(reps)], [COMPANY, *teams, *reps])
    team_codes = {name: 1 + position for position, name in enumerate(teams)}
    rep_codes = {name: 1 + len(teams) + position for position, name in enumerate(reps)}
    stages = sorted(pipeline["stage"].dropna().astype(str).unique())
    instants = [stamp.date() for stamp in pd.to_datetime(frames.instants["as_of_date"])]
    outcome = pipeline["outcome_amount"].to_numpy(dtype=float)
    typical = float(np.nanmedian(outcome)) if np.isfinite(outcome).any() else 0.0
    amount = pipeline["amount"].to_numpy(dtype=float)
    deals = OpenDeals(
        stage=_codes(pipeline["stage"], {name: position for position, name in enumerate(stages)}),
        amount=np.where(np.isnan(amount), typical, amount),
        promised_month=month_indices(pipeline["close_date"]),
        age_days=pipeline["age_days"].to_numpy(dtype=float),
        rep=_codes(pipeline["rep_id"], rep_codes),
        team=_codes(pipeline["team_id"], team_codes),
        opportunity=pd.factorize(pipeline["opportunity_id"])[0].astype(np.int64),
        won_day=_ordinals(pipeline["outcome_won_date"]),
        won_month=month_indices(pipeline["outcome_won_date"]),
        won_amount=np.nan_to_num(outcome),
    )
    people = Roster(
        rep=_codes(roster["rep_id"], rep_codes),
        team=_codes(roster["team_id"], team_codes),
        role=roster["role"].astype(object).where(roster["role"].notna(), "rep").to_numpy(dtype=object),
        tenure_days=np.nan_to_num(roster["tenure_days"].to_numpy(dtype=np.float64, na_value=np.nan), nan=365.0),
    )
    return History(
        instants=sorted(instants),
        entities=entities,
        stages=stages,
        bookings=Bookings(
            day=_ordinals(bookings["won_date"]),
            month=month_indices(bookings["won_date"]),
            rep=_codes(bookings["rep_id"], rep_codes),
            team=_codes(bookings["team_id"], team_codes),
            amount=bookings["amount"].to_numpy(dtype=float),
            squared_amount=bookings["squared_amount"].to_numpy(dtype=float),
            deals=bookings["deals"].to_numpy(dtype=np.int64),
        ),
        pipeline={day: _rows_of(deals, OpenDeals, pipeline, day) for day in instants},
        rosters={day: _rows_of(people, Roster, roster, day) for day in instants},
        fiscal_year_start_month=frames.fiscal_year_start_month,
    )


def _rows_of(whole: Rows, kind: type[Rows], frame: pd.DataFrame, day: date) -> Rows:
    is_day = (_ordinals(frame["as_of_date"]) == day.toordinal()).nonzero()[0]
    return kind(**{name: values[is_day] for name, values in vars(whole).items()})


def _codes(names: pd.Series, codes: dict[str, int]) -> Ints:
    return np.array([codes.get(name, -1) for name in names], dtype=np.int64)


def _ordinals(days: pd.Series) -> Ints:
    stamps = pd.to_datetime(days).to_numpy(dtype="datetime64[D]")
    epoch = date(1970, 1, 1).toordinal()
    return np.where(np.isnat(stamps), -1, stamps.astype(np.int64) + epoch)
