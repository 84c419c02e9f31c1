"""Where a commission line comes from: the chain from the CRM record to the rounded amount."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import duckdb

from incentives.errors import UnknownLineError

_PERIOD_NAMES = {"month": "the month from", "quarter": "the fiscal quarter from", "year": "the fiscal year from"}


@dataclass(frozen=True)
class LineExplanation:
    """A commission line step by step.

    Attributes:
        line_id: The line.
        steps: `(title, text)` in the order of the calculation: event, credit, plan, component, attainment, tiers, pay, record.
    """

    line_id: str
    steps: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return "\n".join([self.line_id, *(f"  {title + ':':12}{text}" for title, text in self.steps)])


def explain_line(connection: duckdb.DuckDBPyConnection, line_id: str) -> LineExplanation:
    """Tell which record, credit, plan file, component, tiers and rates made a commission line.

    Args:
        connection: To the warehouse or the published set; only the schema `marts` is read.
        line_id: As in `commission_lines.line_id`.

    Raises:
        UnknownLineError: There is no such line.
    """
    lines = _read_rows(connection, "select * from marts.commission_lines where line_id = ?", line_id)
    if not lines:
        raise UnknownLineError(
            "There is no commission line with this id.",
            where=f"marts.commission_lines, line_id {line_id}",
            fix='List ids with: salesops query "select line_id, rep_id, commission_amount from commission_lines". A renamed plan renames its lines.',
        )
    line = lines[0]
    slices = _read_rows(connection, "select * from marts.commission_line_slices where line_id = ? order by tier_number", line_id)
    steps = [
        ("Event", _describe_event(line)),
        ("Credit", _describe_credit(line)),
        ("Plan", f"{line['plan_name']} ({line['plan_id']}), file {line['plan_file']}, SHA-256 {line['plan_hash']}"),
        ("Component", f"{line['component_name']} ({line['component_id']}), {line['component_kind']}"),
    ]
    if line["attainment_scope"] in _PERIOD_NAMES:
        steps.append(("Attainment", _describe_attainment(line)))
    steps += [("Tier", _describe_slice(row, line["credited_currency"])) for row in slices]
    steps += [("Pay", _describe_pay(line, slices)), ("Record", _describe_record(line))]
    return LineExplanation(line_id, tuple(steps))


def _read_rows(connection: duckdb.DuckDBPyConnection, sql: str, line_id: str) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, [line_id])
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _describe_event(line: dict[str, Any]) -> str:
    return f"{line['measure']} {line['record_id']} on {line['event_date']}, {_money(line['event_amount'], line['credited_currency'])}"


def _describe_credit(line: dict[str, Any]) -> str:
    part = Fraction(int(line["credit_weight"]), int(line["total_weight"]))
    share = "the whole" if part == 1 else f"{part.numerator} of {part.denominator} parts"
    amount = _money(line["credited_amount"], line["credited_currency"])
    return f"{amount} to {line['rep_id']}: {share} by the rule {line['crediting_rule_id']}"


def _describe_attainment(line: dict[str, Any]) -> str:
    currency = line["credited_currency"]
    before, after = _money(line["attainment_before_amount"], currency), _money(line["attainment_after_amount"], currency)
    text = f"in {_PERIOD_NAMES[line['attainment_scope']]} {line['attainment_period_start']} from {before} to {after}"
    if line["quota_amount"] is not None:
        text += f", of a quota of {_money(line['quota_amount'], currency)}"
    if line["reached_tier_number"] is not None:
        text += f"; reached tier {line['reached_tier_number']}"
    return text


def _describe_slice(row: dict[str, Any], currency: str) -> str:
    upper = "" if row["upper_bound_amount"] is None else f" to {_money(row['upper_bound_amount'], currency)}"
    bounds = f"from {_money(row['lower_bound_amount'], currency)}{upper}"
    pay = _shorten(row["commission_unrounded"])
    return f"{row['tier_number']} ({bounds}): {_money(row['slice_amount'], currency)} at {_shorten(row['rate'] * 100)} % = {pay}"


def _describe_pay(line: dict[str, Any], slices: list[dict[str, Any]]) -> str:
    amount = _money(line["commission_amount"], line["currency"])
    if line["line_status"] == "no_quota":
        return f"{amount}: the tiers are on attainment, and the rep has no quota for the period"
    if line["fixed_amount"] is not None:
        return f"{amount}: a fixed amount for each event"
    exact = sum((row["commission_unrounded"] for row in slices), Decimal(0))
    return f"{amount}: {_shorten(exact)} rounded once, half away from zero"


def _describe_record(line: dict[str, Any]) -> str:
    if line["load_id"] is None:
        return f"opportunity {line['opportunity_id']}"
    return f"opportunity {line['opportunity_id']} as brought by load {line['load_id']}, known since {line['known_from']} UTC"


def _money(amount: Decimal, currency: str) -> str:
    # Bounds on attainment have more decimals than money; a whole cent is shown as such.
    cents = round(amount, 2)
    return f"{cents if cents == amount else amount.normalize():,} {currency}"


def _shorten(number: Decimal) -> str:
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
