"""Loads held against their rules by Great Expectations."""

from __future__ import annotations

import re
import subprocess
import sys

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingestion.contracts import Checked, LakeTable, LoadCheck, Rule, judging, rules
from ingestion.contracts.judging import find_broken
from ingestion.contracts.rules import row_count
from ingestion.contracts.suspects import find_suspects
from ingestion.sources.tables import rules_for

GOOD = {
    "Id": "006000000000001AAA",
    "SystemModstamp": "2026-01-05T10:00:00.000Z",
    "CreatedDate": "2026-01-05T10:00:00.000Z",
    "StageName": "Proposal",
    "Amount": "1200.50",
    "CurrencyIsoCode": "USD",
    "CloseDate": "2026-02-27",
    "IsClosed": "false",
    "IsWon": "false",
}
TABLE = "salesforce__opportunity"
STAGES = {"stages": ["Proposal", "Closed Won"]}


def known(table: str) -> LakeTable:
    return LakeTable(table, (), rules=rules_for(table))


def check(table: str, rows: pa.Table, allowed_values: dict[str, list[str]] | None = None) -> tuple[pa.Array, Checked]:
    load = LoadCheck(known(table), allowed_values=allowed_values)
    broken = load.check_rows(rows)
    return broken, load.finish({rule.name: 0 for rule in load.load_rules})


def table_of(*rows: dict[str, str | None]) -> pa.Table:
    return pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in rows[0]})


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({}, None),
        ({"Amount": None}, None),
        ({"Amount": "NA"}, "amount_is_decimal"),
        ({"Id": None}, "id_is_required"),
        ({"CloseDate": "2026-02-30", "IsWon": "1"}, "close_date_is_date;is_won_is_boolean"),
        ({"SystemModstamp": "yesterday"}, "system_modstamp_is_timestamp"),
    ],
    ids=lambda value: str(value),
)
def test_a_row_is_set_aside_with_every_rule_it_breaks(change: dict[str, str | None], broken: str | None) -> None:
    reasons, checked = check(TABLE, table_of(GOOD, {**GOOD, **change}, GOOD), allowed_values=STAGES)
    assert reasons.to_pylist() == [None, broken, None]
    assert not checked.fatal
    assert sum(checked.rules.values()) == (broken.count(";") + 1 if broken else 0)


def test_an_unknown_stage_lands_with_a_warning_that_names_it() -> None:
    reasons, checked = check(TABLE, table_of(GOOD, {**GOOD, "StageName": "Dreaming"}), allowed_values=STAGES)
    (violation,) = checked.warnings
    assert not checked.fatal
    assert "'Dreaming'" in violation.message
    assert TABLE in violation.message
    assert "config/stages.yml" in violation.fix
    assert reasons.null_count == 2


def test_stages_are_not_judged_without_a_stage_map() -> None:
    _, checked = check(TABLE, table_of({**GOOD, "StageName": "Dreaming"}))
    assert not checked.fatal
    assert "stage_name_is_known" not in checked.rules


def test_a_missing_key_column_is_fatal() -> None:
    _, checked = check(TABLE, table_of(GOOD).drop_columns(["Id"]), allowed_values=STAGES)
    assert [violation.rule for violation in checked.fatal] == ["id_is_required"]
    assert "no column Id" in checked.fatal[0].message


def test_an_unknown_lead_status_only_warns() -> None:
    lead = {"Id": GOOD["Id"], "SystemModstamp": GOOD["SystemModstamp"], "CreatedDate": GOOD["CreatedDate"], "OwnerId": "005000000000001AAA",
            "Status": "Asleep"}  # fmt: skip
    reasons, checked = check("salesforce__lead", table_of(lead), allowed_values={"lead_statuses": ["New"]})
    assert [violation.rule for violation in checked.warnings] == ["status_is_known"]
    assert reasons.null_count == 1


def test_rules_are_held_over_all_batches_of_a_load() -> None:
    load = LoadCheck(known(TABLE), allowed_values=STAGES)
    for amount in ("1", "NA", "many"):
        load.check_rows(table_of({**GOOD, "Amount": amount}, {**GOOD, "StageName": "Dreaming"}))
    checked = load.finish({})
    assert (checked.rules["amount_is_decimal"], checked.rules["stage_name_is_known"]) == (2, 3)
    amount_rule = next(violation for violation in checked.violations if violation.rule == "amount_is_decimal")
    assert amount_rule.samples == ("aa", "aaaa")
    assert "6 rows" in amount_rule.message


@pytest.mark.parametrize(("rows", "is_refused"), [(0, True), (1, False), (2, False), (3, True)])
def test_a_load_may_bring_only_a_plausible_number_of_rows(rows: int, is_refused: bool) -> None:
    load = LoadCheck(
        LakeTable("custom__thing", ("a",)), more_rules=[row_count(at_least=1, at_most=2, fix="Look at the source.")]
    )
    load.check_rows(pa.table({"a": ["x"] * rows}))
    assert [violation.fix for violation in load.finish({"row_count_is_plausible": rows}).fatal] == [
        "Look at the source."
    ] * is_refused


def test_the_later_day_is_held_against_the_earlier_one_where_both_are_there() -> None:
    absence: dict[str, str | None] = {"employee_id": "E1", "start_date": "2026-01-05", "end_date": "2026-01-05"}
    reasons, _ = check(
        "feed__absences", table_of(absence, {**absence, "end_date": "2026-01-04"}, {**absence, "end_date": None})
    )
    assert reasons.to_pylist() == [None, "end_date_is_not_before_start_date", "end_date_is_required"]


def test_warnings_name_no_values_of_persons() -> None:
    message = {
        "message_key": "1",
        "mailbox": "a@b.example",
        "message_id": "<1>",
        "from_address": "jane.doe",
        "date": "2026-01-05T10:00:00Z",
    }
    _, checked = check("mail__message", table_of(message))
    assert [violation.rule for violation in checked.warnings] == ["from_address_is_mail_address"]
    assert "jane.doe" not in checked.warnings[0].message
    assert checked.warnings[0].samples == ("aaaa.aaa",)


def test_tables_that_we_write_ourselves_have_no_rules() -> None:
    reasons, checked = check("settings__org", pa.table({"a": [1, 2]}))
    assert reasons.null_count == 2
    assert checked.rules == {}


# Every way of looking at a row that a rule of any table has.
ROW_RULES = [
    *(
        rules.matches("a", pattern, name.lower())
        for name, pattern in vars(rules).items()
        if name.isupper() and isinstance(pattern, str) and name[0] != "_"
    ),
    rules.matches("a", r".*[1-9].*", "above_zero"),
    rules.required("a"),
    Rule("a_is_missing", "warn", ("a",), "ExpectColumnValuesToBeNull"),
    rules.boolean_text("a"),
    rules.one_of("a", "stages", fix=""),
    rules.not_before("a", "b"),
]
TEXTS = (
    *(
        "2026-02-28",
        "2026-02-30",
        "2024-02-29T10:00:00.000Z",
        "2025-01-05 23:59:59+0100",
        "Mon, 05 Jan 2026 09:00:00 +0000",
    ),
    *(
        "006000000000001AAA",
        "006000000000001",
        "-1",
        "+1.5e3",
        "1.",
        ".5",
        "\u0663",
        "true",
        "USD",
        "Won",
        "NA",
        "",
        " ",
        "USD\n",
        "\nUSD",
    ),
    *("USD\nUSD", "a@b", "a\x0b@b", "a\u2003@b", "+4930123456"),
)


@given(
    values=st.lists(
        st.none() | st.sampled_from(TEXTS) | st.text("0123456789-+:.TZeE @aUSD\n\x0b\u0663\u00e9", max_size=8),
        max_size=3,
    )
)
@example(values=["USD\nUSD"])  # as lines, both would pass
@settings(deadline=None)
def test_arrow_reads_patterns_as_python_does(values: list[str | None]) -> None:
    rows = pa.table({"a": pa.array(values, pa.string())})
    for rule in ROW_RULES:
        if rule.pattern:
            others = [
                number
                for number, value in enumerate(values)
                if value is not None and not re.fullmatch(rule.pattern, value)
            ]
            assert find_suspects(rows, rule, ()).tolist() == others, rule.name


def test_the_first_look_finds_the_very_rows_that_great_expectations_says_are_broken() -> None:
    values = [None, *TEXTS]
    rows = pa.table({"a": pa.array(values, pa.string()), "b": pa.array(values[::-1], pa.string())})
    allowed = {"stages": ["Won", "2026-02-28"]}
    suspects = [find_suspects(rows, rule, judging.allowed_words(rule, allowed)).tolist() for rule in ROW_RULES]
    assert suspects == judging.judge(rows, ROW_RULES, allowed)


def test_a_mail_address_has_no_blank_that_python_knows() -> None:
    rows = pa.table({"a": [f"a{chr(code)}@b" for code in range(0x3100)]})
    suspects = find_suspects(rows, rules.matches("a", rules.MAIL_ADDRESS, "mail_address"), ())
    assert suspects.tolist() == [code for code in range(0x3100) if chr(code).isspace() or chr(code) == "@"]


def test_a_rule_that_the_first_look_does_not_know_goes_to_great_expectations() -> None:
    is_short = Rule("a_is_short", "row", ("a",), "ExpectColumnValueLengthsToBeBetween", {"max_value": 3})
    broken = find_broken(pa.table({"a": ["abc", None, "abcd", "abcd"]}), [is_short, rules.required("a")], {})
    assert [positions.tolist() for positions in broken] == [[2, 3], [1]]


def test_a_clean_load_does_not_even_import_great_expectations() -> None:
    code = f"""
import sys, pyarrow as pa
from ingestion.contracts import LoadCheck
from ingestion.sources.salesforce.objects import find_object
load = LoadCheck(find_object("Opportunity").lake_table, allowed_values={STAGES!r})
assert load.check_rows(pa.Table.from_pylist([{GOOD!r}])).null_count == 1 and not load.finish({{}}).violations
print("great_expectations" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "False\n", done.stderr
