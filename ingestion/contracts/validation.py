"""Check one load against its table's rules with Great Expectations: rows batch by batch, then the load as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.contracts.judging import find_broken
from ingestion.contracts.rules import Rule, Severity
from ingestion.contracts.samples import shape_of
from ingestion.contracts.tables import LakeTable

EXAMPLES_SHOWN = 5


@dataclass(frozen=True)
class Violation:
    """One rule that some rows break.

    Attributes:
        rule: The rule's name.
        severity: `fatal`, `row` or `warn`.
        columns: The columns the rule checks.
        count: Rows that break it; 0 where a column is missing altogether.
        message: One sentence. It quotes values only from columns whose allowed values an operator lists: those name no
            person.
        fix: What to do about it.
        samples: Some of the values, as shapes (`99aa`): enough to see what is wrong, too little to identify anybody.
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
        rules: Number of rows that break each checked rule, 0 included.
    """

    violations: tuple[Violation, ...] = ()
    rules: dict[str, int] = field(default_factory=dict)

    @property
    def fatal(self) -> list[Violation]:
        """Broken rules that refuse the whole load."""
        return [violation for violation in self.violations if violation.severity == "fatal"]

    @property
    def warnings(self) -> list[Violation]:
        """Broken rules that let their rows land."""
        return [violation for violation in self.violations if violation.severity == "warn"]


class LoadCheck:
    """The check of one load. Pass it the load's batches in turn, then ask for the result.

    Args:
        table: The load's table.
        allowed_values: Lists that fill `one_of` rules (`stages`, `lead_statuses`); a rule without its list is skipped.
        more_rules: Rules of this load only, such as that a field keeps its type.
    """

    def __init__(
        self,
        table: LakeTable,
        *,
        allowed_values: Mapping[str, Sequence[str]] | None = None,
        more_rules: Sequence[Rule] = (),
    ) -> None:
        self.table_name = table.name
        self._allowed_values = allowed_values or {}
        all_rules = [*table.rules, *more_rules]
        self._rules = [
            rule
            for rule in all_rules
            if not rule.is_of_load and (rule.allowed_list is None or rule.allowed_list in self._allowed_values)
        ]
        self.load_rules = [rule for rule in all_rules if rule.is_of_load]
        self._counts: dict[str, int] = {}
        self._samples: dict[str, list[str]] = {}
        self._missing: dict[str, Rule] = {}
        self._rows = 0

    def check_rows(self, rows: pa.Table) -> pa.Array:
        """Check a batch against the rules on rows.

        Args:
            rows: The source's own columns as text; rows are not changed.

        Returns:
            One string per row: NULL where it passed, else the names of the row rules it broke, joined with ';'.
        """
        self._rows += rows.num_rows
        present = set(rows.column_names)
        self._missing |= {
            rule.name: rule for rule in self._rules if rule.is_presence_needed and not present.issuperset(rule.columns)
        }
        applied = [rule for rule in self._rules if present.issuperset(rule.columns)]
        for rule in applied:
            self._counts.setdefault(rule.name, 0)
        if not applied or not rows.num_rows:
            return pa.nulls(rows.num_rows, pa.string())
        reasons = pa.nulls(rows.num_rows, pa.string())
        for rule, broken in zip(applied, find_broken(rows, applied, self._allowed_values), strict=True):
            if len(broken):
                self._note(rule, rows, broken)
                reasons = _with_reason(reasons, rule.name, broken) if rule.severity == "row" else reasons
        return reasons

    def finish(self, aggregates: Mapping[str, int]) -> Checked:
        """Check the load's aggregates against the rules on whole loads, and return everything that was found.

        Args:
            aggregates: One number per rule on loads: rows that share their key with another row, or rows of the load.
        """
        counts, violations = dict(self._counts), []
        known = [rule for rule in self.load_rules if rule.name in aggregates]
        for rule, is_broken in zip(known, _broken_by_load(aggregates, known), strict=True):
            counts[rule.name] = (aggregates[rule.name] or 1) if is_broken else 0
        for rule in self._missing.values():
            violations.append(_missing_column(self.table_name, rule))
        for rule in [*self._rules, *known]:
            if counts.get(rule.name):
                violations.append(self._violation(rule, counts[rule.name]))
        return Checked(tuple(violations), counts)

    def _note(self, rule: Rule, rows: pa.Table, broken: np.ndarray) -> None:
        self._counts[rule.name] += len(broken)
        samples = self._samples.setdefault(rule.name, [])
        if len(samples) <= EXAMPLES_SHOWN:
            values = rows.column(rule.columns[0]).take(pa.array(broken[:1000])).unique().to_pylist()
            # Values from an operator's own list (a stage) are shown as they are; anything else could be personal data.
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
            known = rule.allowed_list.replace("_", " ")
            message = (
                f"{self.table_name}.{columns} holds {shown}{more}, unknown to the {known} in force ({count} rows)."
            )
        return Violation(
            rule.name, rule.severity, rule.columns, count, message, rule.fix, tuple(samples[:EXAMPLES_SHOWN])
        )


def _missing_column(table_name: str, rule: Rule) -> Violation:
    column = rule.columns[0]
    message = f"{table_name} has no column {column}, without which its rows mean nothing."
    return Violation(
        rule.name,
        "fatal",
        rule.columns,
        0,
        message,
        f"Give the reading user access to {column}, or correct the file or its mapping.",
    )


def _with_reason(reasons: pa.Array, rule_name: str, broken: np.ndarray) -> pa.Array:
    """The reasons, with the rule's name added where it is broken."""
    is_broken = np.zeros(len(reasons), np.bool_)
    is_broken[broken] = True
    return pc.if_else(
        pa.array(is_broken),
        pc.binary_join_element_wise(reasons, pa.scalar(rule_name), ";", null_handling="skip"),
        reasons,
    )


def _broken_by_load(aggregates: Mapping[str, int], rules: Sequence[Rule]) -> list[bool]:
    """Whether each rule on loads is broken, judged over one row with a column per rule."""
    if not rules:
        return []
    row = pa.table({rule.name: [aggregates[rule.name]] for rule in rules})
    return [len(broken) > 0 for broken in find_broken(row, [replace(rule, columns=(rule.name,)) for rule in rules], {})]
