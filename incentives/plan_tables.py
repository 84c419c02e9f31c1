"""Plan and board files as rows: the typed tables that the lake holds and dbt reads. No rules here; see `plans.py`.

How a component kind becomes rows is defined with the kind, in `incentives/mechanics/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import pyarrow as pa

from incentives.boards import MAX_TIE_BREAKERS, Board
from incentives.mechanics import AnyComponent
from incentives.participants import Participants
from incentives.plans import REPORTING_CURRENCY, Plan
from storage.operator_files import OperatorFile

# Raise it when the shape of the rows changes: files that the lake holds in an older shape are then written again.
ROW_FORMAT = 1

MONEY = pa.decimal128(18, 2)
RATE = pa.decimal128(9, 6)
QUOTA_RATIO = pa.decimal128(7, 4)

_DATES: list[tuple[str, pa.DataType]] = [("effective_from", pa.date32()), ("effective_to", pa.date32())]
_MATCH: list[tuple[str, pa.DataType]] = [
    ("participant_number", pa.int32()),
    ("role", pa.string()),
    ("team", pa.string()),
    ("rep", pa.string()),
    *_DATES,
]
_HELD: list[tuple[str, pa.DataType]] = [("row_format", pa.int32())]

# The column of each table that holds the hash of the row's file.
HASH_COLUMNS = {
    "plans__plan": "plan_hash",
    "plans__participant": "plan_hash",
    "plans__crediting_rule": "plan_hash",
    "plans__component": "plan_hash",
    "plans__tier": "plan_hash",
    "plans__eligibility": "plan_hash",
    "plans__board": "board_hash",
    "plans__board_participant": "board_hash",
}

SCHEMAS: dict[str, pa.Schema] = {
    name: pa.schema([(HASH_COLUMNS[name], pa.string()), *columns, *_HELD])
    for name, columns in {
        "plans__plan": [
            ("plan_id", pa.string()),
            ("plan_name", pa.string()),
            ("description", pa.string()),
            ("payout_currency", pa.string()),  # NULL: the organisation's reporting currency
            *_DATES,
        ],
        "plans__participant": [("plan_id", pa.string()), *_MATCH],
        "plans__crediting_rule": [
            ("plan_id", pa.string()),
            ("crediting_rule_id", pa.string()),
            ("party", pa.string()),
            ("weight", pa.int64()),
        ],
        "plans__component": [
            ("plan_id", pa.string()),
            ("component_id", pa.string()),
            ("component_number", pa.int32()),
            ("component_name", pa.string()),
            ("component_kind", pa.string()),
            ("measure", pa.string()),
            ("crediting_rule_id", pa.string()),
            ("amount_at_least", MONEY),
            ("amount_below", MONEY),
            ("fixed_amount", MONEY),
            ("tier_meaning", pa.string()),  # NULL: no tiers, the component pays a fixed amount
            ("tier_basis", pa.string()),
            ("tier_scope", pa.string()),
            ("tier_closure", pa.string()),
        ],
        "plans__tier": [
            ("plan_id", pa.string()),
            ("component_id", pa.string()),
            ("tier_number", pa.int32()),
            ("lower_amount", MONEY),
            ("upper_amount", MONEY),
            ("lower_quota_ratio", QUOTA_RATIO),
            ("upper_quota_ratio", QUOTA_RATIO),
            ("rate", RATE),
        ],
        "plans__eligibility": [
            ("plan_id", pa.string()),
            ("component_id", pa.string()),
            ("clause", pa.string()),
            ("tag", pa.string()),
        ],
        "plans__board": [
            ("board_id", pa.string()),
            ("board_name", pa.string()),
            ("description", pa.string()),
            ("metric", pa.string()),
            ("period_grain", pa.string()),
            *[(f"tie_breaker_{number}", pa.string()) for number in range(1, MAX_TIE_BREAKERS + 1)],
        ],
        "plans__board_participant": [("board_id", pa.string()), *_MATCH],
    }.items()
}

# The files in force: the newest load lists them all. Rows of the other tables count if their hash is in this list.
FILE_TABLE = "plans__file"
FILE_SCHEMA = pa.schema([("file_kind", pa.string()), ("file_name", pa.string()), ("file_hash", pa.string())])

Row = dict[str, Any]


def build_tables(plans: Iterable[OperatorFile[Plan]], boards: Iterable[OperatorFile[Board]]) -> dict[str, pa.Table]:
    """Every table's rows for these files, without the lake's reserved columns; a table may be empty."""
    rows: dict[str, list[Row]] = {name: [] for name in SCHEMAS}
    for plan in plans:
        for name, table_rows in _plan_rows(plan.content).items():
            rows[name] += [{"plan_hash": plan.sha256, "plan_id": plan.content.id, **row} for row in table_rows]
    for board in boards:
        for name, table_rows in _board_rows(board.content).items():
            rows[name] += [{"board_hash": board.sha256, "board_id": board.content.id, **row} for row in table_rows]
    return {
        name: pa.Table.from_pylist([{**row, "row_format": ROW_FORMAT} for row in rows[name]], schema=schema)
        for name, schema in SCHEMAS.items()
    }


def _plan_rows(plan: Plan) -> Mapping[str, list[Row]]:
    rows = _common_rows(plan)
    for component in plan.components:
        for table, own in component.rows().items():
            rows.setdefault(table, []).extend({"component_id": component.id, **row} for row in own)
    return rows


def _common_rows(plan: Plan) -> dict[str, list[Row]]:
    header = {
        "plan_name": plan.name,
        "description": plan.description,
        "payout_currency": None if plan.payout_currency == REPORTING_CURRENCY else plan.payout_currency,
        "effective_from": plan.effective_from,
        "effective_to": plan.effective_to,
    }
    return {
        "plans__plan": [header],
        "plans__participant": _participant_rows(plan.participants),
        "plans__crediting_rule": [
            {"crediting_rule_id": rule.id, "party": credited.party, "weight": credited.weight}
            for rule in plan.crediting_rules
            for credited in rule.split
        ],
        "plans__component": [
            _component_row(component, number) for number, component in enumerate(plan.components, start=1)
        ],
        "plans__eligibility": [
            {"component_id": component.id, "clause": clause, "tag": tag}
            for component in plan.components
            for clause in ("all_of", "any_of", "none_of")
            for tag in sorted(set(getattr(component.eligibility, clause)))
        ],
    }


def _board_rows(board: Board) -> Mapping[str, list[Row]]:
    breakers = dict(
        zip((f"tie_breaker_{number}" for number in range(1, MAX_TIE_BREAKERS + 1)), board.tie_breakers, strict=False)
    )
    header = {
        "board_name": board.name,
        "description": board.description,
        "metric": board.metric,
        "period_grain": board.period,
        **breakers,
    }
    return {"plans__board": [header], "plans__board_participant": _participant_rows(board.participants)}


def _participant_rows(blocks: tuple[Participants, ...]) -> list[Row]:
    # NULL matches everyone. A block with roles and teams requires both, so each pair becomes a row.
    return [
        {
            "participant_number": number,
            "role": role,
            "team": team,
            "rep": rep,
            "effective_from": block.from_date,
            "effective_to": block.to_date,
        }
        for number, block in enumerate(blocks, start=1)
        for role, team, rep in product(block.roles or (None,), block.teams or (None,), block.reps or (None,))
    ]


def _component_row(component: AnyComponent, number: int) -> Row:
    return {
        "component_id": component.id,
        "component_number": number,
        "component_name": component.name or component.id,
        "component_kind": component.kind,
        "measure": component.measure,
        "crediting_rule_id": component.crediting,
        "amount_at_least": component.eligibility.amount_at_least,
        "amount_below": component.eligibility.amount_below,
        **component.columns(),
    }
