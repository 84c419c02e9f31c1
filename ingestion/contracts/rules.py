"""Vocabulary of contracts: one builder per kind of rule, each naming a Great Expectations expectation.

All source columns are text, so "is a decimal" is a pattern here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Severity = Literal["fatal", "row", "warn"]

_LEAP_YEAR = r"(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_DAY_OF_YEAR = r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
DATE = rf"(?:[0-9]{{4}}-{_DAY_OF_YEAR}|{_LEAP_YEAR}-02-29)"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"

# Every pattern matches a whole text and uses only syntax that Python and Arrow (RE2) read alike: no anchors, no
# look-around, and no class shorthand but the `\s` in `_BLANK`, which adds the blanks that Python's `\s` has and Arrow's
# lacks.
TIMESTAMP = rf"{DATE}[T ]{_TIME}(?:Z|[+-][0-9]{{2}}:?[0-9]{{2}})?"
DATE_OR_TIMESTAMP = rf"{DATE}(?:[T ]{_TIME}(?:Z|[+-][0-9]{{2}}:?[0-9]{{2}})?)?"
DECIMAL = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
NOT_NEGATIVE_DECIMAL = r"\+?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
INTEGER = r"[+-]?[0-9]+(?:\.0+)?"
NOT_NEGATIVE_INTEGER = r"[0-9]+"
CURRENCY_CODE = r"[A-Z]{3}"
SALESFORCE_ID = r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?"
RFC_2822 = r"(?:[A-Za-z]{3}, )?[0-9]{1,2} [A-Za-z]{3} [0-9]{4} [0-2][0-9]:[0-5][0-9](?::[0-6][0-9])? (?:[+-][0-9]{4}|GMT|UTC|UT)"
E164 = r"\+[1-9][0-9]{1,14}"
EPOCH_SECONDS = r"[0-9]{9,10}"
_BLANK = "\\s\\x0b\\x1c-\\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
MAIL_ADDRESS = rf"[^@{_BLANK}]+@[^@{_BLANK}]+"

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


def decimal_text(column: str) -> Rule:
    """Reads as a decimal number."""
    return matches(column, DECIMAL, "decimal")


def not_negative_text(column: str) -> Rule:
    """Reads as a decimal number of at least 0."""
    return matches(column, NOT_NEGATIVE_DECIMAL, "not_negative")


def integer_text(column: str) -> Rule:
    """Reads as a whole number."""
    return matches(column, INTEGER, "integer")


def timestamp_text(column: str) -> Rule:
    """Reads as an ISO 8601 timestamp, with or without a zone."""
    return matches(column, TIMESTAMP, "timestamp")


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
