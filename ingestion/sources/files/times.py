"""Read days and times as an export writes them. What a value says of itself (zone, offset, AM or PM, weekday) counts.

What belongs here: one text → a time, and times on a local clock → instants. What does not: which format a column has
(`mapping`), and the order of a record's times (`clock_order`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ingestion.sources.files.numbers import PLAIN, NumberStyle, to_decimal_text

DATE_WORDS = (
    "iso",
    "day_first",
    "month_first",
    "excel_serial",
    "excel_serial_1904",
    "unix_seconds",
    "unix_milliseconds",
)

_CLOCK_DIRECTIVE = re.compile(r"%[HIMScfXp]")
_ADJACENT_DIGITS = re.compile(r"(?:%[dmyYHMSj]){2,}")
_HALF_DAY = re.compile(r"(?i)(?<![a-z])([ap])\.?m(?![a-z])")
_ZONE_TOKENS = (re.compile(r"[A-Za-z][A-Za-z0-9_+\-/]*"), re.compile(r"[A-Za-z][A-Za-z_/]*"))
_CLOCK_AND_ZONE = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r"(?:\s?(?P<half>[AaPp])\.?[Mm](?![A-Za-z])\.?)?"
    r"(?:\s?(?P<offset>[+-][0-9]{2}(?::?[0-9]{2})?(?::?[0-9]{2})?))?(?:\s?(?P<zone>[A-Za-z][A-Za-z0-9_+\-/]*|\([A-Za-z]+\)))?"
)
_ISO = re.compile(rf"(?P<year>[0-9]{{4}})-(?P<month>[0-9]{{2}})-(?P<day>[0-9]{{2}})(?:(?:T|\s+){_CLOCK_AND_ZONE})?")
# What Python's own reader, which is several times faster, reads as `_ISO` would, and the form without marks.
_PLAIN_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ](?:[01][0-9]|2[0-3]):[0-9]{2}(?::[0-9]{2})?)?"
    r"|[0-9]{8}(?:T(?:[01][0-9]|2[0-3])[0-9]{2}(?:[0-9]{2})?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_NO_SHIFT = timedelta(0)
_SLASHED = re.compile(
    r"(?P<first>[0-9]{1,2})(?P<mark>[./-])(?P<middle>[0-9]{1,2})(?P=mark)(?P<year>[0-9]{4}|[0-9]{2})"
    rf"(?:(?:T|,?\s+){_CLOCK_AND_ZONE})?"
)
_UTC_ZONE = ZoneInfo("UTC")
_EXCEL_END = 2958466  # the day after 9999-12-31
_UNIX_SECONDS = {"unix_seconds": Decimal(1), "unix_milliseconds": Decimal(1000)}


@dataclass(frozen=True)
class TimeStyle:
    """How a column writes its days and times.

    Attributes:
        zone: Zone of times that do not name their own.
        format: In the notation of `strptime`, or one of `DATE_WORDS`; None for ISO 8601.
        zones: What zone names mean that the tz database does not define, such as `IST`.
        number: How serial numbers are written.
    """

    zone: ZoneInfo = _UTC_ZONE
    format: str | None = None
    zones: Mapping[str, tzinfo] = field(default_factory=dict, hash=False)
    number: NumberStyle = PLAIN


class ReadTime(NamedTuple):
    """A day or a time as a value says it.

    Attributes:
        at: Without zone unless the value names one; a day is its midnight.
        has_clock: Whether it has a time of day.
    """

    at: datetime
    has_clock: bool


def read_time(text: str, style: TimeStyle) -> ReadTime | None:
    """A day or time; None if it is not written in the style, does not exist, or contradicts itself.

    A zone name is understood if it is UTC or GMT, a name of the tz database with a slash, listed in `style.zones`, or what
    clocks in `style.zone` show at that time.
    """
    plain = text.strip()
    try:
        match style.format:
            case None | "iso":
                return _read_iso(plain, style)
            case "day_first" | "month_first":
                return _read_slashed(plain, style)
            case "excel_serial" | "excel_serial_1904":
                return _read_serial(plain, style)
            case "unix_seconds" | "unix_milliseconds":
                number = to_decimal_text(plain, style.number)
                if number is None:
                    return None
                seconds = Decimal(number) / _UNIX_SECONDS[style.format]
                return ReadTime(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=_whole(seconds * 1000)), True)
            case _:
                return _read_formatted(plain, style.format, style)
    except (ValueError, OverflowError):
        return None


def to_timestamp_text(text: str, style: TimeStyle) -> str | None:
    """A UTC timestamp with milliseconds. The style's zone applies to a time without a zone, and to a day: its first moment.

    Of an hour that local clocks show twice the first pass is taken; a time that they skip is no time.

    >>> to_timestamp_text("2018-02-26 19:58:54", TimeStyle(ZoneInfo("America/Sao_Paulo")))
    '2018-02-26T22:58:54.000Z'
    >>> to_timestamp_text("2026-05-03 22:30:00 UTC", TimeStyle(ZoneInfo("Europe/Oslo"), "%Y-%m-%d %H:%M:%S %Z"))
    '2026-05-03T22:30:00.000Z'
    """
    found = read_time(text, style)
    instants = list_instants(found, style.zone) if found else []
    return write_instant(instants[0]) if instants else None


def to_date_text(text: str, style: TimeStyle, business_zone: ZoneInfo | None = None) -> str | None:
    """A calendar day.

    A value with a time of day is an instant, and its day is the one in `business_zone`; without that, the day as
    written.

    >>> to_date_text("2018-02-06 02:00:00", TimeStyle(), ZoneInfo("America/Sao_Paulo"))
    '2018-02-06'
    >>> to_date_text("2018-06-06 02:00:00", TimeStyle(), ZoneInfo("America/Sao_Paulo"))
    '2018-06-05'
    >>> to_date_text("26/02/2018", TimeStyle(format="day_first"))
    '2018-02-26'
    """
    found = read_time(text, style)
    if found is None:
        return None
    if business_zone is None or not found.has_clock:
        return found.at.date().isoformat()
    instants = list_instants(found, style.zone)
    try:
        return instants[0].astimezone(business_zone).date().isoformat() if instants else None
    except OverflowError:
        return None


def list_instants(time: ReadTime, zone: ZoneInfo, *, days_later: int = 0) -> list[datetime]:
    """The instants that a time can mean, in UTC: two in an hour that local clocks show twice, none in one they skip.

    A day is its first moment, even where clocks skip midnight. `days_later` moves the local day on, not the instant.
    """
    try:
        local = time.at + timedelta(days=days_later) if days_later else time.at
        if local.tzinfo is not None:
            return [local.astimezone(UTC)]
        first, second = local.replace(tzinfo=zone), local.replace(tzinfo=zone, fold=1)
        shift = (zone.utcoffset(second) or _NO_SHIFT) - (zone.utcoffset(first) or _NO_SHIFT)
        if not shift or not time.has_clock:
            return [first.astimezone(UTC)]
        # PEP 495: `fold` chooses the offset before or after a change. Clocks put forward skip a time, put back repeat it.
        return [first.astimezone(UTC), second.astimezone(UTC)] if shift < _NO_SHIFT else []
    except OverflowError:
        return []


def read_zone(text: str) -> tzinfo:
    """A zone by its name in the tz database, or by its offset such as `+05:30`.

    Raises:
        ValueError: It is neither.
    """
    if re.fullmatch(r"[+-][0-9]{2}:[0-9]{2}", text):
        return _offset(text)
    try:
        return ZoneInfo(text)
    except (OSError, ValueError, KeyError):
        raise ValueError(f"'{text}' is no time zone, such as Asia/Kolkata, and no offset, such as +05:30") from None


def check_zone(text: str) -> str:
    """The text itself, if it is a zone; see `read_zone`."""
    read_zone(text)
    return text


def write_instant(instant: datetime) -> str:
    """An instant in canonical form."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _read_iso(plain: str, style: TimeStyle) -> ReadTime | None:
    if _PLAIN_ISO.fullmatch(plain):
        return ReadTime(datetime.fromisoformat(plain), len(plain) > len("2026-01-05"))
    found = _ISO.fullmatch(plain)
    if not found:
        return None
    return _with_clock(datetime(int(found["year"]), int(found["month"]), int(found["day"])), found, style)  # noqa: DTZ001


def _read_slashed(plain: str, style: TimeStyle) -> ReadTime | None:
    found = _SLASHED.fullmatch(plain)
    if not found:
        return None
    day, month = (int(found[name]) for name in ("first", "middle"))
    if style.format == "month_first":
        day, month = month, day
    year = int(found["year"])
    if len(found["year"]) == 2:
        year += 1900 if year > 68 else 2000  # as strptime reads two digits
    return _with_clock(datetime(year, month, day), found, style)  # noqa: DTZ001


def _with_clock(day: datetime, found: re.Match[str], style: TimeStyle) -> ReadTime | None:
    """The day with the time of day and the zone that stand behind it."""
    if found["hour"] is None:
        return ReadTime(day, False)
    hour = int(found["hour"])
    if found["half"]:
        is_afternoon = found["half"] in "pP"
        if 1 <= hour <= 12:
            hour = hour % 12 + 12 * is_afternoon
        elif is_afternoon != (hour >= 12):
            return None
    microsecond = int((found["fraction"] or "0").ljust(9, "0")[:6])
    local = day.replace(
        hour=hour, minute=int(found["minute"]), second=int(found["second"] or 0), microsecond=microsecond
    )
    if found["offset"]:
        local = local.replace(tzinfo=_offset(found["offset"]))
    if found["zone"]:
        return _in_named_zone(local, found["zone"].strip("()"), style)
    return ReadTime(local, True)


def _read_serial(plain: str, style: TimeStyle) -> ReadTime | None:
    number = to_decimal_text(plain, style.number)
    if number is None or not 1 <= Decimal(number) < _EXCEL_END:
        return None
    days = Decimal(number)
    if style.format == "excel_serial_1904":
        start = datetime(1904, 1, 1)  # noqa: DTZ001 - a day on nobody's clock in particular
    elif 60 <= days < 61:
        return None  # 29 February 1900, which spreadsheets have and the calendar has not
    else:
        start = datetime(1899, 12, 30 if days >= 61 else 31)  # noqa: DTZ001
    return ReadTime(start + timedelta(milliseconds=_whole(days * 86_400_000)), days % 1 != 0)


def _read_formatted(plain: str, date_format: str, style: TimeStyle) -> ReadTime | None:
    if "%Z" in date_format:
        return _read_with_zone_name(plain, date_format, style)
    parsed = datetime.strptime(plain, date_format)  # noqa: DTZ007 - the zone is the style's
    return ReadTime(parsed, _has_clock(date_format)) if _agrees(parsed, plain, date_format) else None


def _read_with_zone_name(plain: str, date_format: str, style: TimeStyle) -> ReadTime | None:
    """Read `%Z` ourselves: `strptime` knows only the zone names of the machine it runs on, and throws them away."""
    for token in _ZONE_TOKENS:
        for found in token.finditer(plain):
            as_utc = f"{plain[: found.start()]}UTC{plain[found.end() :]}"
            try:
                parsed = datetime.strptime(as_utc, date_format)  # noqa: DTZ007 - the zone is named
            except ValueError:
                continue
            has_offset = "%z" in date_format
            parsed = parsed if has_offset else parsed.replace(tzinfo=None)
            return _in_named_zone(parsed, found[0], style) if _agrees(parsed, as_utc, date_format) else None
    return None


def _in_named_zone(local: datetime, name: str, style: TimeStyle) -> ReadTime | None:
    """The time in the zone that its value names; None if the name is unknown or contradicts the value's offset."""
    zone: tzinfo | None = style.zones.get(name)
    if zone is None and name.upper() in ("UTC", "GMT", "Z"):
        zone = UTC
    if zone is None and "/" in name:
        try:
            zone = ZoneInfo(name)
        except (OSError, ValueError, KeyError):
            return None
    if zone is None:
        for fold in (0, 1):
            there = local.replace(tzinfo=style.zone, fold=fold)
            if (there.tzname() or "").upper() == name.upper() and list_instants(
                ReadTime(there.replace(tzinfo=None), True), style.zone
            ):
                zone = timezone(there.utcoffset() or timedelta(0))
                break
    if zone is None:
        return None
    named = local.replace(tzinfo=zone)
    if local.tzinfo is not None and local.utcoffset() != named.utcoffset():
        return None
    if isinstance(zone, ZoneInfo) and not list_instants(ReadTime(named.replace(tzinfo=None), True), zone):
        return None
    return ReadTime(named, True)


def _agrees(parsed: datetime, plain: str, date_format: str) -> bool:
    """Whether the parts of a value that `strptime` does not hold against each other agree."""
    if "%p" in date_format and "%I" not in date_format and "%H" in date_format:
        half = _HALF_DAY.search(plain)
        if half and (half[1] in "pP") != (parsed.hour >= 12):
            return False
    if ("%a" in date_format or "%A" in date_format) and f"{parsed:%a}".casefold() not in plain.casefold():
        return False
    # A digit that a spreadsheet dropped would move all digits behind it.
    return all(parsed.strftime(run) in plain for run in _ADJACENT_DIGITS.findall(date_format))


def _has_clock(date_format: str) -> bool:
    return bool(_CLOCK_DIRECTIVE.search(date_format))


def _offset(text: str) -> timezone:
    digits = text[1:].replace(":", "").ljust(6, "0")
    hours, minutes, seconds = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    if minutes > 59 or seconds > 59:
        raise ValueError(text)
    size = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return timezone(-size if text[0] == "-" else size)


def _whole(number: Decimal) -> int:
    return int(number.to_integral_value(ROUND_HALF_UP))
