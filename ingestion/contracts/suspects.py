"""Find with Arrow the rows that may break a rule: most loads are clean, and Great Expectations is not even imported.

What belongs here: a first pass that clears no row which Great Expectations would fail. What does not: the judgement
(`judging`). If a rule's expectation is unknown here, every row is a suspect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.contracts.rules import Rule

Mask: TypeAlias = Any  # Arrow's booleans, in one piece or several
_LINE_END = ord("\n")


def find_suspects(rows: pa.Table, rule: Rule, allowed: Sequence[str]) -> np.ndarray:
    """Positions of the rows that may break a rule.

    Args:
        rows: Rows with the rule's columns.
        rule: The rule.
        allowed: The values that the rule allows, if it lists any.
    """
    look = _LOOKS.get(rule.expectation)
    if look is None:
        return np.arange(rows.num_rows)
    mask = look(rows, rule, allowed)
    return np.flatnonzero(mask) if pc.any(mask, min_count=0).as_py() else np.empty(0, np.int64)


def _is_missing(rows: pa.Table, rule: Rule, allowed: Sequence[str]) -> Mask:
    return pc.is_null(rows.column(rule.columns[0]))


def _is_there(rows: pa.Table, rule: Rule, allowed: Sequence[str]) -> Mask:
    return pc.is_valid(rows.column(rule.columns[0]))


def _is_another_word(rows: pa.Table, rule: Rule, allowed: Sequence[str]) -> Mask:
    texts = rows.column(rule.columns[0]).cast(pa.string())
    return pc.and_not(pc.is_valid(texts), pc.is_in(texts, pa.array(allowed, pa.string())))


def _reads_otherwise(rows: pa.Table, rule: Rule, allowed: Sequence[str]) -> Mask:
    texts = rows.column(rule.columns[0]).cast(pa.string())
    if _are_all_lines(texts.combine_chunks().drop_null(), f"(?:{rule.pattern})"):
        return pa.array(np.zeros(len(texts), np.bool_))
    return pc.fill_null(pc.invert(pc.match_substring_regex(texts, rf"^(?:{rule.pattern})\z")), False)


def _are_all_lines(texts: pa.Array, pattern: str) -> bool:
    """Whether every text matches the pattern: one match over all texts joined as lines, in at most half the time."""
    if not len(texts):
        return True
    lines = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(texts)], pa.int32()), texts), "\n")[0]
    has_ends_inside = np.count_nonzero(np.frombuffer(lines.as_buffer(), np.uint8) == _LINE_END) != len(texts) - 1
    return not has_ends_inside and bool(pc.match_substring_regex(lines, rf"^{pattern}(?:\n{pattern})*\z").as_py())


def _is_before(rows: pa.Table, rule: Rule, allowed: Sequence[str]) -> Mask:
    later, earlier = (rows.column(column) for column in rule.columns)
    return pc.fill_null(pc.less(later, earlier), False)


def _is_outside(rows: pa.Table, rule: Rule, allowed: Sequence[str]) -> Mask:
    numbers, least, most = (
        rows.column(rule.columns[0]),
        rule.arguments.get("min_value"),
        rule.arguments.get("max_value"),
    )
    outside = pa.array(np.zeros(rows.num_rows, np.bool_))
    if least is not None:
        outside = pc.or_(outside, pc.less(numbers, least))
    if most is not None:
        outside = pc.or_(outside, pc.greater(numbers, most))
    return outside


_LOOKS: dict[str, Callable[[pa.Table, Rule, Sequence[str]], Mask]] = {
    "ExpectColumnValuesToNotBeNull": _is_missing,
    "ExpectColumnValuesToBeNull": _is_there,
    "ExpectColumnValuesToBeInSet": _is_another_word,
    "ExpectColumnValuesToMatchRegex": _reads_otherwise,
    "ExpectColumnPairValuesAToBeGreaterThanB": _is_before,
    "ExpectColumnValuesToBeBetween": _is_outside,
}
