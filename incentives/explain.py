"""The origin of a commission line: the chain from the CRM record to the rounded amount."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import duckdb

from incentives.errors import UnknownLineError
from incentives.mechanics import find_mechanic
from incentives.wording import say_money


@dataclass(frozen=True)
class LineExplanation:
    """A commission line step by step.

    Attributes:
        line_id: The line.
        steps: `(title, text)` in calculation order: event, credit, plan, component, the mechanic's steps, record.
    """

    line_id: str
    steps: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return "\n".join([self.line_id, *(f"  {title + ':':12}{text}" for title, text in self.steps)])


def explain_line(connection: duckdb.DuckDBPyConnection, line_id: str) -> LineExplanation:
    """Explain which record, credit, plan file, component, tiers and rates produced a commission line.

    Args:
        connection: To the warehouse or the published set; reads only the schema `marts`.
        line_id: As in `commission_lines.line_id`.

    Raises:
        UnknownLineError: There is no such line.
        IncentivesError: A later version made the line, with a mechanic that this one lacks.
    """
    lines = _read_rows(connection, "select * from marts.commission_lines where line_id = ?", line_id)
    if not lines:
        raise UnknownLineError(
            "There is no commission line with this id.",
            where=f"marts.commission_lines, line_id {line_id}",
            fix='List ids with: salesops query "select line_id, rep_id, commission_amount from commission_lines". A renamed plan renames its lines.',
        )
    line = lines[0]
    slices = _read_rows(
        connection, "select * from marts.commission_line_slices where line_id = ? order by tier_number", line_id
    )
    steps = [
        ("Event", _describe_event(line)),
        ("Credit", _describe_credit(line)),
        ("Plan", f"{line['plan_name']} ({line['plan_id']}), file {line['plan_file']}, SHA-256 {line['plan_hash']}"),
        ("Component", f"{line['component_name']} ({line['component_id']}), {line['component_kind']}"),
    ]
    steps += find_mechanic(line["component_kind"]).explain(line, slices)
    steps.append(("Record", _describe_record(line)))
    return LineExplanation(line_id, tuple(steps))


def _read_rows(connection: duckdb.DuckDBPyConnection, sql: str, line_id: str) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, [line_id])
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _describe_event(line: dict[str, Any]) -> str:
    return f"{line['measure']} {line['record_id']} on {line['event_date']}, {say_money(line['event_amount'], line['credited_currency'])}"


def _describe_credit(line: dict[str, Any]) -> str:
    part = Fraction(int(line["credit_weight"]), int(line["total_weight"]))
    share = "the whole" if part == 1 else f"{part.numerator} of {part.denominator} parts"
    amount = say_money(line["credited_amount"], line["credited_currency"])
    return f"{amount} to {line['rep_id']}: {share} by the rule {line['crediting_rule_id']}"


def _describe_record(line: dict[str, Any]) -> str:
    if line["load_id"] is None:
        return f"opportunity {line['opportunity_id']}"
    return f"opportunity {line['opportunity_id']} as brought by load {line['load_id']}, known since {line['known_from']} UTC"
