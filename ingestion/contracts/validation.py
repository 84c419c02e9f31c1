"""Hold one load against its table's rules with Great Expectations: rows batch by batch, then what only the whole load can show."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.contracts import value_expectation
from ingestion.contracts.rules import Rule, Severity
from ingestion.contracts.samples import shape_of
from ingestion.contracts.tables import LakeTable

if TYPE_CHECKING:
    import pandas as pd

EXAMPLES_SHOWN = 5
SAMPLED_ROWS, MOST_VALUES = 4096, 2048  # a column with no more distinct values than this is judged by them, each once a load
# All that a validator asks of its context; a whole one takes longer to make than a batch to check, and has stores and sites nobody here uses.
_QUIET = SimpleNamespace(progress_bars={"globally": False, "metric_calculations": False})


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
        samples: Some of the values, as shapes (`99aa`): enough to see what is wrong, too little to name anybody.
    """

    rule: str
    severity: Severity
    columns: tuple[str, ...]
    count: int
    message: str
    fix: str = ""
    samples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checked:
    """What a load's check found, rule by rule.

    Attributes:
        violations: Every rule that was broken.
        rules: Rows that break each rule checked, 0 included.
    """

    violations: tuple[Violation, ...] = ()
    rules: dict[str, int] = field(default_factory=dict)

    @property
    def fatal(self) -> list[Violation]:
        """Broken rules for which the whole load is refused."""
        return [violation for violation in self.violations if violation.severity == "fatal"]

    @property
    def warnings(self) -> list[Violation]:
        """Broken rules that let their rows land."""
        return [violation for violation in self.violations if violation.severity == "warn"]


class LoadCheck:
    """The check of one load. Give it the load's batches in turn, then ask for what was found.

    Args:
        table: The table that the load is for.
        allowed_values: Lists that `one_of` rules are filled from (`stages`, `lead_statuses`); a rule whose list is not given is skipped.
        more_rules: Rules of this load alone, such as that a field keeps the type it had.
    """

    def __init__(self, table: LakeTable, *, allowed_values: Mapping[str, Sequence[str]] | None = None, more_rules: Sequence[Rule] = ()) -> None:
        self.table_name = table.name
        self._allowed_values = allowed_values or {}
        all_rules = [*table.rules, *more_rules]
        self._rules = [rule for rule in all_rules if not rule.is_of_load and (rule.allowed_list is None or rule.allowed_list in self._allowed_values)]
        self.load_rules = [rule for rule in all_rules if rule.is_of_load]
        self._counts: dict[str, int] = {}
        self._samples: dict[str, list[str]] = {}
        self._missing: dict[str, Rule] = {}
        self._rows = 0
        self._passed: dict[str, set[str | None]] = {}
        self._many: set[str] = set()

    def check_rows(self, rows: pa.Table) -> pa.Array:
        """Hold a batch against the rules on rows.

        Args:
            rows: The source's own columns as text; rows are not changed.

        Returns:
            One string per row: NULL where it passed, else the names of the row rules it broke, joined with ';'.
        """
        self._rows += rows.num_rows
        present = set(rows.column_names)
        self._missing |= {rule.name: rule for rule in self._rules if rule.is_presence_needed and not present.issuperset(rule.columns)}
        applied = [rule for rule in self._rules if present.issuperset(rule.columns)]
        for rule in applied:
            self._counts.setdefault(rule.name, 0)
        if not applied or not rows.num_rows:
            return pa.nulls(rows.num_rows, pa.string())
        values = {column: self._few_values(rows, column) for column in {rule.columns[0] for rule in applied if rule.is_of_value}}
        open_rules = [rule for rule in applied if not self._has_passed(rule, rows, values)]
        reasons: dict[int, list[str]] = {}
        for rule, broken in zip(open_rules, _broken_rows(rows, open_rules, self._allowed_values), strict=True):
            if broken:
                self._note(rule, rows, broken)
            elif rule.is_of_value:
                self._remember(rule, values[rule.columns[0]])
            if rule.severity == "row":
                for index in broken:
                    reasons.setdefault(index, []).append(rule.name)
        return _as_reasons(reasons, rows.num_rows)

    def finish(self, aggregates: Mapping[str, int]) -> Checked:
        """Hold the load's running aggregates against the rules on loads, and return everything that was found.

        Args:
            aggregates: Per rule on loads its number: rows whose key another row of the load has, rows of the load.
        """
        counts, violations = dict(self._counts), []
        known = [rule for rule in self.load_rules if rule.name in aggregates]
        for rule, passed in zip(known, _judge_aggregates({rule.name: aggregates[rule.name] for rule in known}, known), strict=True):
            counts[rule.name] = 0 if passed else aggregates[rule.name] or 1
        for rule in self._missing.values():
            violations.append(_missing_column(self.table_name, rule))
        for rule in [*self._rules, *known]:
            if counts.get(rule.name):
                violations.append(self._violation(rule, counts[rule.name]))
        return Checked(tuple(violations), counts)

    def _remember(self, rule: Rule, values: frozenset[str | None] | None) -> None:
        """Keep which values passed a rule. A column that has few in each batch and ever others is one with many, after all."""
        passed = self._passed.setdefault(rule.name, set())
        passed |= values or frozenset()
        if len(passed) > MOST_VALUES:
            passed.clear()
            self._many.add(rule.columns[0])

    def _few_values(self, rows: pa.Table, column: str) -> frozenset[str | None] | None:
        """A column's distinct values; None where they are many, in this batch or in one before."""
        if column in self._many:
            return None
        if len(pc.unique(rows.column(column).slice(0, SAMPLED_ROWS))) <= MOST_VALUES:
            values = pc.unique(rows.column(column))
            if len(values) <= MOST_VALUES:
                return frozenset(values.to_pylist())
        self._many.add(column)
        return None

    def _has_passed(self, rule: Rule, rows: pa.Table, values: Mapping[str, frozenset[str | None] | None]) -> bool:
        """Whether every value of the batch passed this rule before, in an earlier batch of the load: then it need not be judged again."""
        if not rule.is_of_value or rule.name not in self._passed:
            return False
        if rule.is_about_presence:
            return bool(rows.column(rule.columns[0]).null_count == 0)
        few = values[rule.columns[0]]
        return few is not None and few <= self._passed[rule.name]

    def _note(self, rule: Rule, rows: pa.Table, broken: list[int]) -> None:
        self._counts[rule.name] += len(broken)
        samples = self._samples.setdefault(rule.name, [])
        if len(samples) <= EXAMPLES_SHOWN:
            values = rows.column(rule.columns[0]).take(pa.array(broken[:1000])).unique().to_pylist()
            # An operator's own words (a stage) are shown as they are; anything else could be a person's.
            shown = sorted(str(value) if rule.allowed_list else shape_of(value) for value in values)
            samples += [text for text in dict.fromkeys(shown) if text not in samples]

    def _violation(self, rule: Rule, count: int) -> Violation:
        columns = ", ".join(rule.columns)
        samples = self._samples.get(rule.name, [])
        message = f"{self.table_name}: {count} of {self._rows} rows break '{rule.name}' ({columns})."
        if rule.is_of_load and not columns:
            message = f"{self.table_name}: the load of {self._rows} rows breaks '{rule.name}'."
        if rule.allowed_list:
            shown = ", ".join(f"'{text}'" for text in samples[:EXAMPLES_SHOWN])
            more = " and more" if len(samples) > EXAMPLES_SHOWN else ""
            message = (
                f"{self.table_name}.{columns} holds {shown}{more}, unknown to the {rule.allowed_list.replace('_', ' ')} in force ({count} rows)."
            )
        return Violation(rule.name, rule.severity, rule.columns, count, message, rule.fix, tuple(samples[:EXAMPLES_SHOWN]))


def _missing_column(table_name: str, rule: Rule) -> Violation:
    column = rule.columns[0]
    message = f"{table_name} has no column {column}, without which its rows mean nothing."
    return Violation(rule.name, "fatal", rule.columns, 0, message, f"Give the reading user access to {column}, or correct the file or its mapping.")


def _as_reasons(reasons: Mapping[int, list[str]], count: int) -> pa.Array:
    if not reasons:
        return pa.nulls(count, pa.string())
    texts = np.full(count, None, dtype=object)
    for index, names in reasons.items():
        texts[index] = ";".join(names)
    return pa.array(texts, pa.string())


def _frame_of(rows: pa.Table, rules: Sequence[Rule]) -> pd.DataFrame:
    """Only columns under a rule, Arrow-backed, so that patterns are matched by Arrow and NULL stays apart from text such as 'NA'."""
    import pandas as pd

    needed = sorted({column for rule in rules for column in rule.columns})
    frame: pd.DataFrame = rows.select(needed).to_pandas(types_mapper=pd.ArrowDtype)
    return frame


def _broken_rows(rows: pa.Table, rules: Sequence[Rule], allowed_values: Mapping[str, Sequence[str]]) -> list[list[int]]:
    """Positions of the rows that break each rule. Which rules are broken is asked first, because listing rows takes several times as long."""
    broken: list[list[int]] = [[] for _ in rules]
    if not rules:
        return broken
    frame = _frame_of(rows, rules)
    failed = _find_broken(frame, rules, allowed_values)
    outcomes = _validate(frame, [_expect(rules[number], allowed_values) for number in failed], "COMPLETE")
    for number, outcome in zip(failed, outcomes, strict=True):
        if "unexpected_index_list" not in outcome.result:
            raise RuntimeError(f"Great Expectations could not judge rule {rules[number].name}: {outcome.exception_info}")
        broken[number] = [int(index) for index in outcome.result["unexpected_index_list"] or []]
    return broken


def _find_broken(frame: pd.DataFrame, rules: Sequence[Rule], allowed_values: Mapping[str, Sequence[str]]) -> list[int]:
    """The numbers of the rules that some row breaks: those on values by one expectation, the others by one each."""
    of_values = [number for number, rule in enumerate(rules) if value_expectation.can_judge(rule)]
    others = [number for number in range(len(rules)) if number not in of_values]
    expectations = [_expect(rules[number], allowed_values) for number in others]
    if of_values:
        judged = [rules[number] for number in of_values]
        expectations.append(value_expectation.expect((rule, _arguments(rule, allowed_values).get("value_set")) for rule in judged))
    outcomes = _validate(frame, expectations, "BASIC")
    broken = [number for number, outcome in zip(others, outcomes, strict=False) if not outcome.success]
    if of_values:
        if "observed_value" not in outcomes[-1].result:
            raise RuntimeError(f"Great Expectations could not judge the rules on values: {outcomes[-1].exception_info}")
        broken += [number for number, holds in zip(of_values, outcomes[-1].result["observed_value"], strict=True) if not holds]
    return sorted(broken)


def _judge_aggregates(aggregates: Mapping[str, int], rules: Sequence[Rule]) -> list[bool]:
    """Whether each rule on loads holds: Great Expectations over one row that has a column per rule."""
    if not rules:
        return []
    import pandas as pd

    frame = pd.DataFrame({name: [number] for name, number in aggregates.items()})
    return [bool(outcome.success) for outcome in _validate(frame, [_expect(rule, {}) for rule in rules], "BOOLEAN_ONLY")]


def _expect(rule: Rule, allowed_values: Mapping[str, Sequence[str]]) -> Any:
    """The rule as an expectation of Great Expectations' own."""
    import great_expectations.expectations as gxe

    return getattr(gxe, rule.expectation)(**_arguments(rule, allowed_values), meta={"rule": rule.name, "severity": rule.severity})


def _validate(frame: pd.DataFrame, expectations: Sequence[Any], result_format: str) -> list[Any]:
    """Great Expectations' outcome for each expectation, in their order.

    The validator is given its engine directly: `Batch.validate` first hashes the whole frame to name the batch, which took three quarters of
    the time of a check of 500,000 rows (1.46 s against 0.49 s).
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
    from great_expectations.validator.validator import Validator

    if not expectations:
        return []
    configurations = [expectation.configuration for expectation in expectations]
    for number, configuration in enumerate(configurations):
        configuration.meta = {**(configuration.meta or {}), "number": number}
    data = {"load": frame}
    engine = PandasExecutionEngine(batch_data_dict=data)
    outcomes = Validator(engine, data_context=cast(Any, _QUIET)).graph_validate(
        configurations=configurations,
        runtime_configuration={"result_format": {"result_format": result_format}},
    )
    # Engine and batch manager hold each other: without this, batch upon batch stays in memory until Python looks for such circles.
    data.clear()
    engine.batch_manager.batch_data_cache.clear()
    ordered: dict[int, Any] = {cast(Any, outcome.expectation_config).meta["number"]: outcome for outcome in outcomes}
    return [ordered[number] for number in range(len(expectations))]


def _arguments(rule: Rule, allowed_values: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    arguments = dict(rule.arguments)
    if rule.allowed_list:
        arguments["value_set"] = list(allowed_values[rule.allowed_list])
    if rule.is_of_load:
        return {**arguments, "column": rule.name}
    if rule.expectation == "ExpectColumnPairValuesAToBeGreaterThanB":
        return {**arguments, "column_A": rule.columns[0], "column_B": rule.columns[1], "ignore_row_if": "either_value_is_missing"}
    return {**arguments, "column": rule.columns[0]}
