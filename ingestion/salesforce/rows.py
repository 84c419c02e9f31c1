"""Answers of both APIs as the same text columns: the form of Bulk 2.0's CSV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from ingestion.salesforce.client import Field

_LOOKED_AT_BYTES = 1 << 20
BLOCK_BYTES = 4 << 20  # parsed at a time; a record must fit, and the longest text field holds 131,072 characters


def table_of_records(records: Sequence[dict[str, Any]], fields: Sequence[Field]) -> pa.Table:
    """REST's JSON records as text columns."""
    return pa.table({each.name: _text_column([record.get(each.name) for record in records], each.type) for each in fields})


def parse_csv(content: bytes, fields: Sequence[Field]) -> pa.Table:
    """Bulk 2.0 CSV as text columns: newlines within quotes, empty is NULL, the text `NA` is a value; NUL bytes, which no store takes, are left out.

    Raises:
        pyarrow.ArrowInvalid: The CSV is broken.
        pyarrow.ArrowKeyError: A field is not among its columns.
    """
    names = [each.name for each in fields]
    table: pa.Table = csv.read_csv(
        pa.BufferReader(content.replace(b"\x00", b"") if b"\x00" in content else content),
        read_options=csv.ReadOptions(block_size=BLOCK_BYTES),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            include_columns=names,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )
    return table


def is_cut_off(content: bytes) -> bool:
    """Whether Bulk 2.0 CSV ends within a row. Its last row may still read as one: Arrow takes the end of the text for the end of a value."""
    view = np.frombuffer(content, np.uint8)
    quotes = sum(int(np.count_nonzero(view[start : start + _LOOKED_AT_BYTES] == ord('"'))) for start in range(0, len(view), _LOOKED_AT_BYTES))
    return quotes % 2 == 1 or not content.endswith((b"\n", b'"'))


def _text_column(values: list[Any], field_type: str) -> pa.Array:
    """JSON values as Bulk's CSV would write them."""
    try:
        texts = pa.array(values, pa.string())
    except pa.ArrowException:  # booleans, integers, and the anyType values of field histories
        texts = pa.array([_text(value) for value in values], pa.string())
    texts = pc.replace_substring(texts, "\x00", "")
    if field_type == "datetime":
        texts = pc.replace_substring_regex(texts, r"\+00:?00$", "Z")
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)
