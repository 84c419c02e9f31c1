"""What an exchange rate must be to land: money is multiplied by it."""

from __future__ import annotations

import pyarrow as pa
import pytest

from ingestion.contracts import LoadCheck
from ingestion.sources.feeds.catalogue import FEEDS

RATES = next(feed.lake_table for feed in FEEDS if feed.name == "exchange_rates")
GOOD = {"from_currency": "EUR", "to_currency": "USD", "rate_date": "2026-01-10", "rate": "1.0812", "source": "ECB"}


def broken(**changed: str | None) -> str | None:
    reasons = LoadCheck(RATES).check_rows(
        pa.Table.from_pylist([{**GOOD, **changed}], pa.schema([(name, pa.string()) for name in GOOD]))
    )
    return str(reasons[0].as_py()) if reasons[0].is_valid else None


@pytest.mark.parametrize("rate", ["1", "0.5", "161.37", "00.1", "12345678.0123456789", "0.0000000001"])
def test_rates_that_fit_land(rate: str) -> None:
    assert broken(rate=rate) is None


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        pytest.param({"rate": "0"}, "rate_is_above_zero", id="zero"),
        pytest.param({"rate": "0.0000000000"}, "rate_is_above_zero", id="zero at length"),
        pytest.param({"rate": "-1.08"}, "rate_is_decimal_of_18_digits", id="negative"),
        pytest.param({"rate": "1,08"}, "rate_is_decimal_of_18_digits", id="comma"),
        pytest.param({"rate": "1.08e0"}, "rate_is_decimal_of_18_digits", id="exponent"),
        pytest.param({"rate": "0.12345678901"}, "rate_is_decimal_of_18_digits", id="more digits than are kept"),
        pytest.param({"rate": "123456789"}, "rate_is_decimal_of_18_digits", id="too large"),
        pytest.param({"rate": None}, "rate_is_required", id="none"),
        pytest.param({"rate_date": "10.01.2026"}, "rate_date_is_date", id="another date"),
        pytest.param({"to_currency": "usd"}, "to_currency_is_currency_code", id="small letters"),
        pytest.param({"from_currency": None}, "from_currency_is_required", id="no currency"),
    ],
)
def test_rates_that_do_not_fit_are_set_aside(changed: dict[str, str | None], rule: str) -> None:
    assert broken(**changed) == rule


def test_a_rate_nobody_answers_for_lands() -> None:
    assert broken(source=None) is None
