from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from simulation.servers.errors import SalesforceError
from simulation.servers.queries import render_csv, render_json, select_rows
from simulation.servers.soql import parse_soql
from simulation.servers.state import CompanyState
from tests.servers_sample import CLOCK, LEADS, set_clock, write_company

Row = dict[str, Any]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> CompanyState:
    return CompanyState(write_company(tmp_path_factory.mktemp("simulation")))


def ask(state: CompanyState, soql: str, with_deleted: bool = False) -> list[Row]:
    rows = render_json(state, select_rows(state, parse_soql(soql), with_deleted), "/services/data/v66.0")
    return [json.loads(row) for row in rows]


@pytest.fixture(scope="module")
def leads(state: CompanyState) -> list[Row]:
    columns = (
        "Id, IsDeleted, SystemModstamp, LastName, Company, Email, NumberOfEmployees, Status, OwnerId, ConvertedDate"
    )
    return ask(state, f"SELECT {columns} FROM Lead", with_deleted=True)


CONDITIONS: list[tuple[str, Callable[[Row], bool]]] = [
    ("Status = 'nEW'", lambda lead: lead["Status"] == "New"),
    ("Company != 'Company 1'", lambda lead: lead["Company"] != "Company 1"),
    ("Company = null", lambda lead: lead["Company"] is None),
    ("Company != null", lambda lead: lead["Company"] is not None),
    ("Company IN ('company 1', 'Company 2')", lambda lead: lead["Company"] in ("Company 1", "Company 2")),
    ("Company NOT IN ('Company 1')", lambda lead: lead["Company"] != "Company 1"),
    ("Email LIKE 'LEAD1%@example.com'", lambda lead: (lead["Email"] or "").startswith("lead1")),
    (r"Email LIKE 'lead\_%'", lambda lead: False),
    ("LastName LIKE 'O\\'Brien%'", lambda lead: lead["LastName"].startswith("O'Brien")),
    ("NumberOfEmployees >= 98", lambda lead: (lead["NumberOfEmployees"] or 0) >= 98),
    ("NOT NumberOfEmployees >= 98", lambda lead: (lead["NumberOfEmployees"] or 0) < 98),
    (
        "NumberOfEmployees < 3 AND (Status = 'New' OR Company = null)",
        lambda lead: _is_small(lead) and (lead["Status"] == "New" or not lead["Company"]),
    ),
    ("IsDeleted = TRUE", lambda lead: lead["IsDeleted"]),
    ("ConvertedDate = 2026-01-04", lambda lead: lead["ConvertedDate"] == "2026-01-04"),
    (
        "SystemModstamp >= 2026-01-01T00:01:40Z AND SystemModstamp < 2026-01-01T00:03:20Z",
        lambda lead: "2026-01-01T00:01:40" <= lead["SystemModstamp"] < "2026-01-01T00:03:20",
    ),
    ("OwnerId = '0055g0000000001AAA'", lambda lead: lead["OwnerId"] == "0055g0000000001AAA"),
    ("OwnerId = '0055g0000000001'", lambda lead: lead["OwnerId"] == "0055g0000000001AAA"),
    ("OwnerId = '0055G0000000001AAA'", lambda lead: False),
]


def _is_small(lead: Row) -> bool:
    return lead["NumberOfEmployees"] is not None and lead["NumberOfEmployees"] < 3


@pytest.mark.parametrize(("condition", "oracle"), CONDITIONS, ids=[condition for condition, _ in CONDITIONS])
def test_a_condition_selects_what_plain_python_selects(
    state: CompanyState, leads: list[Row], condition: str, oracle: Callable[[Row], bool]
) -> None:
    found = [row["Id"] for row in ask(state, f"SELECT Id FROM Lead WHERE {condition}", with_deleted=True)]

    assert found == [lead["Id"] for lead in leads if oracle(lead)]


def test_query_hides_deleted_records_and_query_all_shows_them(state: CompanyState, leads: list[Row]) -> None:
    assert len(leads) == LEADS
    assert len(ask(state, "SELECT Id FROM Lead")) == LEADS - LEADS // 50


def test_order_puts_nulls_first_by_default(state: CompanyState, leads: list[Row]) -> None:
    first = ask(state, "SELECT NumberOfEmployees FROM Lead ORDER BY NumberOfEmployees DESC LIMIT 1")
    last = ask(state, "SELECT NumberOfEmployees FROM Lead ORDER BY NumberOfEmployees DESC NULLS LAST LIMIT 1")

    assert first[0]["NumberOfEmployees"] is None
    assert last[0]["NumberOfEmployees"] == 99


def test_limit_and_offset_cut_the_order(state: CompanyState, leads: list[Row]) -> None:
    rows = ask(state, "SELECT Id FROM Lead ORDER BY Id DESC LIMIT 3 OFFSET 2", with_deleted=True)

    assert [row["Id"] for row in rows] == [lead["Id"] for lead in reversed(leads)][2:5]


@pytest.mark.parametrize(
    ("clock", "lead_1", "lead_2", "lead_3"),
    [
        (datetime(2026, 1, 4, tzinfo=UTC), "Zoë", "line\nbreak", "NA"),
        (CLOCK, "Changed", "line\nbreak", "NA"),
        (datetime(2026, 2, 1, tzinfo=UTC), "Changed", "Future", "NA"),
    ],
    ids=["before the change", "now", "later"],
)
def test_the_newest_visible_version_by_stamp_holds(
    tmp_path: Path, clock: datetime, lead_1: str, lead_2: str, lead_3: str
) -> None:
    write_company(tmp_path, leads=5)
    state = CompanyState(tmp_path)
    set_clock(tmp_path, datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC))
    assert len(ask(state, "SELECT Id FROM Lead")) == 1

    set_clock(tmp_path, clock)

    assert [row["LastName"] for row in ask(state, "SELECT LastName FROM Lead ORDER BY Id LIMIT 3")] == [
        lead_1,
        lead_2,
        lead_3,
    ]


def test_csv_quotes_every_value_and_writes_null_as_empty(state: CompanyState) -> None:
    soql = "SELECT Id, LastName, Company, NumberOfEmployees, IsDeleted, SystemModstamp, ConvertedDate FROM Lead WHERE Id IN ('00Q5g0000000030AAA')"
    text = "".join(
        line
        for batch in render_csv(state, select_rows(state, parse_soql(soql), False), ",", "\n")
        for line in batch.to_pylist()
    )

    assert text == '"00Q5g0000000030AAA","O\'Brien, ""Bob""","","","false","2026-01-01T00:00:30.000Z","2026-01-04"\n'
    assert next(csv.reader(io.StringIO(text)))[1] == 'O\'Brien, "Bob"'


def test_amounts_keep_their_digits_and_lose_their_padding(state: CompanyState) -> None:
    selection = select_rows(state, parse_soql("SELECT Amount, Probability FROM Opportunity"), False)

    lines = [line for batch in render_csv(state, selection, "|", "\r\n") for line in batch.to_pylist()]
    amounts = [row["Amount"] for row in ask(state, "SELECT Amount FROM Opportunity")]

    assert lines == ['"35000.0"|"10.0"\r\n', '"12.5"|"20.0"\r\n', '"12345678901.23"|"30.0"\r\n', '""|"40.0"\r\n']
    assert amounts == [35000.0, 12.5, 12345678901.23, None]


@pytest.mark.parametrize(
    ("soql", "code", "says"),
    [
        ("SELECT Id FROM Nothing", "INVALID_TYPE", "sObject type 'Nothing' is not supported"),
        ("SELECT Id, Shoe FROM Lead", "INVALID_FIELD", "No such column 'Shoe' on entity 'Lead'"),
        ("SELECT Id FROM Lead WHERE Owner.Name = 'x'", "INVALID_FIELD", "No such column 'Owner.Name'"),
        ("SELECT Id FROM Lead ORDER BY Shoe", "INVALID_FIELD", "No such column 'Shoe'"),
        (
            "SELECT Id FROM Lead WHERE NumberOfEmployees > '5'",
            "INVALID_FIELD",
            "must be of type int and should not be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Lead WHERE SystemModstamp > '2026-01-01T00:00:00Z'",
            "INVALID_FIELD",
            "must be of type dateTime",
        ),
        ("SELECT Id FROM Lead WHERE SystemModstamp > 2026-01-01", "INVALID_FIELD", "must be of type dateTime"),
        (
            "SELECT Id FROM Lead WHERE Status = 5",
            "INVALID_FIELD",
            "must be of type string and should be enclosed in quotes",
        ),
        ("SELECT Id FROM Lead WHERE Address = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Lead WHERE NumberOfEmployees LIKE '5%'", "INVALID_FIELD", "invalid operator"),
        ("SELECT Id, id FROM Lead", "MALFORMED_QUERY", "duplicate field selected: id"),
        ("SELECT Id FROM Lead OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset"),
    ],
)
def test_a_wrong_query_is_refused_in_salesforces_words(state: CompanyState, soql: str, code: str, says: str) -> None:
    with pytest.raises(SalesforceError) as refused:
        select_rows(state, parse_soql(soql), with_deleted=False)

    assert (refused.value.status, refused.value.code) == (400, code)
    assert says in refused.value.message
