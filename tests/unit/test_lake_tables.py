"""What the sources say of their tables, together."""

from __future__ import annotations

from ingestion.personal_data import PERSONAL_DATA
from ingestion.sources.salesforce.objects import find_object
from ingestion.sources.tables import LAKE_TABLES, rules_for


def of_kind(kind: str) -> set[str]:
    return {table.name for table in LAKE_TABLES if table.personal and table.personal.kind == kind}


def test_every_table_is_described_once_and_says_what_names_a_record() -> None:
    names = [table.name for table in LAKE_TABLES]
    assert len(names) == len(set(names))
    assert all(table.key for table in LAKE_TABLES)


def test_an_object_that_an_operator_named_has_the_rules_of_any_object_and_our_own_tables_have_none() -> None:
    assert rules_for("salesforce__machine_c") == find_object("Machine__c").rules
    assert rules_for("settings__org") == ()


def test_erasure_finds_messages_and_calls_by_their_names() -> None:
    for kind, prefixes in (("messages", PERSONAL_DATA.messages), ("calls", PERSONAL_DATA.calls)):
        assert of_kind(kind) == {table.name for table in LAKE_TABLES if table.name.startswith(prefixes)}
