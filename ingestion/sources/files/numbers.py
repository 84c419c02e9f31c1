"""Read numbers as an export writes them: exactly in the style that its mapping names, or not at all.

What belongs here: styles of numbers (marks, grouping, signs), and one text → plain digits or None. What does not: which
style a column has (`mapping`), and guessing one (`advice`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import Literal

Grouping = Literal["thousands", "indian"]
Negative = Literal["minus", "parentheses", "trailing_minus"]
Percent = Literal["points", "fraction"]

_MOST_DIGITS = 60
_MINUS = ("-", "\u2212")  # some locales write the typographic minus
_SAME_MARK = (" \u00a0\u2009\u202f", "'\u2019")  # spaces and apostrophes that programs write for one another
_HUNDRED = Decimal(100)


@dataclass(frozen=True)
class NumberStyle:
    """How a column writes its numbers.

    Attributes:
        decimal_mark: Between whole and decimal places.
        thousands_mark: Between groups of digits; None if groups are not marked.
        grouping: `thousands`: groups of three; `indian`: a last group of three, groups of two before it.
        negative: How a number below zero is marked, besides a leading minus: `(1.00)` or `1.00-`.
        signs: Currency signs or codes that may stand before or after the number.
        percent: The column's numbers bear a percent sign, and land as points (`12.5%` → 12.5) or as a fraction (0.125).
            Without the sign only zero is certain.
        multiply: An exact factor.
    """

    decimal_mark: str = "."
    thousands_mark: str | None = None
    grouping: Grouping = "thousands"
    negative: Negative = "minus"
    signs: tuple[str, ...] = ()
    percent: Percent | None = None
    multiply: Decimal | None = None

    @property
    def keeps_plain_digits(self) -> bool:
        """Whether text that `CANONICAL_DECIMAL` or `CANONICAL_WHOLE` matches is read as itself."""
        return self.decimal_mark == "." and not self.signs and self.percent is None and self.multiply is None


# As the functions below write them, in Arrow's regular expressions: most values need no reading.
CANONICAL_DECIMAL = r"^-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?$"
CANONICAL_WHOLE = r"^(?:0|[1-9][0-9]{0,17})$"

PLAIN = NumberStyle()


def to_decimal_text(text: str, style: NumberStyle = PLAIN) -> str | None:
    """A number in plain digits, exactly; decimal places stay as they came. None if it is not written in the style.

    >>> to_decimal_text("1.234,50", NumberStyle(decimal_mark=",", thousands_mark="."))
    '1234.50'
    >>> to_decimal_text("1234.56", NumberStyle(decimal_mark=",", thousands_mark=".")) is None
    True
    >>> to_decimal_text("12,34,567", NumberStyle(thousands_mark=",", grouping="indian"))
    '1234567'
    >>> to_decimal_text("($5.00)", NumberStyle(negative="parentheses", signs=("$",)))
    '-5.00'
    >>> to_decimal_text("1100.04", NumberStyle(multiply=Decimal(1000000)))
    '1100040000.00'
    """
    plain, is_negative = _take_off_brackets(text.strip(), style.negative)
    plain, minus = _take_off_minus(plain)
    sign = find_sign(plain, style.signs)
    if sign:
        plain = plain.removeprefix(sign) if plain.startswith(sign) else plain.removesuffix(sign)
        plain = plain.strip()
        if not minus:
            plain, minus = _take_off_minus(plain)
    is_percentage = plain.endswith("%")
    if is_percentage:
        plain = plain[:-1].strip()
    if (minus and is_negative) or (is_percentage and (style.percent is None or sign)):
        return None
    found = _pattern(style.decimal_mark, style.thousands_mark, style.grouping).fullmatch(plain)
    if not found:
        return None
    whole = re.sub(r"[^0-9]", "", found["whole"] or "")
    decimals = found["places"] or found["decimals"]
    places = f".{decimals}" if decimals else ""
    with localcontext() as context:
        context.prec = _MOST_DIGITS
        number = Decimal(f"{'-' if minus == '-' or is_negative else ''}{whole or '0'}{places}{found['exponent'] or ''}")
        if style.percent and not is_percentage and number:
            return None
        if style.percent == "fraction":
            number = number / _HUNDRED
        return f"{number * style.multiply if style.multiply is not None else number:f}"


def to_integer_text(text: str, style: NumberStyle = PLAIN) -> str | None:
    """A whole number in plain digits; `12.0` is whole, `12.5` is not.

    >>> to_integer_text("2822.0"), to_integer_text("12.5")
    ('2822', None)
    """
    number = to_decimal_text(text, style)
    if number is None:
        return None
    whole, _, places = number.partition(".")
    if places.strip("0"):
        return None
    return "0" if whole == "-0" else whole


def find_sign(text: str, signs: Sequence[str]) -> str | None:
    """The currency sign that a number bears before or after its digits; the longest, so `US$` is not `$`.

    >>> find_sign("-$ 5", ["$", "US$"]), find_sign("5 US$", ["$", "US$"]), find_sign("5", ["$"])
    ('$', 'US$', None)
    """
    bare = text.strip().strip("()").strip()
    bare = bare.lstrip("+-\u2212").rstrip("-").strip()
    for sign in sorted(signs, key=len, reverse=True):
        if bare.startswith(sign) or bare.endswith(sign):
            return sign
    return None


def _take_off_brackets(plain: str, negative: Negative) -> tuple[str, bool]:
    if negative == "parentheses" and plain.startswith("(") and plain.endswith(")"):
        return plain[1:-1].strip(), True
    if negative == "trailing_minus" and plain.endswith(_MINUS):
        return plain[:-1].strip(), True
    return plain, False


def _take_off_minus(plain: str) -> tuple[str, str]:
    """The text without its leading sign, and that sign."""
    if plain.startswith(_MINUS):
        return plain[1:].strip() if plain[1:2] in (" ", "\u00a0") else plain[1:], "-"
    return (plain[1:], "+") if plain.startswith("+") else (plain, "")


@lru_cache
def _pattern(decimal_mark: str, thousands_mark: str | None, grouping: Grouping) -> re.Pattern[str]:
    whole = "[0-9]+"
    if thousands_mark:
        mark = _one_of(thousands_mark)
        # A first group that begins with zero is no group: 0.125 among points for thousands is a decimal point.
        grouped = {
            "thousands": f"[1-9][0-9]{{0,2}}(?:{mark}[0-9]{{3}})+",
            "indian": f"[1-9][0-9]?(?:{mark}[0-9]{{2}})*{mark}[0-9]{{3}}",
        }[grouping]
        whole = f"{grouped}|{whole}"
    point = _one_of(decimal_mark)
    exponent = "[eE][+-]?[0-9]{1,3}"
    return re.compile(
        f"(?:(?P<whole>{whole})(?:{point}(?P<places>[0-9]*))?|{point}(?P<decimals>[0-9]+))(?P<exponent>{exponent})?"
    )


def _one_of(mark: str) -> str:
    same = next((marks for marks in _SAME_MARK if mark in marks), mark)
    return f"[{re.escape(same)}]"
