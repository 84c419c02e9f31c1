"""Windows of an object by both APIs, and counts that must add up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from ingestion.errors import CountMismatch, SalesforceJobFailed, SalesforceRefused
from ingestion.landing import LandingReport
from ingestion.salesforce import (
    OBJECTS,
    SalesforceClient,
    SalesforceReading,
    connect,
    ingest_object,
    ingest_objects,
    lake_table,
    read_salesforce_settings,
    result_pages,
)
from ingestion.salesforce import ingest as ingest_module
from ingestion.salesforce.objects import is_gone_only_when_deleted
from ingestion.salesforce.rows import BLOCK_BYTES
from ingestion.salesforce.session import ClientCredentials, SalesforceSession
from ingestion.salesforce.soql import Window, count_query, select_query, write_instant
from ingestion.settings import OperatorFileError
from storage.errors import StorageError
from storage.lake import Lake
from storage.settings import PROJECT_ROOT
from tests.ingestion_fake_http import Answer, FakeServer

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def test_queries_are_half_open_and_in_utc() -> None:
    in_new_york = NOON.astimezone(timezone(timedelta(hours=-5)))
    window = Window("SystemModstamp", in_new_york, NOON + timedelta(milliseconds=1500))
    assert select_query("Lead", ["Id", "Web_Visits__c"], window) == (
        "SELECT Id, Web_Visits__c FROM Lead WHERE SystemModstamp >= 2026-01-05T12:00:00.000Z AND SystemModstamp < 2026-01-05T12:00:01.500Z"
    )
    assert count_query("Lead", Window("CreatedDate", NOON, None)) == "SELECT count() FROM Lead WHERE CreatedDate >= 2026-01-05T12:00:00.000Z"
    assert count_query("Lead", Window("CreatedDate", None, NOON)) == "SELECT count() FROM Lead WHERE CreatedDate < 2026-01-05T12:00:00.000Z"


@pytest.mark.parametrize("name", ["Lead WHERE", "Id,Name", "", "1st"])
def test_nothing_but_a_name_gets_into_a_query(name: str) -> None:
    with pytest.raises(ValueError, match="no Salesforce name"):
        select_query("Lead", [name], Window("SystemModstamp", None, NOON))


def test_an_instant_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        write_instant(datetime(2026, 1, 5))  # noqa: DTZ001


def test_object_names_become_table_names() -> None:
    assert lake_table("OpportunityFieldHistory") == "salesforce__opportunity_field_history"
    assert len({lake_table(name) for name in OBJECTS}) == len(OBJECTS) == 29


def test_a_record_that_is_gone_was_deleted_except_where_the_org_drops_rows_by_age() -> None:
    kept = {name for name in OBJECTS if not is_gone_only_when_deleted(name, ["Id", "IsDeleted"])}
    assert kept == {"AccountHistory", "ContactHistory", "LeadHistory", "OpportunityHistory", "OpportunityFieldHistory"}
    assert not any(is_gone_only_when_deleted(name, ["Id", "IsDeleted"]) for name in ("Machine__History", "FeedItem", "AccountFeed", "CaseHistory"))
    assert is_gone_only_when_deleted("Purchase_History__c", ["Id", "IsDeleted"])
    assert not is_gone_only_when_deleted("User", ["Id", "IsActive"])


def test_the_settings_that_come_with_the_project_are_the_defaults() -> None:
    assert read_salesforce_settings(PROJECT_ROOT / "config") == SalesforceReading()


class Org:
    """A Salesforce org with one object, by both APIs, that can be told to misbehave."""

    def __init__(self, count: int) -> None:
        self.objects = ["Lead"]
        self.types = {
            "Id": "id",
            "SystemModstamp": "datetime",
            "OwnerId": "reference",
            "CreatedDate": "datetime",
            "Address": "address",
            "Photo": "base64",
        }
        self.longest_address = 0
        self.queries: list[str] = []
        self.records = [{"Id": f"00Q{number:012d}AAA", "SystemModstamp": "2026-01-05T10:00:00.000+0000", "OwnerId": "005000000000001AAA",
                         "CreatedDate": "2026-01-01T10:00:00.000+0000"} for number in range(count)]  # fmt: skip
        self.missing_from_rest = 0
        self.lists_pages = True
        self.whole_pages = 0
        self.short_pages = 0
        self.open_lines = 0
        self.processed: int | None = None
        self.states: Iterator[str] = iter(["UploadComplete", "InProgress"])
        self.asked: list[str] = []

    def __call__(self, request: requests.PreparedRequest) -> Answer:
        url = urlsplit(str(request.url))
        path, parameters = url.path, parse_qs(url.query)
        self.queries += parameters.get("q", [])
        self.longest_address = max(self.longest_address, len(url.path) + len(url.query))
        self.asked.append(f"{request.method} {path.rpartition('/v66.0')[2]}")
        if path.endswith("/token"):
            return 200, {"access_token": "T", "instance_url": "https://org.example"}
        if path.endswith("/sobjects"):
            shown = [{"name": name, "queryable": True} for name in self.objects]
            return 200, {"sobjects": [*shown, {"name": "Opportunity", "queryable": False}]}
        if path.endswith("/limits/"):
            return 200, {"DailyApiRequests": {"Max": 5000, "Remaining": 5000}}
        if path.endswith("/describe"):
            return 200, {"fields": [{"name": name, "type": kind} for name, kind in self.types.items()]}
        if "/jobs/query" in path:
            return self.bulk(str(request.method), path, parameters)
        if "count()" in parameters.get("q", [""])[0]:
            return 200, {"totalSize": len(self.records), "done": True, "records": []}
        start = int(path.rpartition("-")[2]) if "-" in path else 0
        page = self.records[start : start + 2000]
        done = start + 2000 >= len(self.records)
        more = {} if done else {"nextRecordsUrl": f"/services/data/v66.0/query/01g-{start + 2000}"}
        shown = page[: len(page) - self.missing_from_rest] if done else page
        return 200, {"totalSize": len(self.records), "done": done, "records": shown, **more}

    def bulk(self, method: str, path: str, parameters: dict[str, list[str]]) -> Answer:
        if method == "POST":
            return 200, {"id": "750A", "state": "UploadComplete"}
        if method == "DELETE":
            return 204, ""
        if path.endswith("/resultPages"):
            return (200, self.list_pages(parameters)) if self.lists_pages else (404, [{"errorCode": "NOT_FOUND", "message": "no such thing"}])
        if path.endswith("/results"):
            start = int(parameters.get("locator", ["0"])[0])
            size = int(parameters["maxRecords"][0]) if "maxRecords" in parameters else 3000
            page = self.records[start : start + size]
            locator = str(start + size) if start + size < len(self.records) else "null"
            names = [name for name, kind in self.types.items() if kind not in ("address", "base64")]
            shown = page[1:] if self.whole_pages <= 0 and self.short_pages > 0 else page
            self.whole_pages -= 1
            self.short_pages -= 1
            lines = [",".join(json.dumps(record.get(name, "").replace("+0000", "Z")) for name in names) for record in shown]
            text = "\n".join([",".join(f'"{name}"' for name in names), *lines]) + ("" if self.open_lines > 0 else "\n")
            self.open_lines -= 1
            content = text.encode().replace(b"<half an emoji>", b"\xed\xa0\xbd")
            return 200, content, {"Sforce-Locator": locator, "Sforce-NumberOfRecords": str(len(page))}
        state = next(self.states, "JobComplete")
        processed = len(self.records) if self.processed is None else self.processed
        return 200, {"id": "750A", "state": state, "numberRecordsProcessed": processed, "errorMessage": "out of luck"}

    def list_pages(self, parameters: dict[str, list[str]]) -> dict[str, Any]:
        first = int(parameters.get("locator", ["0"])[0])
        starts = range(first, len(self.records), 3000)[:2]
        last = starts[-1] + 3000
        urls = [{"resultUrl": f"/services/data/v66.0/jobs/query/750A/results?locator={start}"} for start in starts]
        done = last >= len(self.records)
        return {
            "resultPages": urls,
            "done": done,
            "nextRecordsUrl": None if done else f"/services/data/v66.0/jobs/query/750A/resultPages?locator={last}",
        }

    def client(self) -> SalesforceClient:
        session = SalesforceSession("https://login.example", ClientCredentials("id", "secret"), sleep=lambda _: None)
        session.mount("https://", FakeServer(self))
        return SalesforceClient(session, sleep=lambda _: None)


def ingest(org: Org, lake: Lake, object_name: str = "Lead", until: datetime = NOON) -> LandingReport:
    return ingest_object(org.client(), lake, object_name, until=until, run_id="run")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.mark.parametrize(("count", "api"), [(1, "rest"), (4001, "rest"), (10_000, "bulk")])
def test_small_windows_go_by_rest_and_large_ones_by_bulk(lake: Lake, monkeypatch: pytest.MonkeyPatch, count: int, api: str) -> None:
    monkeypatch.setattr(result_pages, "PAGE_ROWS", 4000)
    org = Org(count)
    report = ingest(org, lake)
    assert (report.landed, report.set_aside) == (count, 0)
    newest = lake.newest_load("salesforce__lead")
    assert newest is not None
    assert (newest.details["api"], newest.cursor) == (api, "2026-01-05T12:00:00.000Z")
    columns = lake.query("salesforce__lead", "select * exclude (_load_id, _known_from, _known_time_basis, _broken_rules) from lake")
    assert columns is not None
    assert columns.column_names == ["Id", "SystemModstamp", "OwnerId", "CreatedDate"]
    assert ("DELETE /jobs/query/750A" in org.asked) == (api == "bulk")


@pytest.mark.parametrize(("fields", "api"), [(100, "rest"), (600, "bulk")])
def test_a_query_too_long_for_an_address_goes_by_bulk_however_few_the_rows(lake: Lake, fields: int, api: str) -> None:
    org = Org(3)
    org.types |= {f"Custom_Field_Number_{number:04d}__c": "string" for number in range(fields)}
    assert ingest(org, lake).landed == 3
    org.records[1] |= {"SystemModstamp": "2026-01-05T12:30:00.000+0000", "Custom_Field_Number_0007__c": "changed"}
    org.states = iter(["InProgress"])
    report = ingest(org, lake, until=NOON + timedelta(hours=1))
    assert (report.landed, report.unchanged) == (1, 2)
    newest = lake.newest_load("salesforce__lead")
    assert newest is not None
    assert newest.details["api"] == api
    assert org.longest_address < 8_384  # of the 16,384 bytes that address and headers may have together, headers may need 8,000


@pytest.mark.parametrize(("count", "value", "landed"), [(3, "cut \ud83d", "cut \ufffd"), (10_000, "cut <half an emoji>", "cut \ufffd\ufffd\ufffd")])
def test_a_value_that_is_no_unicode_does_not_keep_its_object_from_landing(lake: Lake, count: int, value: str, landed: str) -> None:
    org = Org(count)
    org.types["Name"] = "string"
    org.records[1]["Name"] = value
    assert ingest(org, lake).landed == count
    names = lake.query("salesforce__lead", 'select "Name" from lake where "Name" is not null')
    assert names is not None
    assert names["Name"].to_pylist() == [landed]


def test_an_unexpected_error_says_which_object_was_read(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(client: SalesforceClient, lake: Lake, object_name: str, **_: object) -> LandingReport:
        if object_name == "Task":
            raise KeyError("a bug")
        return LandingReport(lake_table(object_name))

    monkeypatch.setattr(ingest_module, "ingest_object", stumble)
    with pytest.raises(KeyError, match="a bug") as caught:
        list(ingest_objects(Org(0).client(), lake, ["Lead", "Task", "Event"], until=NOON, run_id="run"))
    assert "Salesforce object Task" in " ".join(caught.value.__notes__)


def test_the_next_window_starts_before_the_last_one_ended(lake: Lake) -> None:
    ingest(Org(3), lake)
    report = ingest(Org(5), lake, until=NOON + timedelta(hours=1))
    assert (report.landed, report.unchanged) == (2, 3)
    newest = lake.newest_load("salesforce__lead")
    assert newest is not None
    assert newest.window == ("2026-01-05T11:50:00.000Z", "2026-01-05T13:00:00.000Z")


def test_a_window_without_records_costs_one_query(lake: Lake) -> None:
    org = Org(0)
    assert ingest(org, lake).version is None
    assert [asked for asked in org.asked if "query" in asked.lower()] == ["GET /queryAll/"]
    assert not any("describe" in asked for asked in org.asked)


def test_a_run_with_nothing_new_asks_for_limits_and_objects_once_and_counts_each_object(lake: Lake) -> None:
    org = Org(0)
    org.objects = ["Lead", "Task", "Event"]
    outcomes = list(ingest_objects(org.client(), lake, [*org.objects, "Territory2"], until=NOON, run_id="run"))
    assert [name for name, _ in outcomes] == ["Lead", "Task", "Event", "Territory2"]
    assert org.asked[1:] == ["GET /limits/", "GET /sobjects", *["GET /queryAll/"] * 3]


@pytest.mark.parametrize("name", ["Opportunity", "Territory2"])
def test_an_object_that_cannot_be_read_is_skipped_with_a_notice(lake: Lake, name: str) -> None:
    report = ingest(Org(1), lake, name)
    assert name in report.notice
    assert lake.tables() == []


def test_a_run_that_asks_for_an_earlier_instant_lands_nothing(lake: Lake) -> None:
    ingest(Org(3), lake)
    assert ingest(Org(9), lake, until=NOON - timedelta(days=1)).version is None


def make_history(count: int) -> Org:
    """An org with a standard history, which has no SystemModstamp."""
    org = Org(count)
    org.objects = ["CaseHistory"]
    org.types = {"Id": "id", "OwnerId": "reference", "CreatedDate": "datetime"}
    return org


def test_an_object_that_is_configured_is_read_by_the_stamp_it_has(lake: Lake) -> None:
    org = make_history(3)
    assert ingest(org, lake, "CaseHistory").landed == 3
    assert org.queries == [
        "SELECT count() FROM CaseHistory WHERE CreatedDate < 2026-01-05T12:00:00.000Z",
        "SELECT Id, OwnerId, CreatedDate FROM CaseHistory WHERE CreatedDate < 2026-01-05T12:00:00.000Z",
    ]


@pytest.mark.parametrize("name", ["CaseHistory", "Machine__c"])
def test_the_stamp_of_a_configured_object_is_asked_for_once_and_kept_with_its_first_load(lake: Lake, name: str) -> None:
    first, later = (make_history(3), make_history(0)) if name == "CaseHistory" else (Org(3), Org(0))
    first.objects = later.objects = [name]
    ingest(first, lake, name)
    assert ingest(later, lake, name, NOON + timedelta(hours=1)).version is None
    assert not any("describe" in asked for asked in later.asked)
    assert [query.split()[5] for query in later.queries] == [first.queries[0].split()[5]]


def test_an_object_without_a_stamp_is_refused(lake: Lake) -> None:
    org = make_history(3)
    del org.types["CreatedDate"]
    with pytest.raises(SalesforceRefused, match="CaseHistory has neither SystemModstamp nor CreatedDate") as caught:
        ingest(org, lake, "CaseHistory")
    assert caught.value.where == "objects in config/salesforce.yml"
    assert "Take CaseHistory out" in caught.value.fix
    assert org.queries == []
    assert lake.tables() == []


def write_settings(folder: Path, objects: str) -> Path:
    (folder / "salesforce.yml").write_text(f"objects: {objects}\n")
    return folder


@pytest.mark.parametrize(("first", "second"), [("Web_Visits__c", "WebVisits__c"), ("Lead", "lead"), ("OpportunityHistory", "Opportunity_History")])
def test_two_objects_that_would_land_in_one_table_are_refused(tmp_path: Path, first: str, second: str) -> None:
    objects = f"[Machine__c, {first}, {second}]" if first not in OBJECTS else f"[{second}]"
    with pytest.raises(OperatorFileError, match=f"{first} and {second} would both land in {lake_table(first)}") as caught:
        read_salesforce_settings(write_settings(tmp_path, objects))
    assert caught.value.where.endswith("salesforce.yml")


def test_an_object_that_is_named_twice_or_is_read_anyway_does_no_harm(tmp_path: Path) -> None:
    assert read_salesforce_settings(write_settings(tmp_path, "[Machine__c, Lead, Machine__c]")).objects == ("Machine__c", "Lead", "Machine__c")


def refuse(org: Org, lake: Lake, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        ingest(org, lake)
    assert lake.tables() == []


def test_a_rest_answer_that_comes_short_is_refused(lake: Lake) -> None:
    org = Org(2500)
    org.missing_from_rest = 1
    refuse(org, lake, CountMismatch, "says 2500 rows, 2499 were read")


@pytest.mark.parametrize("lists_pages", [True, False])
def test_every_page_of_a_job_is_read_once(lake: Lake, lists_pages: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_pages, "PAGE_ROWS", 4000)
    org = Org(17_000)
    org.lists_pages = lists_pages
    assert ingest(org, lake).landed == 17_000
    pages = [asked for asked in org.asked if asked.endswith("/results")]
    assert len(pages) == (6 if lists_pages else 5)
    assert sum(asked.endswith("/resultPages") for asked in org.asked) == (3 if lists_pages else 1)


def test_a_bulk_page_that_comes_short_is_asked_for_again(lake: Lake) -> None:
    org = Org(10_000)
    org.short_pages = 2
    assert ingest(org, lake).landed == 10_000


def test_a_record_longer_than_a_block_is_read_at_the_next_attempt(lake: Lake) -> None:
    org = Org(10_000)
    org.records[5]["OwnerId"] = "x" * (3 * BLOCK_BYTES)
    assert ingest(org, lake).landed == 10_000
    assert len([asked for asked in org.asked if asked.endswith("/results")]) == 4 + 1


@pytest.mark.parametrize("always", [False, True])
def test_a_page_that_ends_within_a_line_is_asked_for_once_more(lake: Lake, always: bool) -> None:
    org = Org(10_000)
    org.open_lines = 1000 if always else 1
    org.lists_pages = False  # 25,000 rows a page: one
    assert ingest(org, lake).landed == 10_000
    assert len([asked for asked in org.asked if asked.endswith("/results")]) == 2


def test_where_lines_stay_open_a_short_page_is_refused_all_the_same(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_pages, "PAGE_ROWS", 4000)
    org = Org(10_000)
    org.open_lines, org.lists_pages, org.whole_pages, org.short_pages = 1000, False, 2, 1000  # the first page is asked for twice
    refuse(org, lake, CountMismatch, "came broken 3 times: it holds 3999 rows, its header says 4000")


def test_a_full_disk_of_temporary_files_is_named(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    monkeypatch.setattr(result_pages.tempfile, "TemporaryFile", lambda **_: full.open("r+b"))
    refuse(Org(10_000), lake, StorageError, "No space left on device")


def test_a_bulk_page_that_keeps_coming_short_is_refused(lake: Lake) -> None:
    org = Org(10_000)
    org.short_pages = 1000
    refuse(org, lake, CountMismatch, "came broken 3 times")
    assert "DELETE /jobs/query/750A" in org.asked


def test_a_bulk_job_that_counts_otherwise_is_refused(lake: Lake) -> None:
    org = Org(10_000)
    org.processed = 10_001
    refuse(org, lake, CountMismatch, "says 10001 rows, 10000 were read")


@pytest.mark.parametrize("state", ["Failed", "Aborted"])
def test_a_bulk_job_that_ends_badly_says_why(lake: Lake, state: str) -> None:
    org = Org(10_000)
    org.states = iter(["InProgress", state])
    refuse(org, lake, SalesforceJobFailed, f"ended as {state}: out of luck")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]), "daily API limit"),
        ((400, [{"errorCode": "MALFORMED_QUERY", "message": "unexpected token"}]), "MALFORMED_QUERY"),
        ((406, "<html>"), "HTTP 406"),
        ((200, "<html>sign in</html>"), "not JSON"),
    ],
    ids=["limit", "query", "html error", "html page"],
)
def test_a_refusal_says_what_salesforce_said(lake: Lake, answer: Answer, said: str) -> None:
    org = Org(1)
    session = SalesforceSession("https://login.example", ClientCredentials("id", "secret"), sleep=lambda _: None)
    session.mount("https://", FakeServer(lambda request: answer if "queryAll" in str(request.url) else org(request)))
    with pytest.raises(SalesforceRefused) as caught:
        ingest_object(SalesforceClient(session), lake, "Lead", until=NOON, run_id="run")
    assert said in str(caught.value)
    assert lake.tables() == []


def test_connect_signs_in_before_anything_is_asked() -> None:
    with pytest.raises(Exception, match="not a web address"):
        connect("nonsense", ClientCredentials("id", "secret"))
