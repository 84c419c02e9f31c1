"""The small parts the simulated company is made of."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from simulation.company.business_time import BusinessCalendar, day_number, instant, next_true, to_date
from simulation.company.ownership import play_ownership
from simulation.company.people import build_people
from simulation.company.randomness import Randomness
from simulation.company.records.columns import money, rates
from simulation.company.records.deal_records import split_amounts
from simulation.company.records.directory_text import format_phones
from simulation.company.records.ids import hex_ids, salesforce_ids
from simulation.company.sizes import SIZES
from simulation.company.steps import NEVER, StepLog
from simulation.company.vocabulary import OUTSIDE


@pytest.fixture(scope="module")
def calendar() -> BusinessCalendar:
    return BusinessCalendar(date(2024, 12, 20), date(2027, 5, 1))


def test_new_york_time_agrees_with_the_time_zone_database(calendar: BusinessCalendar) -> None:
    at = np.arange(instant(datetime(2025, 1, 1, tzinfo=UTC)), instant(datetime(2026, 12, 31, tzinfo=UTC)), 1_800)
    local = calendar.local(at)
    zone = ZoneInfo("America/New_York")
    for moment, wall in zip(at[::97].tolist(), local[::97].tolist(), strict=True):
        known = datetime.fromtimestamp(moment, UTC).astimezone(zone)
        assert moment + int(known.utcoffset().total_seconds()) == wall  # type: ignore[union-attr]
    around = [instant(datetime(2025, *day, hour, 59, 59, tzinfo=UTC)) for day in ((3, 9), (11, 2)) for hour in (5, 6)]
    for moment in [*around, *(second + 1 for second in around)]:
        known = datetime.fromtimestamp(moment, UTC).astimezone(zone)
        assert calendar.local(np.array([moment]))[0] == moment + int(known.utcoffset().total_seconds())  # type: ignore[union-attr]


def test_wall_clock_goes_back_to_the_same_instant(calendar: BusinessCalendar) -> None:
    days = np.arange(day_number(date(2025, 1, 1)), day_number(date(2026, 12, 31)))
    at = calendar.at(days, np.full(len(days), 9 * 3_600))
    assert (calendar.day(at) == days).all()
    assert (calendar.local(at) % 86_400 == 9 * 3_600).all()


@pytest.mark.parametrize(
    ("day", "following"),
    [(date(2025, 7, 3), date(2025, 7, 3)), (date(2025, 7, 4), date(2025, 7, 7)), (date(2025, 8, 30), date(2025, 9, 2))],
    ids=["a working day", "Independence Day", "Labor Day's weekend"],
)
def test_next_workday(calendar: BusinessCalendar, day: date, following: date) -> None:
    assert to_date(calendar.next_workday(np.array([day_number(day)]))[0]) == following


def test_next_true() -> None:
    assert next_true(np.array([[False, True, False, True, False]])).tolist() == [[1, 1, 3, 3, 4]]


def test_salesforce_ids_end_in_the_known_check_characters() -> None:
    """`0013000000abcde` style ids: the last three characters encode which letters are capitals."""
    ids = salesforce_ids("Lead", np.array([0, 36, 61, 62, -1]))
    assert ids.to_pylist() == [
        "00Q5g0000000000EAA",
        "00Q5g000000000aEAA",
        "00Q5g000000000zEAA",
        "00Q5g0000000010EAA",
        None,
    ]
    assert len(set(salesforce_ids("Task", np.arange(10_000)).to_pylist())) == 10_000


def test_hex_ids_differ_and_repeat() -> None:
    first, again = (hex_ids("CA", np.arange(5_000), salt=1).to_pylist() for _ in range(2))
    assert first == again and len(set(first)) == 5_000 and all(len(text) == 34 for text in first)


def test_money_is_exact() -> None:
    assert money(np.array([0, 1, -1, 12_345_678_901_234_567])).to_pylist() == [
        Decimal("0.00"),
        Decimal("0.01"),
        Decimal("-0.01"),
        Decimal("123456789012345.67"),
    ]
    assert money(np.array([5, 5]), np.array([True, False])).to_pylist() == [None, Decimal("0.05")]
    assert rates(np.array([920_001])).to_pylist() == [Decimal("0.920001")]


def test_split_amounts_sum_exactly() -> None:
    shares = split_amounts(np.array([101, 1, 99_999]), np.array([[50, 25, 25], [50, 50, 0], [70, 30, 0]]))
    assert shares.tolist() == [[51, 25, 25], [1, 0, 0], [69_999, 30_000, 0]]


def test_phones_are_written_in_many_ways() -> None:
    phones = pa.array(["+12125550143"] * 4 + ["+442079460123"])
    written = format_phones(phones, np.array([0, 1, 2, 3, 1]))
    assert written.to_pylist() == [
        "+12125550143",
        "(212) 555-0143",
        "212-555-0143",
        "+1 212 555 0143",
        "+44 20794 60123",
    ]


def test_steps_carry_values_forward_and_end_with_the_entity() -> None:
    log = StepLog(status=0, owner=-1)
    log.add(np.array([1, 0]), np.array([100, 50]), 7, owner=np.array([5, 6]))
    log.add(np.array([0, 0, 1]), np.array([60, 50, 300]), 8, status=np.array([2, 1, 9]))
    steps = log.finish(np.random.default_rng(1), until=1_000, ends_at=np.array([NEVER, 200]))
    assert steps.entity.tolist() == [0, 0, 0, 1] and steps.at.tolist() == [50, 51, 60, 100]
    assert steps.state["status"].tolist() == [0, 1, 2, 0] and steps.state["owner"].tolist() == [6, 6, 6, 5]
    assert steps.changed["owner"].tolist() == [True, False, False, True]


def test_unknown_step_column_is_refused() -> None:
    with pytest.raises(KeyError, match="colour"):
        StepLog(status=0).add(np.array([0]), np.array([1]), 0, colour=3)


def test_what_a_leaver_held_goes_to_somebody_who_stays(calendar: BusinessCalendar) -> None:
    people = build_people(SIZES["tiny"], calendar, Randomness(3, 0), 1)
    leaver = next(person for person in people.persons if person.role == OUTSIDE and person.left < calendar.last_day)
    count = 50
    since = np.full(count, int(calendar.at(np.array([leaver.left - 20]), np.array([36_000]))[0]))
    owners = play_ownership(
        people, np.random.default_rng(1), OUTSIDE, np.full(count, leaver.index), since, 0.0, since + 86_400 * 90
    )
    before, after = (
        owners.owner_at(np.arange(count), since + 86_400),
        owners.owner_at(np.arange(count), since + 86_400 * 30),
    )
    assert (before == leaver.index).all() and (after != leaver.index).all()
    assert (people.left[after] > leaver.left + 9).all()
