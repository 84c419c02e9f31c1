"""Windows of an object, against the Salesforce server: by which API they go, what they cost, and which pages are read."""

from __future__ import annotations

import errno
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from ingestion.errors import CountMismatch, SalesforceRefused
from ingestion.landing import LandingReport
from ingestion.sources.salesforce import ingest as ingest_module
from ingestion.sources.salesforce import result_pages
from ingestion.sources.salesforce.client import SalesforceClient
from ingestion.sources.salesforce.ingest import ingest_objects
from ingestion.sources.salesforce.objects import SalesforceObject, find_object
from ingestion.sources.salesforce.rows import BLOCK_BYTES
from simulation.servers import Endpoints
from storage.errors import StorageError
from storage.lake import Lake
from tests.support.fault_servers import ServerControl
from tests.support.misbehaving_org import NOON, START, Org, choose_api, edited, hours, make_row, make_rows

API = "/services/data/v66.0"
QUERY = f"GET {API}/queryAll/"
RESULTS = f"GET {API}/jobs/query/<id>/results"
PAGE = 100

_NUMBERS = itertools.count(1)


@pytest.fixture
def make_org(endpoints: Endpoints, control: ServerControl, tmp_path: Path) -> Any:
    """Makes an object of this test alone, whose name ends as the test wants; all share an empty lake."""
    return lambda ending="__c": Org(endpoints, control, Lake(tmp_path / "lake"), f"Windowed{next(_NUMBERS)}{ending}")


@pytest.fixture
def org(make_org: Any) -> Org:
    made: Org = make_org()
    return made


@pytest.mark.parametrize(("count", "api"), [(1, "rest"), (9_999, "rest"), (10_000, "bulk")])
def test_small_windows_go_by_rest_and_large_ones_by_bulk(org: Org, count: int, api: str) -> None:
    org.put(*make_rows(count))
    client = org.connect()
    del client.rest.headers["Sforce-Query-Options"]  # pages as large as they are in earnest

    report = org.ingest(client=client)

    assert (report.landed, report.set_aside) == (count, 0)
    assert (org.newest_load().details["api"], org.newest_load().cursor) == (api, "2026-01-08T12:00:00.000Z")
    org.assert_equal()
    assert org.clear_jobs() == []


@pytest.mark.parametrize(("fields", "api"), [(100, "rest"), (350, "bulk")])
def test_a_query_too_long_for_an_address_goes_by_bulk_however_few_the_rows(org: Org, fields: int, api: str) -> None:
    custom = {f"Custom_Field_Number_{number:04d}__c": "x" for number in range(fields)}
    rows = make_rows(3, **custom)
    org.put(*rows)
    assert org.ingest().landed == 3
    org.put(*edited(rows[1:2], NOON + hours(0.5), Custom_Field_Number_0007__c="changed"))
    assert org.ingest(NOON + hours(1)).landed == 1
    assert org.newest_load().details["api"] == api
    org.assert_equal()


def test_an_unexpected_error_stays_in_its_object(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(
        client: SalesforceClient, lake: Lake, salesforce_object: SalesforceObject, **_: object
    ) -> LandingReport:
        if salesforce_object.name == "Task":
            raise KeyError("Jane Doe")
        return LandingReport(salesforce_object.table, cursor="2026-01-08T09:00:00.000Z")

    monkeypatch.setattr(ingest_module, "ingest_object", stumble)
    objects = list(map(find_object, ["Lead", "Task", "Event"]))
    outcomes = dict(ingest_objects(org.connect(), org.lake, objects, until=NOON, run_id="run"))
    assert list(outcomes) == [each.table for each in objects]
    report = outcomes["salesforce__task"]
    assert isinstance(report, LandingReport) and report.is_undone
    assert "Task was not read." in report.notice and "KeyError" in report.notice and "leave_out" in report.notice
    assert "Jane Doe" not in report.notice  # what a foreign error quotes may be personal data

    def break_off(*_: object, **__: object) -> LandingReport:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ingest_module, "ingest_object", break_off)
    with pytest.raises(OSError, match="No space"):  # the next object would fare no better
        list(ingest_objects(org.connect(), org.lake, objects, until=NOON, run_id="run"))


def test_a_run_with_nothing_new_asks_for_limits_and_objects_once_and_counts_each_object(make_org: Any) -> None:
    orgs = [make_org() for _ in range(3)]
    for org in orgs:
        org.put(make_row(1))
        org.ingest()
    objects = [find_object(name) for name in (*(org.object_name for org in orgs), "Territory2")]
    before = orgs[0].control.requests()

    outcomes = list(ingest_objects(orgs[0].connect(), orgs[0].lake, objects, until=NOON + hours(1), run_id="run"))

    assert [table for table, _ in outcomes] == [each.table for each in objects]
    asked = orgs[0].asked(before)
    assert asked == {"POST /services/oauth2/token": 1, f"GET {API}/limits/": 1, f"GET {API}/sobjects": 1, QUERY: 3}


def test_an_object_that_cannot_be_queried_is_skipped_with_a_notice(org: Org) -> None:
    org.put(*make_rows(1))
    listed = json.dumps({"sobjects": [{"name": org.object_name, "queryable": False}]})
    org.control.fault(
        "status", path="/sobjects/?$", status=200, body=listed, headers={"Content-Type": "application/json"}
    )

    assert org.object_name in org.ingest().notice
    assert org.lake.tables() == []


def test_a_run_that_asks_for_an_earlier_instant_lands_nothing(org: Org) -> None:
    org.put(*make_rows(3))
    org.ingest()
    org.put(*make_rows(6, START - hours(48), first=4))
    assert org.ingest(NOON - hours(24)).version is None


@pytest.mark.parametrize(("ending", "stamp"), [("History", "CreatedDate"), ("__c", "SystemModstamp")])
def test_the_stamp_of_a_configured_object_is_asked_for_once_and_kept_with_its_first_load(
    make_org: Any, ending: str, stamp: str
) -> None:
    org = make_org(ending)
    org.put(
        *(
            {"Id": row["Id"], "IsDeleted": False, "CreatedDate": row["CreatedDate"], stamp: START.isoformat()}
            for row in make_rows(3)
        )
    )
    assert org.ingest().landed == 3
    assert org.newest_load().details["version_column"] == stamp
    client = org.connect()
    assert client.object_names
    before = org.control.requests()
    assert org.ingest(NOON + hours(1), client).version is None
    assert org.asked(before) == {QUERY: 1}


def test_an_object_without_a_stamp_is_refused(make_org: Any) -> None:
    org = make_org("History")
    org.put({"Id": "017000000000001AAA", "IsDeleted": False})
    before = org.control.requests()
    with pytest.raises(SalesforceRefused) as caught:
        org.ingest()
    assert caught.value.where == "objects in config/salesforce.yml"
    assert org.object_name in caught.value.fix
    assert not any("query" in name for name in org.asked(before))
    assert org.lake.tables() == []


class TestPages:
    """The result pages of a Bulk job."""

    @pytest.fixture
    def org(self, org: Org, monkeypatch: pytest.MonkeyPatch) -> Org:
        choose_api(monkeypatch, "bulk")
        org.control.set_bulk(page_rows=PAGE)
        return org

    @pytest.mark.parametrize(("lists_pages", "pages"), [(True, 5), (False, 3)])
    def test_every_page_of_a_job_is_read_once(
        self, org: Org, monkeypatch: pytest.MonkeyPatch, lists_pages: bool, pages: int
    ) -> None:
        monkeypatch.setattr(result_pages, "PAGE_ROWS", 2 * PAGE)
        org.put(*make_rows(5 * PAGE))
        if not lists_pages:
            body = '[{"errorCode":"NOT_FOUND","message":"no such thing"}]'
            org.control.fault(
                "status",
                path="/resultPages",
                status=404,
                times=None,
                body=body,
                headers={"Content-Type": "application/json"},
            )
        before = org.control.requests()

        assert org.ingest().landed == 5 * PAGE
        assert org.asked(before)[RESULTS] == pages
        org.assert_equal()

    def test_a_record_longer_than_a_block_is_read_at_the_next_attempt(self, org: Org) -> None:
        org.put(*make_rows(3), make_row(4, Name="x" * (3 * BLOCK_BYTES)))
        before = org.control.requests()

        assert org.ingest().landed == 4
        assert org.asked(before)[RESULTS] == 1 + 1
        org.assert_equal()

    def test_a_value_that_is_no_unicode_does_not_keep_its_object_from_landing(self, org: Org) -> None:
        org.put(*make_rows(2), make_row(3, Name="cut <half an emoji>"))
        org.control.fault("no_unicode", object=org.object_name, text="<half an emoji>", hex="eda0bd", times=None)

        assert org.ingest().landed == 3
        assert [row["Name"] for row in org.latest()] == ["Record 1", "Record 2", "cut \ufffd\ufffd\ufffd"]

    @pytest.mark.parametrize("times", [1, None], ids=["once", "always"])
    def test_a_page_that_ends_within_a_line_is_asked_for_once_more(self, org: Org, times: int | None) -> None:
        org.put(*make_rows(PAGE))
        org.control.fault("truncate", object=org.object_name, rows=PAGE, within="line_end", times=times)
        before = org.control.requests()

        assert org.ingest().landed == PAGE
        assert org.asked(before)[RESULTS] == 2
        org.assert_equal()

    def test_where_lines_stay_open_a_short_page_is_refused_all_the_same(self, org: Org) -> None:
        org.put(*make_rows(PAGE))
        org.control.fault("truncate", object=org.object_name, rows=PAGE - 1, within="line_end", times=None)

        with org.refused(CountMismatch, f"holds {PAGE - 1} rows, its header says {PAGE}"):
            org.ingest()
        assert org.clear_jobs() == []

    def test_a_full_disk_of_temporary_files_is_named(self, org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
        full = Path("/dev/full")
        if not full.exists():
            pytest.skip("this system has no /dev/full")
        org.put(*make_rows(PAGE))
        monkeypatch.setattr(result_pages.tempfile, "TemporaryFile", lambda **_: full.open("r+b"))

        with pytest.raises(StorageError, match="No space left on device"):
            org.ingest()
        assert org.lake.tables() == []
