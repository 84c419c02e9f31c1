"""A first look at an unknown export: what is seen is right, what is not certain is asked, and the mapping works."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.sources.files.build import build_rows
from ingestion.sources.files.errors import FileUnreadable
from ingestion.sources.files.mapping import load_mapping
from ingestion.sources.files.survey import survey_file, survey_folder, write_mapping
from ingestion.sources.files.tabular import read_tabular
from storage.operator_files import OperatorFileError

DEALS = """Deals of March

Deal ID;Deal Name;Stage;Amount;Close Date;Owner;Note
7;Fjord;Won;1.200,50;13.05.2026;Ann;Åse
8;Elv;Lost;900,00;01.06.2026;Bo;

Total
"""


def test_the_mapping_it_writes_reads_the_export(tmp_path: Path) -> None:
    (tmp_path / "deals.csv").write_text(DEALS, encoding="cp1252")
    surveys = survey_folder(tmp_path)
    (tmp_path / "my.yml").write_text(write_mapping("my", surveys), encoding="utf-8")
    mapping = load_mapping(tmp_path / "my.yml")
    file = read_tabular(tmp_path / "deals.csv", mapping.files["file1"].file_format)
    first, second = build_rows(mapping, "files__opportunity", {"file1": file}).to_pylist()
    assert {
        "opportunity_id": "7",
        "amount": "1200.50",
        "close_date": "2026-05-13",
        "owner_id": "Ann",
    }.items() <= first.items()
    assert (second["stage_name"], second["amount"], first["extra_note"]) == ("Lost", "900.00", "Åse")
    assert surveys[0].options == {"encoding": "cp1252", "delimiter": ";", "skip_lines": 2, "skip_last_lines": 1}


def test_what_is_not_certain_is_asked_and_not_mapped(tmp_path: Path) -> None:
    (tmp_path / "deals.csv").write_text("Deal ID,Stage,Amount,Close Date\n1,Won,1.234,3/4/2026\n2,Won,2.500,5/6/2026\n")
    survey = survey_file(tmp_path / "deals.csv")
    assert "close_date" not in survey.columns
    assert any("day_first` or `format: month_first" in text for text in survey.questions)
    assert any("between thousands" in text for text in survey.questions)


def test_a_file_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    (tmp_path / "bad.xlsx").write_bytes(b"no workbook")
    (tmp_path / "calls.csv").write_text("id,caller,callee,started,duration\na,1,2,2026-05-04 10:00,0:03:05\n")
    bad, calls = survey_folder(tmp_path)
    assert not bad.is_readable and "cannot be read as a spreadsheet" in bad.questions[0]
    assert calls.table == "files__call" and calls.columns["talk_seconds"] == {"from": "duration"}


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="No file to look at"):
        survey_folder(tmp_path)


def test_a_key_is_never_guessed(tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_text("from,to,result,duration\n1,2,answered,0:03:05\n1,3,missed,0:00:00\n")
    survey = survey_file(tmp_path / "calls.csv")
    assert "call_leg_id" not in survey.columns
    assert any("What is the call_leg_id" in text for text in survey.questions)
    (tmp_path / "my.yml").write_text(write_mapping("my", [survey]))
    with pytest.raises(OperatorFileError, match="lacks the key call_leg_id"):
        load_mapping(tmp_path / "my.yml")
