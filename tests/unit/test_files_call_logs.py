"""What call logs in files need of a mapping: no header row, times of day past midnight, repeated rows, phone numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.sources.files.build import build_rows
from ingestion.sources.files.errors import FileUnreadable, MappingError
from ingestion.sources.files.mapping import Mapping, load_mapping
from ingestion.sources.files.tabular import read_tabular
from storage.operator_files import OperatorFileError

MAPPING = """
version: 1
timezone: Asia/Jerusalem
phone_region: IL
files:
  log: {path: log.csv, columns: [id, day, start, answer, caller], blank_values: ["0:00:00"]}
objects:
  files__call:
    source: log
    repeated_rows: once
    columns:
      call_leg_id: id
      from_number: caller
      started_at: {template: "{day} {start}", format: "%y%m%d %H:%M:%S"}
      answered_at: {template: "{day} {answer}", format: "%y%m%d %H:%M:%S", not_before: started_at}
"""
LOG = """7,990215,23:59:54,0:00:26,02-623 4567
8,990215,9:00:00,0:00:00,client1
8,990215,9:00:00,0:00:00,client1
9,990215,9:00:01,9:00:01,
"""


def mapped(tmp_path: Path, log: str = LOG, *changes: tuple[str, str]) -> tuple[Mapping, list[dict[str, str | None]]]:
    text = MAPPING
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "my_log.yml").write_text(text, encoding="utf-8")
    (tmp_path / "log.csv").write_text(log, encoding="utf-8")
    mapping = load_mapping(tmp_path / "my_log.yml")
    file = read_tabular(tmp_path / "log.csv", mapping.files["log"].file_format)
    rows: list[dict[str, str | None]] = build_rows(mapping, "files__call", {"log": file}).to_pylist()
    return mapping, rows


def test_a_file_without_header_row_loses_no_line_and_midnight_passes(tmp_path: Path) -> None:
    _, rows = mapped(tmp_path)
    assert [(row["call_leg_id"], row["started_at"], row["answered_at"]) for row in rows] == [
        ("7", "1999-02-15T21:59:54.000Z", "1999-02-15T22:00:26.000Z"),
        ("8", "1999-02-15T07:00:00.000Z", None),
        ("8", "1999-02-15T07:00:00.000Z", None),
        ("9", "1999-02-15T07:00:01.000Z", "1999-02-15T07:00:01.000Z"),
    ]


def test_numbers_are_read_in_the_mappings_country_and_kept_as_they_came(tmp_path: Path) -> None:
    _, rows = mapped(tmp_path)
    assert [(row["from_number"], row["extra_caller"]) for row in rows] == [
        ("+97226234567", "02-623 4567"),
        ("client1", "client1"),
        ("client1", "client1"),
        (None, None),
    ]


def test_a_time_that_cannot_be_read_stays_for_the_contract_to_set_aside(tmp_path: Path) -> None:
    _, rows = mapped(tmp_path, LOG.replace("9:00:01,9:00:01", "9:00:01,25:00:01"))
    assert rows[-1]["answered_at"] == "990215 25:00:01"


def test_rows_that_share_a_key_and_differ_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="call_leg_id is not unique"):
        mapped(tmp_path, LOG.replace("8,990215,9:00:00,0:00:00,client1\n8", "8,990215,9:00:00,0:00:00,client2\n8"))
    with pytest.raises(MappingError, match="call_leg_id is not unique"):
        mapped(tmp_path, LOG, ("    repeated_rows: once\n", ""))


def test_a_line_with_another_number_of_fields_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match=r"Line 1 of log\.csv has 4 fields, but its mapping names 5 columns"):
        mapped(tmp_path, "7,990215,23:59:54,0:00:26\n")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("not_before: started_at", "not_before: ended_at", "must both be mapped timestamps"),
        (
            "from_number: caller",
            "from_number: {from: caller, not_before: started_at}",
            "must both be mapped timestamps",
        ),
        ("phone_region: IL", "phone_region: XX", "'XX' is no country"),
        ("[id, day, start, answer, caller]", "[id, day, id, answer, caller]", "'id' is named more than once"),
        ("repeated_rows: once", "repeated_rows: twice", "repeated_rows"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(OperatorFileError, match=said):
        mapped(tmp_path, LOG, (old, new))
