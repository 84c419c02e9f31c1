"""Values of an export through a mapping: a value's own word counts, and a refusal names a key that then works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.sources.files.build import build_rows
from ingestion.sources.files.errors import MappingError
from ingestion.sources.files.mapping import load_mapping
from ingestion.sources.files.numbers import CANONICAL_DECIMAL, CANONICAL_WHOLE, to_decimal_text, to_integer_text
from ingestion.sources.files.tabular import read_tabular

Rows = list[dict[str, str | None]]


def mapped(tmp_path: Path, table: str, columns: str, content: str, *, rest: str = "timezone: Europe/Oslo") -> Rows:
    text = f"version: 1\n{rest}\nfiles: {{export: {{path: export.csv, delimiter: ';'}}}}\nobjects:\n  {table}:\n    source: export\n    columns:\n"
    (tmp_path / "export.yml").write_text(text + "".join(f"      {line}\n" for line in columns.splitlines()))
    (tmp_path / "export.csv").write_text(content, encoding="utf-8")
    mapping = load_mapping(tmp_path / "export.yml")
    file = read_tabular(tmp_path / "export.csv", mapping.files["export"].file_format)
    rows: Rows = build_rows(mapping, table, {"export": file}).to_pylist()
    return rows


def column(rows: Rows, name: str) -> list[str | None]:
    return [row[name] for row in rows]


def test_calls_on_both_nights_of_the_clock_change_last_what_they_lasted(tmp_path: Path) -> None:
    rows = mapped(
        tmp_path,
        "files__call",
        'call_leg_id: id\nstarted_at: {concat: [day, start], format: "%Y-%m-%d %H:%M:%S"}\n'
        'ended_at: {concat: [day, end], format: "%Y-%m-%d %H:%M:%S", not_before: started_at}',
        "id;day;start;end\n1;2025-10-26;02:58:00;02:03:00\n2;2025-10-25;23:58:00;00:03:00\n3;2026-03-29;23:58:00;00:03:00\n"
        "4;2025-10-26;23:58:00;00:03:00\n5;2025-10-26;02:58:00;03:03:00\n6;2026-03-29;01:58:00;03:03:00\n",
    )
    assert [(row["started_at"], row["ended_at"]) for row in rows] == [
        ("2025-10-26T00:58:00.000Z", "2025-10-26T01:03:00.000Z"),
        ("2025-10-25T21:58:00.000Z", "2025-10-25T22:03:00.000Z"),
        ("2026-03-29T21:58:00.000Z", "2026-03-29T22:03:00.000Z"),
        ("2025-10-26T22:58:00.000Z", "2025-10-26T23:03:00.000Z"),
        ("2025-10-26T01:58:00.000Z", "2025-10-26T02:03:00.000Z"),
        ("2026-03-29T00:58:00.000Z", "2026-03-29T01:03:00.000Z"),
    ]


def test_a_call_over_the_repeated_hour_ends_after_it_began(tmp_path: Path) -> None:
    rows = mapped(
        tmp_path,
        "files__call",
        "call_leg_id: id\nstarted_at: start\nended_at: end",
        "id;start;end\n1;2025-10-26 02:58:00;2025-10-26 02:03:00\n2;2025-10-26 09:00:00;2025-10-26 08:00:00\n",
    )
    assert column(rows, "ended_at") == ["2025-10-26T01:03:00.000Z", "2025-10-26T07:00:00.000Z"]


def test_a_sign_in_the_value_beats_the_currency_that_is_only_a_default(tmp_path: Path) -> None:
    rows = mapped(
        tmp_path,
        "files__opportunity",
        'opportunity_id: id\namount: {from: value, currency_signs: {"$": USD, "€": EUR}}\ncurrency: {constant: USD}',
        "id;value\n1;$5\n2;6 €\n3;7\n4;£8\n",
    )
    assert column(rows, "amount") == ["5", "6", "7", "£8"]
    assert column(rows, "currency") == ["USD", "EUR", "USD", "USD"]
    assert column(rows, "extra_value") == ["$5", "6 €", "7", "£8"]


def test_a_sign_that_contradicts_its_rows_currency_is_not_read(tmp_path: Path) -> None:
    rows = mapped(
        tmp_path,
        "files__opportunity",
        'opportunity_id: id\namount: {from: value, currency_signs: {"$": USD, "€": EUR}}\ncurrency: code',
        "id;value;code\n1;$5;USD\n2;€6;USD\n3;€7;\n",
    )
    assert [(row["amount"], row["currency"]) for row in rows] == [("5", "USD"), ("€6", "USD"), ("7", "EUR")]


def test_blanks_around_a_key_are_no_part_of_it(tmp_path: Path) -> None:
    rows = mapped(
        tmp_path,
        "files__opportunity",
        "opportunity_id: id\nowner_id: owner\nopportunity_name: name",
        "id;owner;name\n 1 ;a\u00a0; x \n2;  ;y\n",
    )
    assert [(row["opportunity_id"], row["owner_id"], row["opportunity_name"]) for row in rows] == [
        ("1", "a", " x "),
        ("2", None, "y"),
    ]


def test_a_template_takes_column_names_with_colons(tmp_path: Path) -> None:
    rows = mapped(
        tmp_path, "files__opportunity", 'opportunity_id: {template: "{Start: day}/{n!r}"}', "Start: day;n!r\n1;2\n3;4\n"
    )
    assert column(rows, "opportunity_id") == ["1/2", "3/4"]


@pytest.mark.parametrize(
    ("table", "name", "values", "keys", "expected"),
    [
        ("files__call", "talk_seconds", ["3:05", "61:10"], 'format: "m:ss"', ["185", "3670"]),
        ("files__opportunity", "amount", ["1.234,50", "900,00"], 'decimal_mark: ","', ["1234.50", "900.00"]),
        ("files__opportunity", "amount", ["1 234,50", "900,00"], 'thousands_mark: " "', ["1234.50", "900.00"]),
        ("files__opportunity", "amount", ["12,34,567", "1,234"], "grouping: indian", ["1234567", "1234"]),
        ("files__opportunity", "amount", ["€1.5", "€2"], 'currency_signs: {"€": EUR}', ["1.5", "2"]),
        ("files__opportunity", "amount", ["(1.5)", "2,000"], "negative: parentheses", ["-1.5", "2000"]),
        ("files__opportunity", "close_date", ["13/04/2026", "1/5/2026"], "day_first", ["2026-04-13", "2026-05-01"]),
        ("files__opportunity", "close_date", ["04/13/2026", "1/5/2026"], "month_first", ["2026-04-13", "2026-01-05"]),
        ("files__opportunity", "close_date", ["46146", "46147"], "excel_serial", ["2026-05-04", "2026-05-05"]),
        ("files__opportunity", "close_date", ["3 Mar 2026", "4 May 2026"], "%d %b %Y", ["2026-03-03", "2026-05-04"]),
    ],
    ids=lambda value: value if isinstance(value, str) and ":" in value else None,
)
def test_the_remedy_that_a_refusal_names_works(
    tmp_path: Path, table: str, name: str, values: list[str], keys: str, expected: list[str]
) -> None:
    key = {"files__call": "call_leg_id", "files__opportunity": "opportunity_id"}[table]
    content = "id;v\n" + "".join(f"{number};{value}\n" for number, value in enumerate(values))
    with pytest.raises(MappingError, match="none of 2 values reads") as caught:
        mapped(tmp_path, table, f"{key}: id\n{name}: v", content)
    assert keys in caught.value.fix
    remedies = re.findall("`([^`]+)`", caught.value.fix)
    read = [
        column(mapped(tmp_path, table, f"{key}: id\n{name}: {{from: v, {keys}}}", content), name) for keys in remedies
    ]
    assert expected in read


def test_what_can_be_read_in_two_ways_is_asked_and_not_chosen(tmp_path: Path) -> None:
    with pytest.raises(MappingError) as caught:
        mapped(tmp_path, "files__opportunity", "opportunity_id: id\nclose_date: d", "id;d\n1;3/4/2026\n2;1/5/2026\n")
    assert "`format: day_first`; or `format: month_first`" in caught.value.fix


def test_column_names_are_found_in_any_case_and_told_apart_by_numbers(tmp_path: Path) -> None:
    header = "ID; Deal  Name ;Amount;Amount;;select;_load_id;amount (3)"
    columns = "opportunity_id: id\nopportunity_name: deal name\namount: amount (2)"
    rows = mapped(tmp_path, "files__opportunity", columns, f"{header}\n1;x;10;20;y;s;l;z\n2;x;10;30;y;s;l;z\n")
    assert column(rows, "amount") == ["20", "30"]
    assert len({name.lower() for name in rows[0]}) == len(rows[0]) == 8
    assert {"10", "y", "s", "l", "z"} <= set(rows[0].values())


def test_a_name_that_two_columns_have_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="names the column 'Amount'") as caught:
        mapped(tmp_path, "files__opportunity", "opportunity_id: Id\namount: Amount", "Id;Amount;Amount\n1;2;3\n")
    assert "Amount (1), Amount (2)" in caught.value.fix


@given(st.from_regex(CANONICAL_DECIMAL, fullmatch=True), st.from_regex(CANONICAL_WHOLE, fullmatch=True))
def test_text_that_is_not_converted_is_what_the_conversion_would_give(number: str, whole: str) -> None:
    assert (to_decimal_text(number), to_integer_text(whole)) == (number, whole)


@settings(deadline=None)
@given(st.lists(st.text("aA bB_.;\"'%{}ø0", max_size=6), min_size=2, max_size=6))
def test_no_name_that_a_source_chooses_loses_a_value(
    tmp_path_factory: pytest.TempPathFactory, header: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("export")
    header = [name for name in header if name.strip(" ") != "Key"]
    line = ";".join(f'"{name.replace(chr(34), chr(34) * 2)}"' for name in ["Key", *header])
    values = [f"v{number}" for number in range(len(header))]
    rows = mapped(folder, "files__account", "account_id: Key", f"{line}\n{';'.join(['k', *values])}\n")
    assert sorted(value for name, value in rows[0].items() if name != "account_id" and value) == sorted(values)
    assert len({name.lower() for name in rows[0]}) == len(rows[0])
