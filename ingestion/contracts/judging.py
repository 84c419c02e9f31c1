"""Decide with Great Expectations which rows break which rules.

Arrow first finds the rows that may break one (`suspects`). Great Expectations then judges those as one batch.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from ingestion.contracts.rules import Rule
from ingestion.contracts.suspects import find_suspects

_RESULT_FORMAT = {"result_format": "COMPLETE", "return_unexpected_index_query": False}


def find_broken(rows: pa.Table, rules: Sequence[Rule], allowed_values: Mapping[str, Sequence[str]]) -> list[np.ndarray]:
    """Positions of the rows that break each rule.

    Args:
        rows: Rows with the columns of every rule.
        rules: The rules.
        allowed_values: Lists that fill `one_of` rules.

    Raises:
        RuntimeError: Great Expectations could not judge a rule.
    """
    broken = [np.empty(0, np.int64) for _ in rules]
    found = [find_suspects(rows, rule, allowed_words(rule, allowed_values)) for rule in rules]
    in_question = [number for number, suspects in enumerate(found) if len(suspects)]
    if in_question:
        open_rules = [rules[number] for number in in_question]
        suspects = np.unique(np.concatenate([found[number] for number in in_question]))
        looked_at = rows.select(sorted({column for rule in open_rules for column in rule.columns})).take(
            pa.array(suspects)
        )
        first, kind = _find_kinds(looked_at)
        for number, positions in zip(
            in_question, judge(looked_at.take(pa.array(first)), open_rules, allowed_values), strict=True
        ):
            broken[number] = suspects[np.isin(kind, positions)]
    return broken


def _find_kinds(rows: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Group equal rows, so that each distinct row is judged once: the first position of each kind, each row's kind."""
    kind = np.zeros(rows.num_rows, np.int64)
    for column in rows.columns:
        encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
        _, first, kind = np.unique(
            kind * len(encoded.dictionary) + encoded.indices.to_numpy(), return_index=True, return_inverse=True
        )
    return first, kind


def judge(rows: pa.Table, rules: Sequence[Rule], allowed_values: Mapping[str, Sequence[str]]) -> list[list[int]]:
    """Positions of the rows that break each rule, by Great Expectations alone: 50 ms or more even for a few rows."""
    batches = _batches()
    import great_expectations as gx
    import pandas as pd

    frame = rows.to_pandas(types_mapper=pd.ArrowDtype)  # Arrow-backed, which keeps NULL distinct from text such as 'NA'
    suite = gx.ExpectationSuite(
        "contract", expectations=[_expect(number, rule, allowed_values) for number, rule in enumerate(rules)]
    )
    judged = batches.get_batch({"dataframe": frame}).validate(suite, result_format=_RESULT_FORMAT)
    outcomes = {outcome.expectation_config.meta["number"]: outcome for outcome in judged.results}
    positions = []
    for number, rule in enumerate(rules):
        outcome = outcomes[number]
        if "unexpected_index_list" not in outcome.result:
            raise RuntimeError(f"Great Expectations could not judge rule {rule.name}: {outcome.exception_info}")
        positions.append([int(index) for index in outcome.result["unexpected_index_list"] or []])
    return positions


@lru_cache(maxsize=1)
def _batches() -> Any:
    """The batch definition, made on first use: importing Great Expectations takes seconds. Turns its telemetry off."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return (
        context.data_sources.add_pandas("loads")
        .add_dataframe_asset("rows")
        .add_batch_definition_whole_dataframe("suspects")
    )


def _expect(number: int, rule: Rule, allowed_values: Mapping[str, Sequence[str]]) -> Any:
    """The rule as one of Great Expectations' own expectations."""
    import great_expectations.expectations as gxe

    arguments: dict[str, Any] = {
        **rule.arguments,
        "meta": {"rule": rule.name, "severity": rule.severity, "number": number},
    }
    if rule.pattern is not None:
        arguments["regex"] = rf"^(?:{rule.pattern})\Z"
    if rule.allowed_list:
        arguments["value_set"] = list(allowed_words(rule, allowed_values))
    if len(rule.columns) == 2:
        arguments |= {
            "column_A": rule.columns[0],
            "column_B": rule.columns[1],
            "ignore_row_if": "either_value_is_missing",
        }
    else:
        arguments["column"] = rule.columns[0]
    return getattr(gxe, rule.expectation)(**arguments)


def allowed_words(rule: Rule, allowed_values: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """The values that a rule allows, if it lists any."""
    return allowed_values[rule.allowed_list] if rule.allowed_list else rule.arguments.get("value_set", ())
