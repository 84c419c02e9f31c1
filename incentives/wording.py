"""Wording of amounts, rates and slices in the explanation of a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from incentives.currencies import currency_exponent


def say_money(amount: Decimal, currency: str) -> str:
    """An amount with its currency.

    >>> say_money(Decimal("1200.1"), "USD"), say_money(Decimal("0.8330"), "KWD"), say_money(Decimal("433290.003333"), "USD")
    ('1,200.10 USD', '0.833 KWD', '433,290.003333 USD')
    """
    # Bounds on attainment have more decimals than money.
    whole = round(amount, currency_exponent(currency))
    return f"{whole if whole == amount else amount.normalize():,} {currency}"


def say_number(number: Decimal) -> str:
    """A number without trailing zeros.

    >>> say_number(Decimal("15.007500"))
    '15.0075'
    """
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def explain_slices(line: Mapping[str, Any], slices: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """One step per slice, and one for the pay that they add up to."""
    for row in slices:
        yield "Tier", _say_slice(row, line["credited_currency"])
    exact = sum((row["commission_unrounded"] for row in slices), Decimal(0))
    yield "Pay", f"{say_pay(line)}: {say_number(exact)} rounded once, half away from zero"


def say_pay(line: Mapping[str, Any]) -> str:
    """The pay of a line."""
    return say_money(line["commission_amount"], line["currency"])


def _say_slice(row: Mapping[str, Any], currency: str) -> str:
    upper = "" if row["upper_bound_amount"] is None else f" to {say_money(row['upper_bound_amount'], currency)}"
    bounds = f"from {say_money(row['lower_bound_amount'], currency)}{upper}"
    pay = say_number(row["commission_unrounded"])
    return f"{row['tier_number']} ({bounds}): {say_money(row['slice_amount'], currency)} at {say_number(row['rate'] * 100)} % = {pay}"
