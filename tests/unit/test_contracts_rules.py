"""The patterns contracts are written in, against the parsers they stand for."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.contracts import rules
from ingestion.contracts.rules import snake_case
from ingestion.sources.tables import LAKE_TABLES, rules_for


@given(st.integers(0, 9999), st.integers(0, 13), st.integers(0, 32))
def test_a_date_matches_exactly_when_the_day_exists(year: int, month: int, day: int) -> None:
    text = f"{year:04d}-{month:02d}-{day:02d}"
    try:
        exists = year == 0 or bool(date.fromisoformat(text))
    except ValueError:
        exists = False
    if year:
        assert bool(re.fullmatch(rules.DATE, text)) == exists


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20))
def test_every_decimal_that_python_writes_matches(number: Decimal) -> None:
    assert re.fullmatch(rules.DECIMAL, str(number))


@given(st.text("0123456789+-.eE ,x", max_size=8))
def test_what_matches_as_a_decimal_can_be_read_as_one(text: str) -> None:
    if re.fullmatch(rules.DECIMAL, text):
        try:
            Decimal(text)
        except InvalidOperation:
            pytest.fail(f"{text!r} matches but cannot be read")


@pytest.mark.parametrize(
    ("text", "is_timestamp"),
    [
        ("2026-01-05T10:00:00.000Z", True),
        ("2026-01-05T10:00:00+02:00", True),
        ("2026-01-05 10:00:00", True),
        ("2024-02-29T00:00:00Z", True),
        ("2026-02-29T00:00:00Z", False),
        ("2026-01-05T24:00:00Z", False),
        ("2026-01-05", False),
        ("05.01.2026 10:00", False),
    ],
)
def test_timestamps(text: str, is_timestamp: bool) -> None:
    assert bool(re.fullmatch(rules.TIMESTAMP, text)) == is_timestamp


@pytest.mark.parametrize(
    ("name", "expected"),
    [("StageName", "stage_name"), ("OpportunityFieldHistory", "opportunity_field_history"), ("Web_Visits__c", "web_visits_c"),
     ("UserTerritory2Association", "user_territory2_association"), ("SystemModstamp", "system_modstamp"), ("IsWon", "is_won")],
)  # fmt: skip
def test_snake_case(name: str, expected: str) -> None:
    assert snake_case(name) == expected


def test_no_table_names_two_rules_alike() -> None:
    for table in LAKE_TABLES:
        names = [rule.name for rule in table.rules]
        assert len(names) == len(set(names)), table.name


def test_a_custom_object_has_the_rules_of_its_source() -> None:
    names = {rule.name for rule in rules_for("salesforce__machine_c")}
    assert {"id_is_required", "id_is_salesforce_id", "system_modstamp_is_timestamp"} <= names
