"""Say which keys of a mapping would read values that it does not read as it stands.

What belongs here: trying styles on values, and naming those that read all of them. What does not: reading a value
(`numbers`, `times`, `durations`), and choosing between styles that read it differently: only the operator knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import product
from zoneinfo import ZoneInfo

from ingestion.sources.files.canonical import Kind
from ingestion.sources.files.durations import to_duration_text
from ingestion.sources.files.numbers import NumberStyle, to_decimal_text
from ingestion.sources.files.times import TimeStyle, to_timestamp_text

Reading = tuple[str, Callable[[str], str | None]]

_TRIED = 2000
_SIGN = re.compile(r"^[(+\-\u2212\s]*([^\d\s.,%()+\-\u2212'’]{1,4})|([^\d\s.,%()+\-\u2212'’]{1,4})[)\s\-]*$")
_FORMATS = (
    "%d.%m.%Y %H:%M:%S",
    "%d %b %Y",
    "%d %B %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y.%m.%d",
    "%Y%m%d%H%M%S",
    "%a %m/%d/%Y",
    "%a %m/%d/%Y %I:%M %p",
    "%a %d/%m/%Y",
    "%d %b %Y %H:%M",
    "%d %b %Y %H:%M:%S",
    "%b %d, %Y %I:%M %p",
    "%b %d, %Y, %I:%M %p",
    "%B %d, %Y %I:%M %p",
    "%a, %d %b %Y %H:%M:%S %z",
    "%a %b %d %H:%M:%S %Z %Y",
    "%a %b %d %H:%M:%S %Y",
)


def advise(kind: Kind, values: Sequence[str]) -> str:
    """What to write in the mapping so that these values read as the kind.

    Args:
        kind: The column's kind.
        values: Distinct values, none of which reads as the mapping stands.
    """
    found = list_readings(kind, values[:_TRIED])
    if not found:
        return _UNKNOWN[kind]
    if len(found) == 1:
        return f"Write {found[0]} at the column. That reads every value seen."
    return (
        f"Write at the column the one that is meant: {'; or '.join(found)}. Each reads every value seen, differently."
    )


def list_readings(kind: Kind, values: Sequence[str]) -> list[str]:
    """The keys, as YAML, that read all values, one for each different result."""
    results: dict[tuple[str | None, ...], str] = {}
    for keys, read in _readings(kind, values):
        result = tuple(read(value) for value in values)
        if None not in result:
            results.setdefault(result, keys)
    return list(results.values())


def _readings(kind: Kind, values: Sequence[str]) -> Iterable[Reading]:
    match kind:
        case "decimal" | "integer":
            return _number_readings(values)
        case "date" | "timestamp":
            return _time_readings()
        case "duration":
            return [
                *((f'`format: "{form}"`', _reading_durations(form)) for form in ("m:ss", "h:mm")),
                *((keys, read) for keys, read in _number_readings(values)),
            ]
        case "phone" | "text" | "flag":
            return []


def _number_readings(values: Sequence[str]) -> Iterable[Reading]:
    signs = tuple(dict.fromkeys(sign for value in values for sign in _find_signs(value)))[:5]
    negative = "parentheses" if any(value.strip().startswith("(") for value in values) else "minus"
    if any(value.strip().endswith("-") for value in values):
        negative = "trailing_minus"
    percent = "points" if any("%" in value for value in values) else None
    marks = [(".", None), (",", None), (".", ","), (",", "."), (",", " "), (".", " "), (".", "'"), (",", "'")]
    for (point, thousands), grouping in product(marks, ("thousands", "indian")):
        keys = [
            *([f'decimal_mark: "{point}"'] if point != "." else []),
            *([f'thousands_mark: "{thousands}"'] if thousands else []),
            *(["grouping: indian"] if grouping == "indian" else []),
            *([f"negative: {negative}"] if negative != "minus" else []),
            *(
                [f"currency_signs: {{{', '.join(f'{_quoted(sign)}: {_CODES.get(sign, sign)}' for sign in signs)}}}"]
                if signs
                else []
            ),
            *([f"percent: {percent}"] if percent else []),
        ]
        style = NumberStyle(point, thousands, grouping, negative, signs, percent)  # type: ignore[arg-type]  # literals
        yield f"`{', '.join(keys)}`", partial(to_decimal_text, style=style)


def _time_readings() -> Iterable[Reading]:
    for word in ("iso", "day_first", "month_first", *_FORMATS, "excel_serial"):
        style = TimeStyle(ZoneInfo("UTC"), word)
        keys = f'`format: "{word}"`' if "%" in word else f"`format: {word}`"
        yield keys, partial(to_timestamp_text, style=style)


def _reading_durations(clock_format: str) -> Callable[[str], str | None]:
    return partial(to_duration_text, clock_format=clock_format)


def _find_signs(value: str) -> list[str]:
    return [sign for found in _SIGN.finditer(value) for sign in found.groups() if sign]


def _quoted(sign: str) -> str:
    return (
        sign if sign.isascii() and sign.isalpha() and sign.upper() not in ("NO", "ON", "YES", "Y", "N") else f'"{sign}"'
    )


_CODES = {
    "$": "USD",
    "US$": "USD",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "kr": "NOK",
    "R$": "BRL",
    "₹": "INR",
    "CHF": "CHF",
}
_DATES = (
    "Say how they are written with `format`: day_first, month_first, excel_serial, or directives such as %d.%m.%Y %H:%M "
    "(docs/mapping-files.md). If they name time zones, list these under `zones`."
)
_UNKNOWN: dict[Kind, str] = {
    "flag": "A flag is true or false, yes or no, 1 or 0; map a column that says so, or say which values mean what with `aliases`.",
    "decimal": "If they are numbers, say how they are written with `decimal_mark`, `thousands_mark`, `grouping`, `negative`, "
    "`currency_signs` or `percent`; else map another column.",
    "integer": "If they are whole numbers, say how they are written with `decimal_mark`, `thousands_mark` or `grouping`; "
    "else map another column.",
    "date": _DATES,
    "timestamp": _DATES,
    "duration": "Durations are read as h:mm:ss, as `3m 5s`, or as numbers with `unit: seconds` (or minutes, hours, "
    "milliseconds, days); `format` tells m:ss from h:mm. Else map another column.",
    "phone": "",
    "text": "",
}
