"""What is asked of Salesforce: the text of queries, and which objects are read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from ingestion.sources.salesforce.client import connect
from ingestion.sources.salesforce.config_file import SalesforceReading, read_salesforce_settings
from ingestion.sources.salesforce.objects import OBJECTS, find_object
from ingestion.sources.salesforce.refusals import find_code, find_refused_field, shorten
from ingestion.sources.salesforce.session import ClientCredentials
from ingestion.sources.salesforce.soql import Window, count_query, select_query, write_instant
from storage.operator_files import OperatorFileError
from storage.settings import PROJECT_ROOT

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def test_queries_are_half_open_and_in_utc() -> None:
    in_new_york = NOON.astimezone(timezone(timedelta(hours=-5)))
    window = Window("SystemModstamp", in_new_york, NOON + timedelta(milliseconds=1500))
    assert select_query("Lead", ["Id", "Web_Visits__c"], window) == (
        "SELECT Id, Web_Visits__c FROM Lead WHERE SystemModstamp >= 2026-01-05T12:00:00.000Z AND SystemModstamp < 2026-01-05T12:00:01.500Z"
    )
    assert (
        count_query("Lead", Window("CreatedDate", NOON, None))
        == "SELECT count() FROM Lead WHERE CreatedDate >= 2026-01-05T12:00:00.000Z"
    )
    assert (
        count_query("Lead", Window("CreatedDate", None, NOON))
        == "SELECT count() FROM Lead WHERE CreatedDate < 2026-01-05T12:00:00.000Z"
    )


@pytest.mark.parametrize("name", ["Lead WHERE", "Id,Name", "", "1st"])
def test_nothing_but_a_name_gets_into_a_query(name: str) -> None:
    with pytest.raises(ValueError, match="no Salesforce name"):
        select_query("Lead", [name], Window("SystemModstamp", None, NOON))


def test_an_instant_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        write_instant(datetime(2026, 1, 5))  # noqa: DTZ001


def test_object_names_become_table_names() -> None:
    assert find_object("OpportunityFieldHistory").table == "salesforce__opportunity_field_history"
    assert len({each.table for each in OBJECTS}) == len(OBJECTS) == 38


def test_a_record_that_is_gone_was_deleted_except_where_the_org_drops_rows_by_age() -> None:
    kept = {each.name for each in OBJECTS if not each.is_gone_only_when_deleted(["Id", "IsDeleted"])}
    assert kept == {"AccountHistory", "ContactHistory", "LeadHistory", "OpportunityHistory", "OpportunityFieldHistory"}
    assert not any(
        find_object(name).is_gone_only_when_deleted(["Id", "IsDeleted"])
        for name in ("Machine__History", "FeedItem", "AccountFeed", "CaseHistory")
    )
    assert find_object("Purchase_History__c").is_gone_only_when_deleted(["Id", "IsDeleted"])
    assert not find_object("User").is_gone_only_when_deleted(["Id", "IsActive"])


def test_the_settings_that_come_with_the_project_are_the_defaults() -> None:
    assert read_salesforce_settings(PROJECT_ROOT / "config") == SalesforceReading()


def write_settings(folder: Path, objects: str) -> Path:
    (folder / "salesforce.yml").write_text(f"objects: {objects}\n")
    return folder


@pytest.mark.parametrize(
    ("first", "second"),
    [("Web_Visits__c", "WebVisits__c"), ("Lead", "lead"), ("OpportunityHistory", "Opportunity_History")],
)
def test_two_objects_that_would_land_in_one_table_are_refused(tmp_path: Path, first: str, second: str) -> None:
    objects = f"[Machine__c, {first}, {second}]" if first not in {each.name for each in OBJECTS} else f"[{second}]"
    with pytest.raises(
        OperatorFileError, match=f"{first} and {second} would both land in {find_object(first).table}"
    ) as caught:
        read_salesforce_settings(write_settings(tmp_path, objects))
    assert caught.value.where.endswith("salesforce.yml, line 1, objects")


def test_an_object_that_is_named_twice_or_is_read_anyway_does_no_harm(tmp_path: Path) -> None:
    assert read_salesforce_settings(write_settings(tmp_path, "[Machine__c, Lead, Machine__c]")).objects == (
        "Machine__c",
        "Lead",
        "Machine__c",
    )


def test_connect_signs_in_before_anything_is_asked() -> None:
    with pytest.raises(Exception, match="not a web address"):
        connect("nonsense", ClientCredentials("id", "secret"))


def test_a_window_is_cut_into_halves_that_meet() -> None:
    whole = Window("SystemModstamp", None, NOON)
    first, second = whole.halves or (whole, whole)
    assert (first.since, first.until, second.until) == (None, second.since, NOON)
    assert Window("SystemModstamp", NOON - timedelta(minutes=1), NOON).halves is None
    assert Window("SystemModstamp", NOON, None).halves is None


def test_the_field_that_a_refusal_names() -> None:
    said = "Id, Region__c FROM Account\n^\nERROR at Row:1:Column:5\nNo such column 'region__c' on entity 'Account'."
    assert find_refused_field(said, ["Name", "Region__c"]) == "Region__c"
    assert find_refused_field("No such column 'Account.Name' on entity 'Account'", ["Name"]) == "Name"
    assert find_refused_field("No such column 'Other' on entity 'Account'", ["Name"]) is None


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (
            "InvalidBatch : Failed to process query: OPERATION_TOO_LARGE: exceeded 100000 distinct ids",
            "OPERATION_TOO_LARGE",
        ),
        ("InternalServerError : Tried more than fifteen times", "RETRIED_TOO_OFTEN"),
        ("no reason given", ""),
    ],
)
def test_the_code_in_the_reason_of_a_job(reason: str, code: str) -> None:
    assert find_code(reason) == code


def test_a_long_message_keeps_its_reason() -> None:
    assert shorten("x" * 1000 + "\nNo such column 'Y'").endswith("No such column 'Y'")


def write_leave_out(folder: Path, parts: str) -> SalesforceReading:
    (folder / "salesforce.yml").write_text(f"objects: [Machine__c]\nleave_out: {parts}\n")
    return read_salesforce_settings(folder)


def test_any_object_and_field_can_be_left_out(tmp_path: Path) -> None:
    reading = write_leave_out(tmp_path, "[EmailMessage, Machine__c, Contact.Secret__c]")
    assert reading.left_out_objects == {"EmailMessage", "Machine__c"}
    assert reading.left_out_fields == (("Contact", "Secret__c"),)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ("[Emailmessage]", "did you mean EmailMessage"),
        ("[Nothing]", "no object that is read"),
        ("[Contact.Id]", "cannot be read"),
        ("[Contact.]", "does not have the form"),
    ],
)
def test_what_cannot_be_left_out_is_said(tmp_path: Path, parts: str, said: str) -> None:
    with pytest.raises(OperatorFileError, match=said):
        write_leave_out(tmp_path, parts)
