"""`salesops query`: what it prints, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.query import ROWS_SHOWN, QueryError, query
from storage.errors import StorageError
from storage.home import Home
from tests.published_sample import publish_run


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("home"))
    publish_run(home)
    return home


EVERYTHING = (
    "select 1 as whole, 12345678901234567890.10::decimal(38, 2) as exact, date '2026-01-05' as day, timestamp '2026-01-05 10:00:00.5' as at, "
    "true as yes, null as nothing, 'a,\"b\"\nc' as text, [1, 2] as list, {'k': 1.50::decimal(4, 2)} as struct, 'nan'::double as nan, "
    "0.1::double as float"
)


def test_a_table_says_how_many_rows_there_are(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    query(home, "select bookings, price from kpi_month")
    printed = capsys.readouterr().out
    assert "bookings" in printed and "1.10" in printed and "1 row." in printed


def test_a_long_answer_is_cut_with_a_hint(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    query(home, "select 'n' || range as n from range(12345)")
    printed = capsys.readouterr().out
    assert f"12,345 rows, the first {ROWS_SHOWN} shown; --csv or --json gives all." in printed
    assert "n99 " in printed and "n100 " not in printed


def test_brackets_in_values_are_no_markup(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    query(home, "select '[red]x[/red]' as \"[bold]name\"")
    printed = capsys.readouterr().out
    assert "[red]x[/red]" in printed and "[bold]name" in printed


def test_csv_has_all_rows_and_exact_values(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    query(home, EVERYTHING, form="csv")
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert row == {
        "whole": "1", "exact": "12345678901234567890.10", "day": "2026-01-05", "at": "2026-01-05T10:00:00.500000", "yes": "true", "nothing": "",
        "text": 'a,"b"\nc', "list": "[1, 2]", "struct": '{"k": "1.50"}', "nan": "", "float": "0.1",
    }  # fmt: skip
    query(home, "from range(25000)", form="csv")
    assert capsys.readouterr().out.count("\n") == 25_001


def test_json_has_all_rows_and_exact_values(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    query(home, EVERYTHING, form="json")
    (row,) = json.loads(capsys.readouterr().out)
    assert row == {
        "whole": 1, "exact": "12345678901234567890.10", "day": "2026-01-05", "at": "2026-01-05T10:00:00.500000", "yes": True, "nothing": None,
        "text": 'a,"b"\nc', "list": [1, 2], "struct": {"k": "1.50"}, "nan": None, "float": 0.1,
    }  # fmt: skip
    query(home, "select 1 where false", form="json")
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize(
    ("sql", "what", "fix"),
    [
        ("select * from marts.kpi_months", "kpi_months does not exist", "Did you mean kpi_month"),
        ("select * from nothing_like_it_at_all", "does not exist", "show tables"),
        ("selec 1", "syntax error", ""),
        ("select bookngs from kpi_month", "bookngs", ""),
        ("", "this is none", "single select"),
        ("select 1; select 2", "this is 2", "single select"),
        ("create table x as select 1", "CREATE", "Give a select"),
        ("set lock_configuration = false", "SET", "Give a select"),
        ("attach '{file}' as other", "ATTACH", "Give a select"),
        ("copy kpi_month to '{file}'", "COPY", "Give a select"),
        ("explain analyze copy kpi_month to '{file}'", "EXPLAIN", ""),
        ("select * from read_text('{secret}')", "disabled", ""),
        ("select * from '{secret}'", "disabled", ""),
        ("select * from read_parquet('{parquet}')", "disabled", ""),
        ("select * from glob('{secret}')", "disabled", ""),
        ("select * from published", "does not exist", ""),  # a Python variable of that name is at hand
    ],
)
def test_what_it_cannot_or_must_not_do_is_one_clear_message(
    home: Home, tmp_path: Path, sql: str, what: str, fix: str
) -> None:
    secret, file = tmp_path / "secret.csv", tmp_path / "written"
    secret.write_text("secret\n1\n")
    parquet = home.published / "parquet/kpi_month.parquet"
    with pytest.raises(QueryError) as error:
        query(home, sql.format(file=file, secret=secret, parquet=parquet))
    assert what in error.value.what and "\n" not in error.value.what
    assert fix in error.value.fix
    assert not file.exists()


def test_the_statement_comes_from_standard_input_and_nothing_published_is_an_error(home: Home, tmp_path: Path) -> None:
    environment = {"SALESOPS_HOME": str(home.root)}
    done = CliRunner().invoke(
        app, ["query", "--csv", "-"], input="select line_id\nfrom commission_lines", env=environment
    )
    assert (done.exit_code, done.stdout) == (0, "line_id\nL1\n")
    with pytest.raises(StorageError, match="cannot be opened"):
        query(Home(tmp_path), "select 1")


def test_a_user_who_may_not_read_pay_gets_the_rest(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("storage.warehouse.os.access", lambda path, mode: "restricted" not in str(path))
    query(home, "select bookings from kpi_month", form="csv")
    assert capsys.readouterr().out == "bookings\n5\n"
    with pytest.raises(QueryError, match="commission_lines does not exist"):
        query(home, "from commission_lines")
    from storage.warehouse import open_published

    with pytest.raises(StorageError, match="about pay cannot be read"):
        open_published(home, needs_pay=True)


def test_a_question_changes_no_file(home: Home) -> None:
    before = {path: path.read_bytes() for path in home.published.rglob("*") if path.is_file()}
    query(home, "select * from fct_activities")
    assert {path: path.read_bytes() for path in home.published.rglob("*") if path.is_file()} == before


def test_explain_cannot_write_into_the_set(tmp_path: Path) -> None:
    home = Home(tmp_path)
    publish_run(home)
    file = (home.published / "salesops.duckdb").resolve()
    before = file.read_bytes()
    with pytest.raises(QueryError, match="EXPLAIN"):
        query(home, f"explain analyze copy (select 'x' as a) to '{file}' (use_tmp_file false)")
    assert file.read_bytes() == before
