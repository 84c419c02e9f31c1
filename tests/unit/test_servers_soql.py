from __future__ import annotations

import json
import os
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from simulation.servers.errors import SalesforceError
from simulation.servers.soql import Comparison, Junction, Literal, Negation, parse_soql


def test_a_query_with_every_clause_becomes_a_tree() -> None:
    query = parse_soql(
        "select Id, Name FROM Lead WHERE (A = 1 OR B != null) AND NOT C LIKE 'x%' ORDER BY Name DESC NULLS LAST, Id LIMIT 5 OFFSET 2"
    )

    assert [name.text for name in query.fields] == ["Id", "Name"]
    assert isinstance(query.condition, Junction)
    assert query.condition.word == "and"
    either, negated = query.condition.parts
    assert isinstance(either, Junction)
    assert either.word == "or"
    assert isinstance(negated, Negation)
    assert [(term.field.text, term.descending, term.nulls_last) for term in query.order] == [
        ("Name", True, True),
        ("Id", False, False),
    ]
    assert (query.limit, query.offset, query.is_count) == (5, 2, False)


def test_count_has_no_fields() -> None:
    assert parse_soql("SELECT count() FROM Lead").is_count


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("12.50", Literal("number", Decimal("12.50"))),
        ("-3", Literal("number", Decimal(-3))),
        ("TRUE", Literal("boolean", True)),
        ("null", Literal("null", None)),
        ("2026-01-05", Literal("date", date(2026, 1, 5))),
        ("2026-01-05T10:00:00Z", Literal("dateTime", datetime.fromisoformat("2026-01-05T10:00:00"))),
        ("2026-01-05T10:00:00.250+02:00", Literal("dateTime", datetime.fromisoformat("2026-01-05T08:00:00.250"))),
        (r"'O\'Brien \\ \n'", Literal("string", "O'Brien \\ \n")),
        (r"'50\% off'", Literal("string", "50\\% off")),
    ],
)
def test_literals(text: str, literal: Literal) -> None:
    condition = parse_soql(f"SELECT Id FROM Lead WHERE X = {text}").condition

    assert isinstance(condition, Comparison)
    assert condition.values == (literal,)


@pytest.mark.parametrize(
    ("text", "row", "column"),
    [
        ("SELECT FROM Lead", 1, 8),
        ("SELECT Id Lead", 1, 11),
        ("SELECT Id FROM Lead WHERE", 1, 25),
        ("SELECT Id FROM Lead WHERE A = 1 AND B = 2 OR C = 3", 1, 43),
        ("SELECT Id FROM Lead WHERE A = 'x", 1, 31),
        ("SELECT Id FROM Lead WHERE A IN ()", 1, 33),
        ("SELECT Id\nFROM Lead LIMIT ten", 2, 17),
        ("SELECT Id FROM Lead GROUP BY Name", 1, 21),
        ("SELECT Id FROM Lead WHERE D > 2026-13-01", 1, 31),
        ("SELECT Id FROM Lead; DROP TABLE x", 1, 20),
    ],
)
def test_what_is_not_soql_is_refused_with_its_place(text: str, row: int, column: int) -> None:
    with pytest.raises(SalesforceError) as refused:
        parse_soql(text)

    assert (refused.value.status, refused.value.code) == (400, "MALFORMED_QUERY")
    assert f"ERROR at Row:{row}:Column:{column}\n" in refused.value.message


def test_every_recorded_query_parses() -> None:
    if "SALESOPS_REFERENCE_DATA" not in os.environ:
        pytest.skip("SALESOPS_REFERENCE_DATA is not set: the recorded queries are elsewhere")
    folder = Path(os.environ["SALESOPS_REFERENCE_DATA"]) / "salesforce_recorded" / "restforce_db"
    assert folder.is_dir()
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    addresses = set()
    for file in folder.rglob("*.yml"):
        lines = [
            line.strip()
            for line in file.read_text().splitlines()
            if line.strip().startswith("uri:") and "/query?q=" in line
        ]
        addresses.update(str(yaml.load(line, loader)["uri"]) for line in lines)
    queries = {parse_qs(urlsplit(address).query)["q"][0] for address in addresses}

    assert len(queries) > 20
    for query in queries:
        assert parse_soql(query).fields, json.dumps(query)
