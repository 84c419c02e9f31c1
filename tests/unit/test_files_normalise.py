"""Source text into canonical text: exact, repeatable, and never guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.contracts.samples import shape_of
from ingestion.sources.files.clock_order import settle_order
from ingestion.sources.files.durations import to_duration_text
from ingestion.sources.files.normalise import text_normaliser
from ingestion.sources.files.numbers import NumberStyle, to_decimal_text, to_integer_text
from ingestion.sources.files.times import TimeStyle, to_date_text, to_timestamp_text

UTC_ZONE = ZoneInfo("UTC")
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
NEW_YORK = ZoneInfo("America/New_York")
OSLO = ZoneInfo("Europe/Oslo")
EUROPEAN = NumberStyle(decimal_mark=",", thousands_mark=".")
ENGLISH = NumberStyle(thousands_mark=",")
INDIAN = NumberStyle(thousands_mark=",", grouping="indian")


@pytest.mark.parametrize("spelling", ["GTXPro", "GTX Pro", " gtxpro", "gtx  PRO "])
def test_spellings_of_one_product_are_one_key(spelling: str) -> None:
    normalise = text_normaliser(["strip", "collapse_spaces", "casefold"], {"GTXPro": "GTX Pro"})
    assert normalise(spelling) == "gtx pro"


def test_nothing_left_is_null() -> None:
    assert text_normaliser(["strip"])("   ") is None


@pytest.mark.parametrize(
    "steps",
    [["strip"], ["strip", "casefold"], ["strip", "collapse_spaces", "upper"], ["nfkc", "collapse_spaces"]],
    ids="+".join,
)
@given(text=st.text(max_size=30))
def test_a_normalised_key_is_its_own_normal_form(steps: list[str], text: str) -> None:
    normalise = text_normaliser(steps, {"GTXPro": "GTX Pro"})
    once = normalise(text)
    assert once is None or normalise(once) == once


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**24), max_value=10**24, places=4))
def test_a_number_keeps_its_value_in_either_notation(number: Decimal) -> None:
    assert Decimal(to_decimal_text(f"{number:f}") or "") == number
    european = f"{number:,f}".translate(str.maketrans(",.", ".,"))
    assert Decimal(to_decimal_text(european, EUROPEAN) or "") == number
    assert Decimal(to_decimal_text(f"{number:f}", NumberStyle(multiply=Decimal(1_000_000))) or "") == number.scaleb(6)


@pytest.mark.parametrize("text", ["1,234", "12.3.4", "$5", "1_000", "NaN", "Infinity", "", "12-", "1e9999"])
def test_what_is_no_plain_number_is_not_guessed(text: str) -> None:
    assert to_decimal_text(text) is None


def test_point_is_not_taken_for_a_thousands_mark_unless_it_is_named() -> None:
    assert to_decimal_text("1.234", NumberStyle(decimal_mark=",")) is None


@pytest.mark.parametrize(
    ("text", "expected"), [("12", "12"), ("12.0", "12"), ("1e3", "1000"), ("12.5", None), ("a dozen", None)]
)
def test_whole_numbers(text: str, expected: str | None) -> None:
    assert to_integer_text(text) == expected


@pytest.mark.parametrize(
    ("text", "zone", "date_format", "expected"),
    [
        pytest.param("2018-02-26 19:58:54", UTC_ZONE, None, "2018-02-26T19:58:54.000Z", id="no zone, UTC said"),
        pytest.param("2018-02-26 19:58:54", SAO_PAULO, None, "2018-02-26T22:58:54.000Z", id="no zone, Sao Paulo said"),
        pytest.param(
            "2018-02-26T19:58:54.125-05:00", SAO_PAULO, None, "2018-02-27T00:58:54.125Z", id="the value's own zone wins"
        ),
        pytest.param("2018-02-26", SAO_PAULO, None, "2018-02-26T03:00:00.000Z", id="a day is its first moment"),
        pytest.param(
            "26/02/2018 07:05 PM", UTC_ZONE, "%d/%m/%Y %I:%M %p", "2018-02-26T19:05:00.000Z", id="a format of its own"
        ),
        pytest.param("2018-02-30", UTC_ZONE, None, None, id="no such day"),
        pytest.param("26/02/2018", UTC_ZONE, None, None, id="a format nobody named"),
        pytest.param("0001-01-01", ZoneInfo("Asia/Tokyo"), None, None, id="before the calendar begins"),
    ],
)
def test_timestamps(text: str, zone: ZoneInfo, date_format: str | None, expected: str | None) -> None:
    assert to_timestamp_text(text, TimeStyle(zone, date_format)) == expected


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001 - drawn as UTC
def test_an_instant_survives_being_written_in_another_zone(moment: datetime) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)
    there = moment.astimezone(NEW_YORK).isoformat()
    written = to_timestamp_text(there, TimeStyle(SAO_PAULO))
    assert written is not None
    assert datetime.fromisoformat(written) == moment


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2018-06-05", "2018-06-05", id="a day has no zone"),
        pytest.param("20180605", "2018-06-05", id="nor has one in digits only"),
        pytest.param("2018-06-05 02:00:00", "2018-06-04", id="an instant is on the business's day"),
        pytest.param("2018-06-05T12:00:00Z", "2018-06-05", id="noon is on the same day"),
        pytest.param("soon", None, id="no day"),
    ],
)
def test_days(text: str, expected: str | None) -> None:
    assert to_date_text(text, TimeStyle(UTC_ZONE), SAO_PAULO) == expected


def test_a_message_shows_the_shape_of_a_value_and_not_the_value() -> None:
    assert shape_of("Ann Lee, 12/05/1980") == "aaa aaa, 99/99/9999"


@pytest.mark.parametrize(
    ("text", "style", "expected"),
    [
        pytest.param("1.200,50", EUROPEAN, "1200.50", id="a mark in its place"),
        pytest.param("1234.56", EUROPEAN, None, id="a decimal point among decimal commas"),
        pytest.param("110.7", EUROPEAN, None, id="a point before one digit"),
        pytest.param("0.125", EUROPEAN, None, id="a first group of zero is a decimal point"),
        pytest.param("1.2345", EUROPEAN, None, id="a group of four"),
        pytest.param("1.234.56", EUROPEAN, None, id="a last group of two"),
        pytest.param(".123", EUROPEAN, None, id="no first group"),
        pytest.param("1234.567", EUROPEAN, None, id="a first group of four"),
        pytest.param("1,234.5", EUROPEAN, None, id="the marks of another country"),
        pytest.param("1.234,567.8", EUROPEAN, None, id="a thousands mark in the decimal places"),
        pytest.param("1.234E3", EUROPEAN, "1234000", id="an exponent behind groups"),
        pytest.param("1,25E+07", EUROPEAN, "12500000", id="scientific"),
        pytest.param("12,34,567.5", INDIAN, "1234567.5", id="lakh"),
        pytest.param("1,234,567", INDIAN, None, id="threes where twos are declared"),
        pytest.param("12,34,567", ENGLISH, None, id="twos where threes are declared"),
        pytest.param("1\u202f234,5", NumberStyle(",", " "), "1234.5", id="a narrow space is a space"),
        pytest.param("1\u2019234.5", NumberStyle(".", "'"), "1234.5", id="a curly apostrophe is one"),
        pytest.param("\u22125,5", EUROPEAN, "-5.5", id="a typographic minus"),
        pytest.param("(5.00)", NumberStyle(), None, id="brackets that nobody declared"),
        pytest.param("(-5)", NumberStyle(negative="parentheses"), None, id="below zero twice"),
        pytest.param("5.00-", NumberStyle(negative="trailing_minus"), "-5.00", id="a minus behind"),
        pytest.param("$1,200", NumberStyle(thousands_mark=",", signs=("$",)), "1200", id="a sign that is declared"),
        pytest.param("US$5", NumberStyle(signs=("$",)), None, id="another dollar"),
        pytest.param("-$5", NumberStyle(signs=("$", "US$")), "-5", id="a sign behind the minus"),
        pytest.param("5 €", NumberStyle(signs=("€",)), "5", id="a sign behind"),
        pytest.param("$5€", NumberStyle(signs=("$", "€")), None, id="two signs"),
        pytest.param("12.5%", NumberStyle(), None, id="a percent sign that nobody declared"),
        pytest.param("12.5 %", NumberStyle(percent="points"), "12.5", id="points"),
        pytest.param("12.5%", NumberStyle(percent="fraction"), "0.125", id="a fraction"),
        pytest.param("0.13", NumberStyle(percent="fraction"), None, id="no percent sign among percentages"),
        pytest.param("1 234", NumberStyle(), None, id="two numbers"),
        pytest.param("#REF!", ENGLISH, None, id="a spreadsheet's error"),
    ],
)
def test_a_number_is_read_in_the_style_declared_or_not_at_all(
    text: str, style: NumberStyle, expected: str | None
) -> None:
    assert to_decimal_text(text, style) == expected


@given(st.integers(0, 10**12), st.integers(0, 99), st.data())
def test_a_thousands_mark_is_read_only_in_its_places(whole: int, cents: int, data: st.DataObject) -> None:
    written = f"{whole:,}".replace(",", ".")
    assert to_decimal_text(f"{written},{cents:02}", EUROPEAN) == f"{whole}.{cents:02}"
    digits = str(whole)
    places = data.draw(st.sets(st.integers(0, len(digits)), min_size=1, max_size=4))
    misplaced = "".join(("." if at in places else "") + digit for at, digit in enumerate(digits + " ")).strip()
    read = to_decimal_text(misplaced, EUROPEAN)
    assert read is None if misplaced not in (written, digits) else read == digits


@pytest.mark.parametrize(
    ("text", "date_format", "expected"),
    [
        pytest.param("2026-05-03 22:30:00 UTC", "%Y-%m-%d %H:%M:%S %Z", "2026-05-03T22:30:00.000Z", id="UTC named"),
        pytest.param("2026-05-03 22:30:00 UTC", None, "2026-05-03T22:30:00.000Z", id="behind ISO"),
        pytest.param("2026-05-03 22:30 CEST", "%Y-%m-%d %H:%M %Z", "2026-05-03T20:30:00.000Z", id="what clocks show"),
        pytest.param("2026-05-03 22:30 CET", "%Y-%m-%d %H:%M %Z", None, id="winter time in summer"),
        pytest.param("2025-10-26 02:30 CET", None, "2025-10-26T01:30:00.000Z", id="the second pass by its name"),
        pytest.param("2025-10-26 02:30 CEST", None, "2025-10-26T00:30:00.000Z", id="the first pass by its name"),
        pytest.param("2026-05-03 22:30 IST", None, "2026-05-03T17:00:00.000Z", id="a name that is listed"),
        pytest.param("2026-05-03 22:30 EST", None, None, id="a name that is not"),
        pytest.param("2026-05-03 22:30 America/New_York", None, "2026-05-04T02:30:00.000Z", id="the database's name"),
        pytest.param("2026-05-03 22:30+02:00 UTC", None, None, id="an offset against a name"),
        pytest.param("2026-05-03 22:30:00 +0000", None, "2026-05-03T22:30:00.000Z", id="an offset behind a blank"),
        pytest.param("Mon May 04 10:00:00 EDT 2026", "%a %b %d %H:%M:%S %Z %Y", None, id="unknown among words"),
        pytest.param("Mon May 04 10:00:00 UTC 2026", "%a %b %d %H:%M:%S %Z %Y", "2026-05-04T10:00:00.000Z", id="words"),
        pytest.param("2026-05-03 10:30 PM", "%Y-%m-%d %H:%M %p", None, id="PM on a clock of 24 hours"),
        pytest.param("2026-05-03 22:30 PM", "%Y-%m-%d %H:%M %p", "2026-05-03T20:30:00.000Z", id="PM that agrees"),
        pytest.param("2026-05-03 10:30 PM", None, "2026-05-03T20:30:00.000Z", id="PM behind ISO"),
        pytest.param("Tue 05/04/2026", "%a %m/%d/%Y", None, id="a weekday that is not that day's"),
        pytest.param("1122026", "%d%m%Y", None, id="a digit that a spreadsheet dropped"),
        pytest.param("2026-03-29 02:30", None, None, id="a time that clocks skip"),
        pytest.param("2026-03-29 24:00", None, None, id="no such hour"),
        pytest.param("3/4/2026 9:05 pm", "day_first", "2026-04-03T19:05:00.000Z", id="the day first"),
        pytest.param("3/4/2026 9:05 pm", "month_first", "2026-03-04T20:05:00.000Z", id="the month first"),
        pytest.param("13/4/2026", "month_first", None, id="no such month"),
        pytest.param("03.04.26", "day_first", "2026-04-02T22:00:00.000Z", id="two digits of a year"),
        pytest.param("3/4.2026", "day_first", None, id="two marks"),
        pytest.param("46146.9375", "excel_serial", "2026-05-04T20:30:00.000Z", id="a serial day with its time"),
        pytest.param("60", "excel_serial", None, id="the day that only spreadsheets have"),
        pytest.param("2026-05-04", "excel_serial", None, id="a day that is no serial"),
        pytest.param("1777926600", "unix_seconds", "2026-05-04T20:30:00.000Z", id="seconds since 1970"),
    ],
)
def test_what_a_time_says_of_itself_counts(text: str, date_format: str | None, expected: str | None) -> None:
    assert to_timestamp_text(text, TimeStyle(OSLO, date_format, {"IST": ZoneInfo("Asia/Kolkata")})) == expected


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        pytest.param("0:03:05", {}, "185", id="a clock"),
        pytest.param("1:00:04", {}, "3604", id="over an hour"),
        pytest.param("27:00:00", {}, "97200", id="over a day"),
        pytest.param("1.02:03:04", {}, "93784", id="days before the clock"),
        pytest.param("0:03:05.6", {}, "186", id="parts of a second"),
        pytest.param("0:73:05", {}, None, id="73 minutes beside an hour"),
        pytest.param("3:05", {}, None, id="minutes or hours"),
        pytest.param("3:05", {"clock_format": "m:ss"}, "185", id="minutes, declared"),
        pytest.param("3:05", {"clock_format": "h:mm"}, "11100", id="hours, declared"),
        pytest.param("3:65", {"clock_format": "m:ss"}, None, id="65 seconds"),
        pytest.param("3m 5s", {}, "185", id="letters"),
        pytest.param("1 hr 2 min 3 sec", {}, "3723", id="words"),
        pytest.param("PT3M5S", {}, "185", id="ISO 8601"),
        pytest.param("185 s", {"unit": "minutes"}, "185", id="the value's own unit wins"),
        pytest.param("3.5", {"unit": "minutes"}, "210", id="minutes"),
        pytest.param("185432", {"unit": "milliseconds"}, "185", id="milliseconds"),
        pytest.param("0.00214", {"unit": "days"}, "185", id="a spreadsheet's part of a day"),
        pytest.param("185", {}, "185", id="seconds"),
        pytest.param("185.4", {}, None, id="no whole second"),
        pytest.param("-5", {}, None, id="below zero"),
        pytest.param("5s 3m", {}, None, id="out of order"),
        pytest.param("m", {}, None, id="no number"),
        pytest.param("", {}, None, id="nothing"),
    ],
)
def test_durations(text: str, options: dict[str, Any], expected: str | None) -> None:
    assert to_duration_text(text, **options) == expected


@given(st.integers(0, 200_000))
def test_a_duration_is_the_same_in_every_spelling(seconds: int) -> None:
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    for text in (f"{hours}:{minutes:02}:{rest:02}", f"{hours}h {minutes}m {rest}s", f"PT{hours}H{minutes}M{rest}S"):
        assert to_duration_text(text) == str(seconds)
    assert to_duration_text(f"{seconds // 60}:{rest:02}", clock_format="m:ss") == str(seconds)


@given(
    st.sampled_from([datetime(2025, 10, 25, 20), datetime(2026, 3, 28, 20), datetime(2026, 3, 29, 20)]),  # noqa: DTZ001
    st.integers(0, 12 * 3600),
    st.integers(0, 3000),
    st.integers(0, 600),
)
def test_a_call_over_the_clock_change_lasts_what_it_lasted(day: datetime, begins: int, talk: int, rings: int) -> None:
    started = day.replace(tzinfo=UTC) + timedelta(seconds=begins)
    instants = [started, started + timedelta(seconds=rings), started + timedelta(seconds=rings + talk)]
    # The log writes the day of the start once, and three times of day.
    written = started.astimezone(OSLO).strftime("%Y-%m-%d")
    names = ("started_at", "answered_at", "ended_at")
    texts = {name: f"{written} {at.astimezone(OSLO):%H:%M:%S}" for name, at in zip(names, instants, strict=True)}
    order = [("started_at", "answered_at"), ("answered_at", "ended_at")]
    settled = settle_order(texts, dict.fromkeys(names, TimeStyle(OSLO)), order, frozenset(names[1:]))
    assert settled is not None
    read = [datetime.fromisoformat(settled[name]) for name in names]
    assert read[2] - read[1] == timedelta(seconds=talk)
    assert read[1] - read[0] == timedelta(seconds=rings)
