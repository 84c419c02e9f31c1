"""Convert one source text to canonical form: pure functions on text; None where the text is of another kind."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from zoneinfo import ZoneInfo

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_CLOCK_DIRECTIVE = re.compile(r"%[HIMScfXp]")
_MOST_DIGITS = 60

STEPS: dict[str, Callable[[str], str]] = {
    "strip": str.strip,
    "collapse_spaces": lambda text: " ".join(text.split()),
    "casefold": str.casefold,
    "upper": str.upper,
    "nfkc": lambda text: unicodedata.normalize("NFKC", text),
}


def text_normaliser(steps: Sequence[str], aliases: Mapping[str, str] | None = None) -> Callable[[str], str | None]:
    """A function that applies named steps in order, then replaces aliases; None where nothing is left.

    Aliases are compared and returned in normalised form, so they need listing in one spelling only.

    >>> text_normaliser(["strip", "casefold"], {"GTXPro": "GTX Pro"})("  gtxPRO ")
    'gtx pro'
    """

    def apply(text: str) -> str:
        for step in steps:
            text = STEPS[step](text)
        return text

    stands_for = {apply(alias): apply(target) for alias, target in (aliases or {}).items()}

    def normalise(text: str) -> str | None:
        found = apply(text)
        return stands_for.get(found, found) or None

    return normalise


def to_decimal_text(
    text: str, *, decimal_mark: str = ".", thousands_mark: str | None = None, multiply: Decimal | None = None
) -> str | None:
    """A number in plain digits, exactly; decimal places stay as they came. A thousands mark is removed only if given.

    >>> to_decimal_text("1.234,50", decimal_mark=",", thousands_mark=".")
    '1234.50'
    >>> to_decimal_text("1,234") is None
    True
    >>> to_decimal_text("1100.04", multiply=Decimal(1000000))
    '1100040000.00'
    """
    plain = text.strip()
    if thousands_mark:
        plain = plain.replace(thousands_mark, "")
    if decimal_mark != ".":
        if "." in plain:
            return None
        plain = plain.replace(decimal_mark, ".")
    if not _NUMBER.fullmatch(plain):
        return None
    with localcontext() as context:
        context.prec = _MOST_DIGITS
        number = Decimal(plain) * multiply if multiply is not None else Decimal(plain)
        return f"{number:f}"


def to_integer_text(
    text: str, *, decimal_mark: str = ".", thousands_mark: str | None = None, multiply: Decimal | None = None
) -> str | None:
    """A whole number in plain digits; `12.0` is whole, `12.5` is not.

    >>> to_integer_text("2822.0"), to_integer_text("12.5")
    ('2822', None)
    """
    number = to_decimal_text(text, decimal_mark=decimal_mark, thousands_mark=thousands_mark, multiply=multiply)
    if number is None or Decimal(number) % 1:
        return None
    return str(int(Decimal(number)))


def to_timestamp_text(text: str, *, zone: ZoneInfo, date_format: str | None = None) -> str | None:
    """A UTC timestamp with milliseconds. `zone` applies to a time without a zone, and to a day: its first moment there.

    >>> to_timestamp_text("2018-02-26 19:58:54", zone=ZoneInfo("America/Sao_Paulo"))
    '2018-02-26T22:58:54.000Z'
    """
    parsed = _parse(text, date_format)
    if parsed is None:
        return None
    try:
        instant = (parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)).astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        return None
    return instant.isoformat(timespec="milliseconds") + "Z"


def to_date_text(
    text: str, *, zone: ZoneInfo, business_zone: ZoneInfo | None = None, date_format: str | None = None
) -> str | None:
    """A calendar day.

    A value with a time of day is an instant, and its day is the one in `business_zone`; without that, the day as
    written.

    >>> to_date_text("2018-02-06 02:00:00", zone=ZoneInfo("UTC"), business_zone=ZoneInfo("America/Sao_Paulo"))
    '2018-02-06'
    >>> to_date_text("2018-06-06 02:00:00", zone=ZoneInfo("UTC"), business_zone=ZoneInfo("America/Sao_Paulo"))
    '2018-06-05'
    >>> to_date_text("26/02/2018", zone=ZoneInfo("UTC"), date_format="%d/%m/%Y")
    '2018-02-26'
    """
    parsed = _parse(text, date_format)
    if parsed is None:
        return None
    if business_zone is not None and _has_clock_time(text, date_format):
        try:
            parsed = (parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)).astimezone(business_zone)
        except OverflowError:
            return None
    return parsed.date().isoformat()


def day_after(text: str) -> str | None:
    """A timestamp as `to_timestamp_text` writes it, 24 hours later.

    >>> day_after("1999-02-28T00:00:26.000Z")
    '1999-03-01T00:00:26.000Z'
    """
    parsed = _parse(text, None)
    return (
        (parsed + timedelta(days=1)).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z" if parsed else None
    )


def _parse(text: str, date_format: str | None) -> datetime | None:
    try:
        if date_format:
            return datetime.strptime(text.strip(), date_format)  # noqa: DTZ007 - the caller knows the zone
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None


def _has_clock_time(text: str, date_format: str | None) -> bool:
    if date_format:
        return bool(_CLOCK_DIRECTIVE.search(date_format))
    try:
        date.fromisoformat(text.strip())
    except ValueError:
        return True
    return False
