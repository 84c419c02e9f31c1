"""Slow, obvious answers to what the KPI models compute: loops over records and minutes instead of sets and differences."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import pandas as pd


def count_business_minutes(start: datetime, end: datetime, zone: str, holidays: frozenset[date]) -> int:
    """Minutes from `start` to `end` (UTC, whole minutes) on Mondays to Fridays, 09:00 to 17:00 in `zone`, holidays out: one minute at a time."""
    minutes, moment = 0, start
    while moment < end:
        local = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
        is_open = local.weekday() < 5 and local.date() not in holidays and time(9) <= local.time() < time(17)
        minutes += is_open
        moment += timedelta(minutes=1)
    return minutes


def count_talk_seconds(legs: Iterable[tuple[datetime, datetime]]) -> int:
    """Seconds in which at least one leg of a call was being talked on: a set of seconds."""
    spoken = {
        start + timedelta(seconds=second) for start, end in legs for second in range(int((end - start).total_seconds()))
    }
    return len(spoken)


def convert(amount: Decimal, rate: Decimal) -> Decimal:
    """Amount ÷ rate in whole cents, half away from zero (what `ROUND_HALF_UP` means in Python)."""
    return (amount / rate).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def waterfall(daily: pd.DataFrame, team: str, first: date, last: date) -> tuple[Decimal, Decimal]:
    """Opening and closing pipeline of a team due between two days, read off the daily pipeline."""
    due = daily[(daily.team_id == team) & (daily.close_date >= first) & (daily.close_date <= last)]
    totals = [due[due.date_day == day].amount_reporting.sum() for day in (first - timedelta(days=1), last)]
    return Decimal(totals[0]), Decimal(totals[1])
