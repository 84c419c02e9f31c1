"""What the org refuses to give, now or for ever: another way is tried, the other objects land, and no refusal loses a record."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ingestion.contracts.rules import decimal_text
from ingestion.errors import SalesforceJobFailed, SalesforceRefused
from ingestion.landing import LandingReport
from ingestion.sources.salesforce.config_file import SalesforceReading
from ingestion.sources.salesforce.extract import ingest_object
from ingestion.sources.salesforce.ingest import ingest_objects
from ingestion.sources.salesforce.objects import find_object
from ingestion.sources.salesforce.windows import Backfill
from simulation.servers import Endpoints
from storage.lake import Lake
from tests.support.fault_servers import ServerControl
from tests.support.misbehaving_org import (
    NOON,
    Fault,
    Org,
    add_fault,
    choose_api,
    hours,
    land_the_rest,
    load_first,
    make_row,
    make_rows,
    refusal,
)

OLD, NEW = 3, 500
LATER = NOON + hours(1)

TIMEOUT = refusal("QUERY_TIMEOUT", "Your query request was running for too long.")
TOO_LARGE = refusal("OPERATION_TOO_LARGE", "exceeded 100000 distinct who/what's")
NO_ACCESS = refusal("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", 403)


@pytest.fixture(scope="module")
def loaded(endpoints: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with the first load of an object: the records before noon."""
    return load_first(endpoints, tmp_path_factory.mktemp("loaded") / "lake", "Refusing__c", old=OLD, new=NEW)


@pytest.fixture
def org(endpoints: Endpoints, control: ServerControl, loaded: Path, tmp_path: Path) -> Org:
    """An object whose first load is in the lake, and which has many records since."""
    return Org(endpoints, control, Lake(shutil.copytree(loaded, tmp_path / "lake")), "Refusing__c")


class TestWhatIsRefusedForEver:
    """One object or field that the org never gives does not keep the rest from landing, and what helps is said."""

    def test_a_count_that_times_out_is_not_needed(self, org: Org) -> None:
        add_fault(org, "count", TIMEOUT, times=None)
        report = org.ingest(LATER)
        assert report.landed == NEW
        assert report.notice == ""
        assert org.newest_load().details["api"] == "bulk"
        org.assert_equal()

    @pytest.mark.parametrize("fault", [TIMEOUT, TOO_LARGE, {**TIMEOUT, "status": 403}], ids=["timeout", "size", "403"])
    def test_a_query_too_large_comes_in_smaller_windows(self, org: Org, fault: Fault) -> None:
        add_fault(org, "query", fault, times=3)
        report = org.ingest(LATER)
        assert (report.landed, report.is_undone, report.notice) == (NEW, False, "")
        details = org.newest_load().details
        assert details["api"] == "rest" and int(details["parts"]) > 1
        assert org.newest_load().source_count >= NEW
        org.assert_equal()

    def test_a_query_too_large_at_any_size_comes_by_a_bulk_job(self, org: Org) -> None:
        add_fault(org, "query", TOO_LARGE, times=None)
        report = org.ingest(LATER)
        assert (report.landed, report.is_undone) == (NEW, False)
        assert "a Bulk job read it" in report.notice and "View All Data" in report.notice
        assert org.newest_load().details["api"] == "bulk"
        org.assert_equal()

    def test_a_timeout_between_two_pages_lands_no_row_twice(self, org: Org) -> None:
        add_fault(org, "page", TIMEOUT, times=None)
        assert org.ingest(LATER).landed == NEW
        assert org.newest_load().details["api"] == "bulk"
        org.assert_equal()

    @pytest.mark.parametrize(
        "message",
        [
            "QUERY_TIMEOUT: Your query request was running for too long.",
            "InternalServerError : Retried more than 15 times",
        ],
    )
    def test_a_job_too_large_comes_in_smaller_windows(
        self, org: Org, monkeypatch: pytest.MonkeyPatch, message: str
    ) -> None:
        choose_api(monkeypatch, "bulk")
        add_fault(org, "create", {"kind": "job_fails", "looks": 1, "message": message}, times=2)
        assert org.ingest(LATER).landed == NEW
        assert int(org.newest_load().details["parts"]) > 1
        assert org.clear_jobs() == []
        org.assert_equal()

    def test_a_query_for_ids_too_large_is_read_by_a_bulk_job(self, org: Org) -> None:
        org = Org(org.endpoints, org.control, org.lake, "Whole__c")
        org.put(*make_rows(20))
        org.ingest()
        org.vanish(7)
        org.put(*make_rows(2, NOON + hours(200), first=50))  # changed after the window: their ids are asked for
        add_fault(org, "query", TOO_LARGE, times=None)
        report = org.ingest(NOON + hours(24 * 7))
        assert (report.vanished.tombstones, org.newest_load().details["api"]) == (1, "bulk")

    @pytest.mark.parametrize("api", ["rest", "bulk"])
    def test_a_part_that_fails_after_another_was_read_loses_nothing(
        self, org: Org, monkeypatch: pytest.MonkeyPatch, api: str
    ) -> None:
        choose_api(monkeypatch, api)
        later_part = make_rows(40, NOON + hours(0.75), first=900)
        org = Org(org.endpoints, org.control, org.lake, f"Parted{api.title()}__c")
        org.put(*make_rows(OLD))
        org.ingest()
        org.put(*make_rows(300, NOON, first=100), *later_part)
        if api == "rest":
            add_fault(org, "query", TIMEOUT)
            add_fault(org, "query", NO_ACCESS, nth=3, times=None)
        else:
            add_fault(org, "create", {"kind": "job_fails", "looks": 1, "message": "QUERY_TIMEOUT: too long."})
            add_fault(org, "create", {"kind": "job_fails", "looks": 1, "message": "InternalServerError"}, nth=3)
        before = org.control.requests()
        with org.refused(SalesforceRefused if api == "rest" else SalesforceJobFailed):
            org.ingest(LATER)
        asked = org.asked(before)
        assert any("/query/" in name or "/results" in name for name in asked), asked  # rows of the first part came
        assert org.met() == [1, 1]
        org.control.clear_faults()
        assert org.ingest(LATER).landed == 340
        org.assert_equal()

    def test_a_field_that_cannot_be_queried_is_left_out(self, org: Org) -> None:
        org = Org(org.endpoints, org.control, org.lake, "Partly__c")
        org.put(*make_rows(4, Hidden__c="x", Second__c="y", Seen__c="z"))
        for name in ("Hidden__c", "Second__c"):
            said = f"SELECT Id, {name} FROM Partly__c\n ^\nERROR at Row:1:Column:8\nNo such column '{name}' on entity 'Partly__c'."
            add_fault(
                org, "query", refusal("INVALID_FIELD", said), times=None, path=rf"/queryAll/\?q=SELECT .*{name}.* FROM"
            )
        report = org.ingest()
        assert (report.landed, report.is_undone) == (4, False)
        assert all(f"Partly__c.{name} is described" in report.notice for name in ("Hidden__c", "Second__c"))
        columns = org.lake.columns(org.table)
        assert "Seen__c" in columns and not {"Hidden__c", "Second__c"} & set(columns)

        left_out = tuple(f"Partly__c.{name}" for name in ("Hidden__c", "Second__c"))
        reading = SalesforceReading(objects=("Partly__c",), leave_out=left_out)
        org.put(make_row(9, NOON, Name="Record 9"))
        objects = [find_object("Partly__c")]
        ((_, quiet),) = ingest_objects(org.connect(), org.lake, objects, until=LATER, run_id="run", reading=reading)
        assert isinstance(quiet, LandingReport)
        assert (quiet.landed, quiet.notice) == (1, "")

    def test_a_needed_field_that_cannot_be_queried_makes_the_run_incomplete(self, org: Org) -> None:
        needed = replace(find_object("Needed__c"), rules=(decimal_text("Amount"),))
        org = Org(org.endpoints, org.control, org.lake, "Needed__c")
        org.put(*make_rows(1, Amount="1"))
        said = "No such column 'Amount' on entity 'Needed__c'."
        add_fault(
            org, "query", refusal("INVALID_FIELD", said), times=None, path=r"/queryAll/\?q=SELECT .*Amount.* FROM"
        )
        report = ingest_object(org.connect(), org.lake, needed, until=NOON, run_id="run")
        assert (report.landed, report.is_undone) == (1, True)

    @pytest.mark.parametrize("field", ["SystemModstamp", "Id"])
    def test_a_field_that_loads_go_by_is_not_left_out(self, org: Org, field: str) -> None:
        add_fault(
            org, "query", refusal("INVALID_FIELD", f"No such column '{field}' on entity 'Refusing__c'."), times=None
        )
        with org.refused(SalesforceRefused, f"No such column '{field}'"):
            org.ingest(LATER)

    def test_a_field_named_like_its_object_is_not_left_out_for_another(self, org: Org) -> None:
        org = Org(org.endpoints, org.control, org.lake, "Parent__c")
        org.put(*make_rows(1, Parent__c="x"))
        add_fault(org, "query", refusal("INVALID_FIELD", "No such column 'Id' on entity 'Parent__c'."), times=None)
        with org.refused(SalesforceRefused, "No such column 'Id'"):
            org.ingest()
        assert org.met() == [1]

    def test_a_limit_met_at_sign_in_is_no_reason_to_leave_an_object_out(self, org: Org) -> None:
        client = org.connect()
        org.control.expire_sessions()
        org.control.limit_exceeded("/services/oauth2/token", times=None)
        objects = [find_object(org.object_name)]
        ((_, refused),) = ingest_objects(client, org.lake, objects, until=LATER, run_id="run")
        assert isinstance(refused, LandingReport) and refused.is_undone
        assert "daily API limit is used up" in refused.notice and "leave_out" not in refused.notice

    def test_a_refused_object_is_a_notice_and_the_others_land(self, org: Org) -> None:
        other = Org(org.endpoints, org.control, org.lake, "Asked__c")
        other.put(*make_rows(4))
        add_fault(org, "count", NO_ACCESS, times=None)
        objects = [find_object(org.object_name), find_object(other.object_name)]
        outcomes = dict(ingest_objects(org.connect(), org.lake, objects, until=LATER, run_id="run"))
        refused, landed = outcomes[org.table], outcomes[other.table]
        assert isinstance(refused, LandingReport) and isinstance(landed, LandingReport)
        assert refused.is_undone and landed.landed == 4
        assert "Refusing__c was not read." in refused.notice and "Give the reading user access" in refused.notice
        assert "add Refusing__c to leave_out" in refused.notice
        reading = SalesforceReading(objects=("Refusing__c", "Asked__c"), leave_out=("Refusing__c",))  # the remedy helps
        again = dict(ingest_objects(org.connect(), org.lake, objects, until=LATER, run_id="run", reading=reading))
        assert not any(isinstance(each, LandingReport) and each.is_undone for each in again.values())
        org.control.clear_faults()
        land_the_rest(org, NEW)

    def test_an_org_that_gives_nothing_at_all_fails(self, org: Org, tmp_path: Path) -> None:
        add_fault(org, "count", NO_ACCESS, times=None)
        empty = Lake(tmp_path / "empty")
        with pytest.raises(SalesforceRefused, match="insufficient access"):
            list(ingest_objects(org.connect(), empty, [find_object(org.object_name)], until=LATER, run_id="run"))

    def test_a_backfill_says_every_refusal(self, org: Org) -> None:
        add_fault(org, "count", NO_ACCESS, times=None)
        asked = ingest_objects(
            org.connect(),
            org.lake,
            [find_object(org.object_name)],
            until=LATER,
            run_id="run",
            backfill=Backfill(None, LATER),
        )
        assert isinstance(next(asked)[1], SalesforceRefused)
        with pytest.raises(SalesforceRefused):
            next(asked)
