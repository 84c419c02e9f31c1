"""Source text into canonical text: exact, repeatable, and never guessed."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.contracts.samples import shape_of
from ingestion.sources.files.normalise import (
    text_normaliser,
    to_date_text,
    to_decimal_text,
    to_integer_text,
    to_timestamp_text,
)

UTC_ZONE = ZoneInfo("UTC")
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
NEW_YORK = ZoneInfo("America/New_York")


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
    assert Decimal(to_decimal_text(european, decimal_mark=",", thousands_mark=".") or "") == number
    assert Decimal(to_decimal_text(f"{number:f}", multiply=Decimal(1_000_000)) or "") == number.scaleb(6)


@pytest.mark.parametrize("text", ["1,234", "12.3.4", "$5", "1_000", "NaN", "Infinity", "", "12-", "1e9999"])
def test_what_is_no_plain_number_is_not_guessed(text: str) -> None:
    assert to_decimal_text(text) is None


def test_point_is_not_taken_for_a_thousands_mark_unless_it_is_named() -> None:
    assert to_decimal_text("1.234", decimal_mark=",") is None


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
    assert to_timestamp_text(text, zone=zone, date_format=date_format) == expected


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001 - drawn as UTC
def test_an_instant_survives_being_written_in_another_zone(moment: datetime) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)
    there = moment.astimezone(NEW_YORK).isoformat()
    written = to_timestamp_text(there, zone=SAO_PAULO)
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
    assert to_date_text(text, zone=UTC_ZONE, business_zone=SAO_PAULO) == expected


def test_a_message_shows_the_shape_of_a_value_and_not_the_value() -> None:
    assert shape_of("Ann Lee, 12/05/1980") == "aaa aaa, 99/99/9999"
