"""Staging casts text; contracts say which text. The two must agree: what a contract lets through never breaks a build, nor is it lost unseen.

Read from the SQL itself: each `cast` of a column of the lake has a rule that sets aside what the type cannot take, each
`try_cast` one that at least warns of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

import duckdb
import jinja2
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ingestion.contracts.rules import Rule
from ingestion.sources.tables import rules_for
from storage.settings import PROJECT_ROOT

STAGING = PROJECT_ROOT / "dbt_project/models/staging"
MACROS = PROJECT_ROOT / "dbt_project/macros"
OURS = ("model__", "settings__", "plan", "run")  # tables that we write ourselves, with types of their own
_SOURCE = re.compile(r"source\('lake', '(\w+)'\)")
_CAST = re.compile(
    r"\b((?:try_)?cast)\((\w+) as ((?:integer|bigint|boolean|date|timestamp|decimal)(?:\(\d+, \d+\))?)\)"
)
_MACRO = re.compile(
    r"\{\{ (percent_to_rate|export_instant|epoch_instant|rfc2822_instant)\('(\w+)'(?:, \"('UTC')\")?\) \}\}"
)

# The type's limits, and one beyond each.
LIMITS: dict[str, tuple[list[str], list[str]]] = {
    "integer": (
        ["2147483647", "-2147483648", "0", "12.0"],
        ["2147483648", "-2147483649", "4294967295", "9999999999", "1.5", "many", "1e3", ""],
    ),
    "bigint": (["9223372036854775807", "0", "3000000000"], ["9223372036854775808", "18446744073709551615", "big"]),
    "boolean": (["true", "false"], ["yes", "No", "1", "T", "wahr", "TRUE "]),
    "date": (["0001-01-01", "9999-12-31", "2024-02-29"], ["0000-01-01", "10000-01-01", "2026-02-29", "01.02.2026"]),
    "timestamp": (
        ["0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z", "2026-01-05 10:00:00"],
        ["0000-01-01T00:00:00Z", "2026-01-05T10:00:00+02:00", "2026-01-05T24:00:00Z", "yesterday"],
    ),
    "percent_to_rate": (["100", "0", "-5.5", "99999.9999"], ["100000", "99999.99995", "12 %"]),
    "export_instant": (
        ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-01-05T10:00:00+02:00"],
        ["0000-01-01T00:00:00Z", "2026-01-05T10:00:00+99:99", "soon"],
    ),
    "epoch_instant": (["999999999", "9999999999"], ["99999999999", "-1", "1.5"]),
    "rfc2822_instant": (
        ["Mon, 05 Jan 2026 10:00:00 +0000", "Thu, 29 Feb 2024 23:59:59 +0000", "Mon, 01 Jan 0001 00:00:00 +0000"],
        ["2026-01-05", "Mon, 05 Jan 2026", "Sun, 29 Feb 2026 10:00:00 +0000", "Mon, 05 Jan 2026 24:00:00 +0000"],
    ),
}
OF_ONE_COLUMN = {
    ("feed__exchange_rates", "rate"): (["99999999.9999999999", "0.0000000001"], ["100000000", "0", "1.2E1", "-1"]),
    ("feed__quotas", "period_start"): (["0001-01-01", "9999-12-01"], ["0000-01-01", "2026-01-02", "2026-13-01"]),
}
CALL_LIMITS = (["0", "86400"], ["86401", "4294967295", "-1", "18446744073709551615"])
CALL_SECONDS = ("duration", "talk_seconds", "duration_seconds")


@dataclass(frozen=True)
class Cast:
    """One cast in the SQL: a lake column and the type it is cast to."""

    table: str
    column: str
    kind: str
    sql: str
    is_strict: bool

    def __str__(self) -> str:
        return f"{self.table}.{self.column} as {self.kind}"


@cache
def macros() -> Any:
    """The macros that read source values, as DuckDB gets them."""
    text = "".join((MACROS / f"{name}.sql").read_text() for name in ("source_values", "telephony"))
    holder: dict[str, Any] = {}

    class Adapter:
        def dispatch(self, name: str, _: str) -> Callable[..., str]:
            return lambda *args: str(getattr(holder["module"], f"duckdb__{name}")(*args)).strip()

    environment = jinja2.Environment(extensions=["jinja2.ext.do"], autoescape=False)  # SQL, not HTML
    holder["module"] = environment.from_string(text, globals={"adapter": Adapter()}).module
    return holder["module"]


def find_casts() -> list[Cast]:
    """Every cast of a lake column in the staging models."""
    columns: dict[str, set[str]] = {}
    for path in STAGING.rglob("_*__sources.yml"):
        for source in yaml.safe_load(path.read_text())["sources"]:
            for table in source["tables"]:
                columns[table["name"]] = {column["name"] for column in table.get("columns", ())}
    found: dict[Cast, None] = {}
    for path in sorted(STAGING.rglob("*.sql")):
        text = path.read_text()
        for table in _SOURCE.findall(text):
            if table.startswith(OURS):
                continue
            for function, column, kind in _CAST.findall(text):
                if column in columns[table]:
                    sql = f"{function}({{}} as {kind})"
                    found[Cast(table, column, kind, sql, function == "cast")] = None
            for name, column, zone in _MACRO.findall(text):
                if column in columns[table]:
                    sql = str(getattr(macros(), name)("{}", *([zone] if zone else []))).strip()
                    found[Cast(table, column, name, sql, name != "percent_to_rate")] = None
    return list(found)


CASTS = find_casts()


def find_rules(cast: Cast) -> list[Rule]:
    """The rules on the text of a cast's column."""
    return [
        rule
        for rule in rules_for(cast.table)
        if rule.columns == (cast.column,) and not rule.is_of_load and (rule.pattern or "value_set" in rule.arguments)
    ]


def passes(rule: Rule, text: str) -> bool:
    """Whether a text keeps a rule."""
    return bool(re.fullmatch(rule.pattern, text)) if rule.pattern else text in rule.arguments["value_set"]


def limits(cast: Cast) -> tuple[list[str], list[str]]:
    """Texts that must land, and texts that must not break the build."""
    if (cast.table, cast.column) in OF_ONE_COLUMN:
        return OF_ONE_COLUMN[cast.table, cast.column]
    if cast.column in CALL_SECONDS and not cast.table.startswith("mail"):
        return CALL_LIMITS
    if cast.kind.startswith("decimal"):
        precision, scale = map(int, re.findall(r"\d+", cast.kind))
        most = "9" * (precision - scale) + "." + "9" * scale
        beyond = ["1" + "0" * (precision - scale), most + "5", "1e400", "NaN", "Infinity", "1,000", "12 EUR"]
        return [most, "0", "0.5", "12.50", "1.2E1", "1E-5"], beyond
    return LIMITS[cast.kind]


@pytest.fixture(scope="module")
def duck() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    return connection


def test_the_casts_are_found() -> None:
    assert len(CASTS) > 130
    names = {(cast.table, cast.column) for cast in CASTS}
    assert {
        ("salesforce__opportunity", "Amount"),
        ("feed__personnel", "fte"),
        ("files__call", "talk_seconds"),
    } <= names
    assert {cast.kind for cast in CASTS if cast.kind.endswith(("instant", "rate"))} >= {
        "percent_to_rate",
        "epoch_instant",
    }


@pytest.mark.parametrize("cast", CASTS, ids=str)
def test_what_a_contract_lets_through_can_be_cast(cast: Cast, duck: duckdb.DuckDBPyConnection) -> None:
    rules = find_rules(cast)
    if cast.is_strict:
        rules = [rule for rule in rules if rule.severity != "warn"]
    assert rules, f"nothing says which text {cast.column} may hold; add a rule beside its source's others"
    good, beyond = limits(cast)
    for text in good:
        assert all(passes(rule, text) for rule in rules), f"{text!r} is set aside"
    for text in [*good, *beyond]:
        if cast.is_strict and not all(passes(rule, text) for rule in rules):
            continue
        (value,) = duck.execute(f"select {cast.sql.replace('{}', 'x')} from (select ? as x)", [text]).fetchone() or (
            None,
        )
        if all(passes(rule, text) for rule in rules):
            assert value is not None, f"{text!r} is lost, and no rule says so"
    assert not any(all(passes(rule, text) for rule in rules) for text in beyond)


@lru_cache
def shared() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


DECIMALS = sorted({cast.kind for cast in CASTS if cast.kind.startswith("decimal")})
NUMBERS = st.from_regex(r"[+-]?[09]{0,30}[0-9]{0,4}(\.[09]{0,30}[0-9]{0,5})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)


@given(NUMBERS, st.sampled_from(DECIMALS))
def test_no_spelling_of_a_number_that_a_contract_lets_through_breaks_a_cast(text: str, kind: str) -> None:
    from ingestion.contracts.rules import decimal_text

    precision, scale = map(int, re.findall(r"\d+", kind))
    rule = decimal_text("x", precision, scale)
    (value,) = shared().execute(f"select try_cast(? as {kind})", [text]).fetchone() or (None,)
    if passes(rule, text):
        assert value is not None
    elif text[-1:].isdigit() and not re.search("[eE]", text):  # a plain number is set aside only where it must be
        assert value is None


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**18), max_value=10**18, places=2))
def test_every_amount_as_programs_write_it_is_let_through(amount: Decimal) -> None:
    from ingestion.contracts.rules import decimal_text

    rule = decimal_text("x")
    for text in (str(amount), f"{amount:E}", repr(float(amount)), f"{float(amount):e}"):
        assert passes(rule, text), text


@given(st.integers(-(2**70), 2**70))
def test_whole_numbers_are_let_through_up_to_the_limit_of_their_type(number: int) -> None:
    from ingestion.contracts.rules import BIGINT_LIMIT, INTEGER_LIMIT, integer_text

    for limit in (INTEGER_LIMIT, BIGINT_LIMIT):
        for near in (number, number % (limit + 3), -(number % (limit + 3))):
            assert passes(integer_text("x", limit), str(near)) == (-limit - 1 <= near <= limit)
