"""What the sources say of their tables, together."""

from __future__ import annotations

from ingestion.contracts import PersonalRows
from ingestion.erasure.structure import VOCABULARY, PersonTable
from ingestion.sources.salesforce.objects import find_object
from ingestion.sources.tables import LAKE_TABLES, rules_for

# TaskRelation is read where an operator names it.
PERSONAL: dict[str, tuple[str, PersonalRows]] = {
    table.name: (table.key[0], table.personal) for table in (*LAKE_TABLES, find_object("TaskRelation").lake_table) if table.personal
}


def of_kind(kind: str) -> set[str]:
    return {name for name, (_, personal) in PERSONAL.items() if personal.kind == kind}


def test_every_table_is_described_once_and_says_what_names_a_record() -> None:
    names = [table.name for table in LAKE_TABLES]
    assert len(names) == len(set(names))
    assert all(table.key for table in LAKE_TABLES)


def test_an_object_that_an_operator_named_has_the_rules_of_any_object_and_our_own_tables_have_none() -> None:
    assert rules_for("salesforce__machine_c") == find_object("Machine__c").rules
    assert rules_for("settings__org") == ()


def test_erasure_looks_for_people_where_the_tables_say_they_are() -> None:
    people = {
        name: PersonTable(key, personal.columns, personal.only_where) for name, (key, personal) in PERSONAL.items() if name in of_kind("people")
    }
    assert people == {name: kind for name, kind in VOCABULARY.people.items() if name != "files__contact"}  # no mapping fills that one yet
    assert {name: PERSONAL[name][1].columns for name in of_kind("about_people")} == VOCABULARY.about_people
    assert of_kind("staff") == set(VOCABULARY.staff)
    for kind, prefixes in (("messages", VOCABULARY.messages), ("calls", VOCABULARY.calls)):
        assert of_kind(kind) == {name for name in PERSONAL if name.startswith(prefixes)}
