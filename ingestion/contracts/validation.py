"""Check one load against its table's rules with Great Expectations."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ingestion.contracts.rules import Rule, Severity
from ingestion.contracts.suites import rules_for

if TYPE_CHECKING:
    import pandas as pd

EXAMPLES_SHOWN = 5


@dataclass(frozen=True)
class Violation:
    """One rule that some rows break.

    Attributes:
        rule: The rule's name.
        severity: `fatal`, `row` or `warn`.
        columns: What the rule looks at.
        count: Rows that break it; 0 where a column is missing altogether.
        message: One sentence. It quotes values only of columns whose allowed values an operator lists: those name no person.
        fix: What to do about it.
    """

    rule: str
    severity: Severity
    columns: tuple[str, ...]
    count: int
    message: str
    fix: str = ""


@dataclass(frozen=True)
class Checked:
    """What a check found, row by row and rule by rule.

    Attributes:
        broken_rules: One string per row: NULL where it passed, else the names of the row rules it broke, joined with ';'.
        fatal: Broken rules for which the whole load is refused.
        warnings: Broken rules that let their rows land.
        rules: Rows that break each rule checked, 0 included.
    """

    broken_rules: pa.Array
    fatal: list[Violation] = field(default_factory=list)
    warnings: list[Violation] = field(default_factory=list)
    rules: dict[str, int] = field(default_factory=dict)

    @property
    def set_aside_count(self) -> int:
        """Rows that broke at least one row rule."""
        return int(len(self.broken_rules) - self.broken_rules.null_count)


def check(table_name: str, rows: pa.Table, *, allowed_values: Mapping[str, Sequence[str]] | None = None) -> Checked:
    """Hold a load's rows against the rules of their table.

    Args:
        table_name: Lake table, `<source>__<object>`.
        rows: The source's own columns as text; rows are not changed.
        allowed_values: Lists that `one_of` rules are filled from (`stages`, `lead_statuses`); a rule whose list is not given is skipped.
    """
    present = set(rows.column_names)
    fatal = [_missing_column(table_name, rule) for rule in rules_for(table_name) if rule.is_presence_needed and not present.issuperset(rule.columns)]
    applied = [
        rule
        for rule in rules_for(table_name)
        if present.issuperset(rule.columns) and (rule.allowed_list is None or rule.allowed_list in (allowed_values or {}))
    ]
    nothing_broken = pa.nulls(rows.num_rows, pa.string())
    if not applied or not rows.num_rows:
        return Checked(nothing_broken, fatal=fatal, rules={rule.name: 0 for rule in applied})

    warnings: list[Violation] = []
    reasons: dict[int, list[str]] = {}
    counts: dict[str, int] = {}
    frame = _frame_of(rows, applied)
    for rule, broken in zip(applied, _broken_rows(frame, applied, allowed_values or {}), strict=True):
        counts[rule.name] = len(broken)
        if not broken:
            continue
        if rule.severity == "row":
            for index in broken:
                reasons.setdefault(index, []).append(rule.name)
        else:
            (fatal if rule.severity == "fatal" else warnings).append(_violation(table_name, rule, rows, broken))
    if reasons:
        texts = np.full(rows.num_rows, None, dtype=object)
        for index, names in reasons.items():
            texts[index] = ";".join(names)
        nothing_broken = pa.array(texts, pa.string())
    return Checked(nothing_broken, fatal=fatal, warnings=warnings, rules=counts)


def _missing_column(table_name: str, rule: Rule) -> Violation:
    column = rule.columns[0]
    message = f"{table_name} has no column {column}, without which its rows mean nothing."
    return Violation(rule.name, "fatal", rule.columns, 0, message, f"Give the reading user access to {column}, or correct the file or its mapping.")


def _violation(table_name: str, rule: Rule, rows: pa.Table, broken: list[int]) -> Violation:
    columns = ", ".join(rule.columns)
    message = f"{table_name}: {len(broken)} of {rows.num_rows} rows break '{rule.name}' ({columns})."
    if rule.allowed_list:
        values = rows.column(rule.columns[0]).take(pa.array(broken)).unique().to_pylist()
        shown = ", ".join(f"'{value}'" for value in sorted(str(value) for value in values)[:EXAMPLES_SHOWN])
        more = f" and {len(values) - EXAMPLES_SHOWN} more" if len(values) > EXAMPLES_SHOWN else ""
        message = f"{table_name}.{columns} holds {shown}{more}, unknown to the {rule.allowed_list.replace('_', ' ')} in force ({len(broken)} rows)."
    return Violation(rule.name, rule.severity, rule.columns, len(broken), message, rule.fix)


def _frame_of(rows: pa.Table, rules: Sequence[Rule]) -> pd.DataFrame:
    """Only columns under a rule, Arrow-backed, so that patterns are matched by Arrow and NULL stays apart from text such as 'NA'."""
    import pandas as pd

    needed = sorted({column for rule in rules for column in rule.columns})
    frame: pd.DataFrame = rows.select(needed).to_pandas(types_mapper=pd.ArrowDtype)
    return frame


def _broken_rows(frame: pd.DataFrame, rules: Sequence[Rule], allowed_values: Mapping[str, Sequence[str]]) -> list[list[int]]:
    """Positions of the rows that break each rule. Which rules are broken is asked first, because listing rows takes twice as long."""
    passed = [outcome.success for outcome in _validate(frame, rules, allowed_values, "BOOLEAN_ONLY")]
    broken: list[list[int]] = [[] for _ in rules]
    failed = [number for number, is_passed in enumerate(passed) if not is_passed]
    if failed:
        outcomes = _validate(frame, [rules[number] for number in failed], allowed_values, "COMPLETE")
        for number, outcome in zip(failed, outcomes, strict=True):
            if "unexpected_index_list" not in outcome.result:
                raise RuntimeError(f"Great Expectations could not judge rule {rules[number].name}: {outcome.exception_info}")
            broken[number] = [int(index) for index in outcome.result["unexpected_index_list"] or []]
    return broken


def _validate(frame: pd.DataFrame, rules: Sequence[Rule], allowed_values: Mapping[str, Sequence[str]], result_format: str) -> list[Any]:
    """Great Expectations' outcome for each rule, in the rules' order."""
    batch_definition = _batch_definition()
    import great_expectations as gx
    import great_expectations.expectations as gxe

    # The number makes each expectation its own: a suite drops one that equals another.
    expectations = [
        getattr(gxe, rule.expectation)(**_arguments(rule, allowed_values), meta={"number": number, "rule": rule.name, "severity": rule.severity})
        for number, rule in enumerate(rules)
    ]
    batch = batch_definition.get_batch(batch_parameters={"dataframe": frame})
    result = batch.validate(gx.ExpectationSuite(name="load", expectations=expectations), result_format={"result_format": result_format})
    outcomes = {outcome.expectation_config.meta["number"]: outcome for outcome in result.results}
    return [outcomes[number] for number in range(len(rules))]


def _arguments(rule: Rule, allowed_values: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    arguments = dict(rule.arguments)
    if rule.allowed_list:
        arguments["value_set"] = list(allowed_values[rule.allowed_list])
    match rule.expectation:
        case "ExpectColumnPairValuesAToBeGreaterThanB":
            return {**arguments, "column_A": rule.columns[0], "column_B": rule.columns[1], "ignore_row_if": "either_value_is_missing"}
        case "ExpectCompoundColumnsToBeUnique":
            return {**arguments, "column_list": list(rule.columns)}
        case _:
            return {**arguments, "column": rule.columns[0]}


@lru_cache(maxsize=1)
def _batch_definition() -> Any:
    """The in-memory context all checks share; made on first use, because importing Great Expectations takes seconds."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    return context.data_sources.add_pandas("load").add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")
