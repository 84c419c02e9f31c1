"""Answers of both APIs as the same text columns, in the form of Bulk 2.0's CSV."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from ingestion.sources.salesforce.client import Field
from ingestion.sources.unicode_text import with_whole_characters

BLOCK_BYTES = 1 << 20
_QUOTE = ord('"')


def table_of_records(records: Sequence[dict[str, Any]], fields: Sequence[Field]) -> pa.Table:
    """REST's JSON records as text columns."""
    return pa.table(
        {each.name: _text_column([record.get(each.name) for record in records], each.type) for each in fields}
    )


class CsvText:
    """Bulk 2.0 CSV as it comes, for `read_csv`, without NUL bytes, which no store accepts.

    Args:
        pieces: Its bytes, in pieces of any size.
    """

    closed = False

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""
        self._is_quote = np.empty(0, np.bool_)
        self._quotes = 0
        self._end = b""

    def read(self, size: int) -> bytes:
        """This many bytes, fewer only at the end: a read is one block to Arrow, and a row may span two at most."""
        parts, have = [self._rest] if self._rest else [], len(self._rest)
        while have < size and (piece := next(self._pieces, None)) is not None:
            parts.append(piece)
            have += len(piece)
        text = b"".join(parts)  # with one part this is the part itself
        text, self._rest = text[:size], text[size:]
        self._quotes += self._count_quotes(text)
        self._end = text[-1:] or self._end
        return text.replace(b"\x00", b"") if b"\x00" in text else text

    def _count_quotes(self, text: bytes) -> int:
        if len(self._is_quote) < len(text):  # kept: allocating it anew would cost more than the comparison
            self._is_quote = np.empty(len(text), np.bool_)
        return int(np.count_nonzero(np.equal(np.frombuffer(text, np.uint8), _QUOTE, out=self._is_quote[: len(text)])))

    @property
    def has_last_line_end(self) -> bool:
        """Whether the text so far ends a line.

        In results that do, a text that does not may be cut within a value, between two quotes that stand for one.
        """
        return self._end == b"\n"

    @property
    def is_cut_off(self) -> bool:
        """Whether the text so far ends within a row.

        The last row may still parse: Arrow takes the end of the text for the end of a value.
        """
        return self._quotes % 2 == 1 or self._end not in (b"\n", b'"')


def read_csv(text: CsvText, fields: Sequence[Field], block_bytes: int = BLOCK_BYTES) -> csv.CSVStreamingReader:
    """Batches of text columns: quoted newlines are allowed, empty is NULL, the text `NA` is a value.

    Args:
        text: The CSV.
        fields: Columns to read.
        block_bytes: How much is parsed at a time; memory follows it, and a longer row cannot be read.

    Raises:
        pyarrow.ArrowInvalid: The CSV is broken, or a row is too long; also while its batches are read.
        pyarrow.ArrowKeyError: A field is not among its columns.
    """
    names = [each.name for each in fields]
    return csv.open_csv(
        text,
        read_options=csv.ReadOptions(block_size=block_bytes, use_threads=False),  # pages come in parallel
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            include_columns=names,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )


def _text_column(values: list[Any], field_type: str) -> pa.Array:
    """JSON values as Bulk's CSV would write them."""
    try:
        texts = pa.array(values, pa.string())
    except (pa.ArrowException, UnicodeEncodeError):
        # Booleans, integers, the anyType values of field histories, half an emoji.
        texts = pa.array([_text(value) for value in values], pa.string())
    texts = pc.replace_substring(texts, "\x00", "")
    if field_type == "datetime":
        texts = pc.replace_substring_regex(texts, r"\+00:?00$", "Z")
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else with_whole_characters(str(value))
