"""Salesforce's records as text columns: the same from REST's JSON and from Bulk's CSV, in pieces of any size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from ingestion.sources.salesforce.client import Field
from ingestion.sources.salesforce.rows import BLOCK_BYTES, CsvText, read_csv, table_of_records
from ingestion.sources.unicode_text import with_valid_utf8

FIELDS = [Field("Id", "id"), Field("IsWon", "boolean"), Field("Amount", "currency"), Field("Name", "string"), Field("SystemModstamp", "datetime"),
          Field("NewValue", "anyType"), Field("Visits", "int")]  # fmt: skip


def parse_csv(content: bytes, fields: Sequence[Field], piece: int = 1 << 20) -> pa.Table:
    with read_csv(CsvText(content[start : start + piece] for start in range(0, len(content), piece)), fields) as reader:
        return reader.read_all()


def test_both_apis_give_the_same_text() -> None:
    names = [field.name for field in FIELDS]
    values: list[list[Any]] = [
        ["006000000000001AAA", True, "1200.50", 'line\none, "two"', "2026-01-05T10:00:00.000+0000", False, 3],
        ["006000000000002AAA", False, None, "NA", "2026-01-05T10:00:00.000+0000", "null", 0],
        ["006000000000003AAA", None, "-0.5", "", None, None, None],
    ]
    by_rest = table_of_records([{"attributes": {}, **dict(zip(names, row, strict=True))} for row in values], FIELDS)
    csv_text = (
        '"Id","IsWon","Amount","Name","SystemModstamp","NewValue","Visits"\n'
        '"006000000000001AAA","true","1200.50","line\none, ""two""","2026-01-05T10:00:00.000Z","false","3"\n'
        '"006000000000002AAA","false","","NA","2026-01-05T10:00:00.000Z","null","0"\n'
        '"006000000000003AAA","","-0.5","","","",""\n'
    )
    by_bulk = parse_csv(csv_text.encode(), FIELDS)
    assert by_rest.equals(by_bulk)
    assert by_bulk.column("Name").to_pylist() == ['line\none, "two"', "NA", None]
    assert set(by_bulk.schema.types) == {pa.string()}


def test_an_empty_result_has_the_fields_as_columns() -> None:
    names = [field.name for field in FIELDS]
    empty = parse_csv((",".join(f'"{name}"' for name in names) + "\n").encode(), FIELDS)
    assert (empty.num_rows, empty.column_names) == (0, names)


def test_a_value_larger_than_a_block_is_read() -> None:
    text = "x" * (BLOCK_BYTES + 1)
    assert parse_csv(f'"Id","Name"\n"1","{text}"\n'.encode(), [Field("Id", "id"), Field("Name", "textarea")]).column(
        "Name"
    ).to_pylist() == [text]


def test_newlines_within_values_do_not_end_a_row_wherever_a_block_ends() -> None:
    value = "first\nsecond\n" * 60
    rows = "".join(f'"{number}","{value}"\n' for number in range(12_000))
    table = parse_csv(f'"Id","Name"\n{rows}'.encode(), [Field("Id", "id"), Field("Name", "textarea")])
    assert len(rows) > 2 * BLOCK_BYTES
    assert table.column("Id").to_pylist() == [str(number) for number in range(12_000)]
    assert set(table.column("Name").to_pylist()) == {value}


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_pieces_of_any_size_are_one_text_without_nul_bytes(piece: int) -> None:
    content = b'"Id","Name"\n"1","a \x00""b""\n\x00"\n"2","\x00"\n'
    assert parse_csv(content, [Field("Id", "id"), Field("Name", "string")], piece).to_pylist() == [
        {"Id": "1", "Name": 'a "b"\n'},
        {"Id": "2", "Name": None},
    ]


@pytest.mark.parametrize(
    ("end", "is_cut_off"), [("", False), ("\n", False), ('"', True), (",", True), (',"', True), ('\n"3","a\nb', True)]
)
def test_text_that_ends_within_a_row_is_known(end: str, is_cut_off: bool) -> None:
    content = f'"Id","Name"\n"1","a"\n"2","b"{end}'.encode()
    text = CsvText(iter([content[:9], content[9:]]))
    while text.read(10):
        pass
    assert text.is_cut_off == is_cut_off


@pytest.mark.parametrize(
    ("sent", "landed"), [("cut \ud83d", "cut \ufffd"), ("\ude00 begun", "\ufffd begun"), ("\U0001f600", "\U0001f600")]
)
def test_half_an_emoji_lands_as_the_replacement_character(sent: str, landed: str) -> None:
    records = [{"Id": "1", "Name": sent, "IsWon": True}, {"Id": "2", "Name": "whole", "IsWon": False}]
    table = table_of_records(records, [Field("Id", "id"), Field("Name", "string"), Field("IsWon", "boolean")])
    assert table.to_pylist() == [
        {"Id": "1", "Name": landed, "IsWon": "true"},
        {"Id": "2", "Name": "whole", "IsWon": "false"},
    ]


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_bytes_that_are_no_utf_8_become_replacement_characters_wherever_a_piece_ends(piece: int) -> None:
    content = '"Id","Name"\n"1","grün \U0001f600"\n"2","cut '.encode() + b'\xed\xa0\xbd"\n"3","\xc3"\n'
    mended = b"".join(with_valid_utf8(content[start : start + piece] for start in range(0, len(content), piece)))
    assert parse_csv(mended, [Field("Id", "id"), Field("Name", "string")]).column("Name").to_pylist() == [
        "grün \U0001f600",
        "cut \ufffd\ufffd\ufffd",
        "\ufffd",
    ]
