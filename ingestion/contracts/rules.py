"""Vocabulary of contracts: one builder per kind of rule, each naming a Great Expectations expectation.

All source columns are text, so "is a decimal" is a pattern here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Severity = Literal["fatal", "row", "warn"]

# The years 1 to 9999: neither Python nor the clients of the marts know a year 0.
YEAR = r"(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
_LEAP_YEAR = r"(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_DAY_OF_YEAR = r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
DATE = rf"(?:{YEAR}-{_DAY_OF_YEAR}|{_LEAP_YEAR}-02-29)"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"

# Every pattern matches a whole text and uses only syntax that Python and Arrow (RE2) read alike: no anchors, no
# look-around, and no class shorthand but the `\s` in `_BLANK`, which adds the blanks that Python's `\s` has and Arrow's
# lacks.
_OFFSET = r"(?:Z|[+-](?:0[0-9]|1[0-5]):?[0-5][0-9])"
TIMESTAMP = rf"{DATE}[T ]{_TIME}{_OFFSET}?"
UTC_TIMESTAMP = rf"{DATE}[T ]{_TIME}(?:Z|[+-]00:?00)?"
DATE_OR_TIMESTAMP = rf"{DATE}(?:[T ]{_TIME}{_OFFSET}?)?"
DECIMAL = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
NOT_NEGATIVE_DECIMAL = r"\+?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
INTEGER = r"[+-]?[0-9]+(?:\.0+)?"
LONGEST_CALL_SECONDS = 86_400  # more is a counter that ran below zero, or a line that nobody hung up
CURRENCY_CODE = r"[A-Z]{3}"
SALESFORCE_ID = r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?"
_DAY_AND_MONTH = (
    r"(?:(?:0?[1-9]|[12][0-9]|3[01]) (?:Jan|Mar|May|Jul|Aug|Oct|Dec)|(?:0?[1-9]|[12][0-9]|30) (?:Apr|Jun|Sep|Nov)"
    r"|(?:0?[1-9]|1[0-9]|2[0-8]) Feb)"
)
RFC_2822 = (
    rf"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?:{_DAY_AND_MONTH} {YEAR}|29 Feb {_LEAP_YEAR}) "
    r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9] [+-](?:0[0-9]|1[0-5])[0-5][0-9]"
)
E164 = r"\+[1-9][0-9]{1,14}"
EPOCH_SECONDS = r"[0-9]{9,10}"
_BLANK = "\\s\\x0b\\x1c-\\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
MAIL_ADDRESS = rf"[^@{_BLANK}]+@[^@{_BLANK}]+"

INTEGER_LIMIT, BIGINT_LIMIT = 2**31 - 1, 2**63 - 1

_PRESENCE = "ExpectColumnValuesToNotBeNull"


@dataclass(frozen=True)
class Rule:
    """One expectation on one table.

    Attributes:
        name: Short and stable; stored with every quarantined row.
        severity: `fatal`, `row` or `warn`.
        columns: The columns it checks. A rule is skipped where the org lacks one of them, unless `is_presence_needed`.
        expectation: Class name in `great_expectations.expectations`.
        arguments: That class's arguments besides its columns.
        pattern: What the whole text must match, for rules on text. It matches no line end: texts are matched as lines.
        allowed_list: Name of the list in `allowed_values` that fills a `one_of` rule; the rule is skipped where the
            list is missing.
        is_presence_needed: Whether a load without the column is refused.
        is_of_load: Whether it is judged on the whole load's aggregates instead of row by row. Its expectation sees one
            number: for a `unique` rule, the rows that share their key with another; for a rule on counts, the rows of
            the load.
        fix: What the user should do about it.
    """

    name: str
    severity: Severity
    columns: tuple[str, ...]
    expectation: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    pattern: str | None = None
    allowed_list: str | None = None
    is_presence_needed: bool = False
    is_of_load: bool = False
    fix: str = ""

    @property
    def is_about_presence(self) -> bool:
        """Whether it only requires that there is a value."""
        return self.expectation == _PRESENCE

    def fatal(self) -> Rule:
        """The same rule, refusing the whole load."""
        return replace(self, severity="fatal")

    def warn(self) -> Rule:
        """The same rule, letting the row land."""
        return replace(self, severity="warn")

    def where_there(self) -> Rule:
        """The same rule, skipped where the source lacks one of its columns."""
        return replace(self, is_presence_needed=False)


def snake_case(name: str) -> str:
    """`StageName` → `stage_name`, `Web_Visits__c` → `web_visits_c`, `Territory2Id` → `territory2_id`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"_+", "_", spaced).strip("_").lower()


def required(column: str) -> Rule:
    """The column exists and is never empty."""
    return Rule(
        f"{snake_case(column)}_is_required",
        "row",
        (column,),
        _PRESENCE,
        is_presence_needed=True,
        fix="Fill it at the source.",
    )


def matches(column: str, pattern: str, what: str, *, severity: Severity = "row") -> Rule:
    """Text that is present matches the whole pattern; `what` completes "<column>_is_"."""
    return Rule(
        f"{snake_case(column)}_is_{what}", severity, (column,), "ExpectColumnValuesToMatchRegex", pattern=pattern
    )


def salesforce_id(column: str) -> Rule:
    """A 15 or 18 character record id."""
    return matches(column, SALESFORCE_ID, "salesforce_id")


def at_most(limit: int) -> str:
    """Pattern of the whole numbers from 0 to a limit.

    >>> re.fullmatch(at_most(255), "255") is not None, re.fullmatch(at_most(255), "256") is not None
    (True, False)
    """
    digits = str(limit)
    below = [
        f"{digits[:place]}[0-{int(digit) - 1}]" + (f"[0-9]{{{len(digits) - place - 1}}}" if digits[place + 1 :] else "")
        for place, digit in enumerate(digits)
        if int(digit) > (place == 0)
    ]
    shorter = [f"[0-9]{{1,{len(digits) - 1}}}"] if len(digits) > 1 else []
    first = below if len(digits) > 1 else [f"[0-{limit}]"]
    return f"0*(?:{'|'.join([*shorter, *first, digits])})"


def unsigned_decimal(precision: int, scale: int) -> str:
    """Pattern of the numbers that DECIMAL(precision, scale) takes, rounded to its scale.

    It allows every plain spelling within the type's limits. With an exponent it stays below the highest power of ten,
    where both mantissa and exponent are moderate, as programs write them.
    """
    whole = precision - scale
    not_nines = "|".join(f"9{{{place}}}[0-8][0-9]{{{whole - 1 - place}}}" for place in range(whole))
    plain = [
        rf"0*(?:[0-9]{{1,{whole - 1}}}|{not_nines})(?:\.[0-9]*)?",
        rf"0*9{{{whole}}}(?:\.(?:9{{0,{scale - 1}}}[0-8][0-9]*|9{{0,{scale}}}(?:[0-4][0-9]*)?))?",
        r"\.[0-9]+",
    ]
    scientific = [
        rf"0*[0-9](?:\.[0-9]{{0,20}})?[eE]\+?{at_most(whole - 2)}",
        rf"0*[0-9]{{1,{whole // 2}}}(?:\.[0-9]{{0,10}})?[eE]\+?{at_most(whole // 2 - 1)}",
        rf"0*[0-9]{{1,{whole // 2}}}(?:\.[0-9]{{0,20}})?[eE]-[0-9]{{1,3}}",
    ]
    return f"(?:{'|'.join([*plain, *scientific])})"


def decimal_text(column: str, precision: int = 28, scale: int = 2) -> Rule:
    """Reads as a number that DECIMAL(precision, scale) takes; the default is the type of amounts."""
    return matches(column, rf"[+-]?{unsigned_decimal(precision, scale)}", "decimal")


def not_negative_text(column: str, precision: int = 28, scale: int = 2) -> Rule:
    """Reads as a number of at least 0 that DECIMAL(precision, scale) takes."""
    return matches(column, rf"\+?{unsigned_decimal(precision, scale)}", "not_negative")


def percent_text(column: str) -> Rule:
    """Reads as a percentage, 0 to 100 as a rule, that the macro `percent_to_rate` takes."""
    return decimal_text(column, 9, 4)


def integer_text(column: str, limit: int = INTEGER_LIMIT) -> Rule:
    """Reads as a whole number from -limit-1 to the limit; the default is that of INTEGER."""
    return matches(column, rf"(?:\+?{at_most(limit)}|-{at_most(limit + 1)})(?:\.0+)?", "integer")


def call_seconds(column: str) -> Rule:
    """Reads as the seconds that a call can last."""
    return matches(column, at_most(LONGEST_CALL_SECONDS), "seconds")


def timestamp_text(column: str) -> Rule:
    """Reads as an ISO 8601 timestamp, with or without a zone."""
    return matches(column, TIMESTAMP, "timestamp")


def utc_timestamp_text(column: str) -> Rule:
    """Reads as an ISO 8601 timestamp in UTC: what a plain cast takes for one, since it passes over an offset."""
    return matches(column, UTC_TIMESTAMP, "timestamp")


def date_text(column: str) -> Rule:
    """Reads as an existing calendar day, `YYYY-MM-DD`."""
    return matches(column, DATE, "date")


def date_or_timestamp_text(column: str) -> Rule:
    """Reads as a day or a timestamp; exports have either."""
    return matches(column, DATE_OR_TIMESTAMP, "date_or_timestamp")


def currency_code(column: str) -> Rule:
    """Three capital letters."""
    return matches(column, CURRENCY_CODE, "currency_code")


def boolean_text(column: str) -> Rule:
    """`true` or `false`."""
    return in_set(column, ("true", "false"), "boolean")


def in_set(column: str, values: tuple[str, ...], what: str) -> Rule:
    """One of a fixed set of words that the source itself defines."""
    return Rule(
        f"{snake_case(column)}_is_{what}", "row", (column,), "ExpectColumnValuesToBeInSet", {"value_set": list(values)}
    )


def one_of(column: str, allowed_list: str, *, fix: str) -> Rule:
    """One of the words an operator listed in `config/`; `allowed_list` names the list.

    Rows with another word land with a warning: they count for what is known of them, and are in the mart data_errors.
    """
    return Rule(
        f"{snake_case(column)}_is_known",
        "warn",
        (column,),
        "ExpectColumnValuesToBeInSet",
        allowed_list=allowed_list,
        fix=fix,
    )


def unique(*columns: str) -> Rule:
    """No two rows of a load share the key. All that do are quarantined: nothing says which one is right."""
    name = "_".join(snake_case(column) for column in columns)
    return Rule(f"{name}_is_unique", "row", columns, "ExpectColumnValuesToBeBetween", {"max_value": 0}, is_of_load=True)


def row_count(*, at_least: int | None = None, at_most: int | None = None, fix: str) -> Rule:
    """A non-empty load has a row count in this range. Fatal: after a sudden drop or jump, the read probably failed."""
    arguments = {"min_value": at_least, "max_value": at_most}
    return Rule(
        "row_count_is_plausible", "fatal", (), "ExpectColumnValuesToBeBetween", arguments, is_of_load=True, fix=fix
    )


def not_before(later: str, earlier: str) -> Rule:
    """`later` is at or after `earlier` where both are present, as ISO text that sorts as time."""
    return Rule(
        f"{snake_case(later)}_is_not_before_{snake_case(earlier)}",
        "row",
        (later, earlier),
        "ExpectColumnPairValuesAToBeGreaterThanB",
        {"or_equal": True},
    )
