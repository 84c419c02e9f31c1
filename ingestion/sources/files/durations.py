"""Read how long something lasted, as call logs write it, in whole seconds.

What belongs here: clock text, words and plain numbers → seconds. What does not: times of day (`times`).
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from ingestion.sources.files.numbers import PLAIN, NumberStyle, to_decimal_text, to_integer_text

Unit = Literal["milliseconds", "seconds", "minutes", "hours", "days"]
DURATION_FORMATS = ("h:mm:ss", "m:ss", "h:mm")

_SECONDS = {
    "milliseconds": Decimal("0.001"),
    "seconds": Decimal(1),
    "minutes": Decimal(60),
    "hours": Decimal(3600),
    "days": Decimal(86400),
}
_CLOCK = re.compile(
    r"(?:(?P<days>[0-9]{1,9})(?:\.| days?,? ))?(?P<h>[0-9]{1,9}):(?P<m>[0-5][0-9]):(?P<s>[0-5][0-9](?:\.[0-9]+)?)"
)
_TWO_PARTS = re.compile(r"([0-9]{1,9}):([0-5][0-9])(\.[0-9]+)?")
_NUMBER = r"[0-9]{1,15}(?:[.,][0-9]{1,15})?"  # what `Decimal` divides exactly
_WORDS = re.compile(
    rf"(?:(?P<days>{_NUMBER})\s*(?:d|days?))?[\s,]*"
    rf"(?:(?P<hours>{_NUMBER})\s*(?:h|hrs?|hours?)\.?)?[\s,]*"
    rf"(?:(?P<minutes>{_NUMBER})\s*(?:m|mins?|minutes?|\u2032|')\.?)?[\s,]*"
    rf"(?:(?P<seconds>{_NUMBER})\s*(?:s|secs?|seconds?|\u2033|\")\.?)?[\s,]*"
    rf"(?:(?P<milliseconds>{_NUMBER})\s*(?:ms|msecs?|milliseconds?))?",
    re.IGNORECASE,
)
_ISO = re.compile(
    rf"PT?(?:(?P<days>{_NUMBER})DT?)?(?:(?P<hours>{_NUMBER})H)?(?:(?P<minutes>{_NUMBER})M)?(?:(?P<seconds>{_NUMBER})S)?"
)


def to_duration_text(
    text: str, *, unit: Unit | None = None, style: NumberStyle = PLAIN, clock_format: str | None = None
) -> str | None:
    """Whole seconds; parts of a second are rounded, except in a plain number of seconds, which must be whole.

    `0:03:05`, `3m 5s` and `PT3M5S` say themselves what they are. `3:05` does not: only `clock_format` tells minutes and
    seconds (`m:ss`) from hours and minutes (`h:mm`).

    >>> to_duration_text("0:03:05"), to_duration_text("1 min 3 sec"), to_duration_text("3:05")
    ('185', '63', None)
    >>> to_duration_text("3:05", clock_format="m:ss"), to_duration_text("1.5", unit="minutes")
    ('185', '90')

    Args:
        text: The value.
        unit: What a plain number counts; by default seconds. A unit in the value wins.
        style: How plain numbers are written.
        clock_format: One of `DURATION_FORMATS`, for text with one colon.
    """
    plain = text.strip()
    if found := _CLOCK.fullmatch(plain):
        hours = int(found["days"] or 0) * 24 + int(found["h"])
        if found["days"] and int(found["h"]) > 23:
            return None
        return _rounded(Decimal(hours * 3600 + int(found["m"]) * 60) + Decimal(found["s"]))
    if found := _TWO_PARTS.fullmatch(plain):
        first, second, fraction = found.groups()
        if clock_format == "m:ss":
            return _rounded(Decimal(int(first) * 60 + int(second)) + Decimal(fraction or 0))
        return str(int(first) * 3600 + int(second) * 60) if clock_format == "h:mm" and not fraction else None
    if plain and (found := _WORDS.fullmatch(plain) or _ISO.fullmatch(plain)) and any(found.groups()):
        parts = {name: Decimal(value.replace(",", ".")) for name, value in found.groupdict().items() if value}
        *larger, _ = parts.values()
        if any(part % 1 for part in larger):  # 1.5h 20m: nobody writes that
            return None
        return _rounded(sum((value * _SECONDS[name] for name, value in parts.items()), Decimal(0)))
    is_seconds = unit in (None, "seconds")
    number = to_integer_text(plain, style) if is_seconds else to_decimal_text(plain, style)
    if number is None or Decimal(number) < 0:
        return None
    return number if is_seconds else _rounded(Decimal(number) * _SECONDS[unit or "seconds"])


def _rounded(seconds: Decimal) -> str:
    return f"{seconds.to_integral_value(ROUND_HALF_UP):f}"
