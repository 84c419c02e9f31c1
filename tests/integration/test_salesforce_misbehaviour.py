"""Salesforce misbehaves: each way of it ends in a lake equal to the source, or in a clear error with nothing landed and a next run that goes on.

Here are answers, connections and jobs that go wrong. What the org refuses to give for ever is in `test_salesforce_refusals`, records and fields that
change meanwhile in `test_salesforce_changing_org`.
"""

from __future__ import annotations

import shutil
import time
from decimal import Decimal
from pathlib import Path

import pytest

from ingestion.errors import (
    CountMismatch,
    SalesforceJobFailed,
    SalesforceRefused,
    SalesforceSignInError,
    SalesforceUnreachable,
)
from ingestion.landing import LandingReport
from ingestion.sources.salesforce import bulk as bulk_module
from ingestion.sources.salesforce import result_pages
from ingestion.sources.salesforce.client import SalesforceClient, connect
from ingestion.sources.salesforce.config_file import SalesforceReading
from ingestion.sources.salesforce.ingest import ingest_objects
from ingestion.sources.salesforce.objects import find_object
from ingestion.sources.salesforce.session import ClientCredentials
from simulation.servers import Endpoints
from storage.errors import SalesopsError
from storage.lake import Lake
from tests.support.fault_servers import ServerControl
from tests.support.misbehaving_org import (
    JSON,
    NOON,
    PLACES,
    Fault,
    Org,
    add_fault,
    choose_api,
    hours,
    land_the_rest,
    load_first,
    make_rows,
    refusal,
)

OLD, NEW = 3, 500
BULK_PAGE = 100
LATER = NOON + hours(1)
TOKEN = "/services/oauth2/token"

ONE_PAGE = r"/results\?locator=MC0xMDA$"  # the first, so that each fault meets the attempts at one page
BY_REST = ("describe", "count", "query", "page")
BY_BULK = ("create", "look", "listing", "results")

EXPIRED = refusal("INVALID_SESSION_ID", "Session expired or invalid", 401)
LIMIT = refusal("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403)
BUSY = {"kind": "status", "status": 503, "body": ""}
CALM = {
    "kind": "status",
    "status": 420,
    "body": "<html>Enhance your calm</html>",
    "headers": {"Content-Type": "text/html"},
}
GATEWAY = {
    "kind": "status",
    "status": 502,
    "body": "<html>Bad gateway</html>",
    "headers": {"Content-Type": "text/html"},
}
BROKEN = refusal("UNKNOWN_EXCEPTION", "An unexpected error occurred", 500)
BAD_QUERY = refusal("MALFORMED_QUERY", "unexpected token: WHERE")
LOGIN_PAGE = {
    "kind": "status",
    "status": 200,
    "body": "<html>Please sign in</html>",
    "headers": {"Content-Type": "text/html"},
}
DROP, DROP_INSIDE = {"kind": "drop"}, {"kind": "drop", "after_bytes": 40}
SLOW = {"kind": "slow", "seconds": 2.0}
CONFLICT = {"kind": "conflict"}
AT_A_ROW, IN_A_ROW, IN_A_VALUE = ({"kind": "truncate", "rows": 40, "within": within} for within in ("", "row", "value"))
IN_THE_LAST_VALUE = {"kind": "truncate", "rows": BULK_PAGE - 1, "within": "value"}
SHORT_COUNT, LONG_COUNT = {"kind": "wrong_count", "by": -1}, {"kind": "wrong_count", "by": 1}


@pytest.fixture
def control(control: ServerControl) -> ServerControl:
    control.set_bulk(page_rows=BULK_PAGE)
    return control


@pytest.fixture(scope="module")
def loaded(endpoints: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with the first load of an object: the records before noon."""
    return load_first(
        endpoints,
        tmp_path_factory.mktemp("loaded") / "lake",
        "Faulty__c",
        old=OLD,
        new=NEW,
        Text__c='more, than "one"\nline',
    )


@pytest.fixture
def org(endpoints: Endpoints, control: ServerControl, loaded: Path, tmp_path: Path) -> Org:
    """An object whose first load is in the lake, and which has many records since."""
    return Org(endpoints, control, Lake(shutil.copytree(loaded, tmp_path / "lake")), "Faulty__c")


def impatient(org: Org) -> SalesforceClient:
    """A client for which an answer is soon late; what it asks first it has asked already."""
    client = org.connect(timeout=(10, 1.0), patience=0.4)
    assert client.object_names
    assert client.fields(org.object_name)
    return client


class TestWhatPasses:
    """A fault that strikes once at each place is made good within the run."""

    @pytest.mark.parametrize(
        ("fault", "api", "places"),
        [
            pytest.param(fault, api, places, id=f"{name} by {api}")
            for name, fault in {
                "401": EXPIRED,
                "503 without JSON": BUSY,
                "420 HTML": CALM,
                "502": GATEWAY,
                "500": BROKEN,
                "drop": DROP,
                "drop inside": DROP_INSIDE,
            }.items()
            for api, places in (("rest", BY_REST), ("bulk", BY_BULK))
        ]
        + [
            pytest.param(fault, "bulk", ("results",), id=name)
            for name, fault in {
                "cut at a row": AT_A_ROW,
                "cut in a row": IN_A_ROW,
                "cut in a value": IN_A_VALUE,
                "cut in the last value": IN_THE_LAST_VALUE,
                "short count": SHORT_COUNT,
                "long count": LONG_COUNT,
            }.items()
        ]
        + [pytest.param(CONFLICT, "bulk", ("listing", "results"), id="409")],
    )
    def test_it_strikes_once(
        self, org: Org, monkeypatch: pytest.MonkeyPatch, fault: Fault, api: str, places: tuple[str, ...]
    ) -> None:
        choose_api(monkeypatch, api)
        for place in places:
            add_fault(org, place, fault)

        report = org.ingest(LATER)

        assert org.met() == [1] * len(places)
        assert report.landed == NEW
        assert org.newest_load().details["api"] == api
        org.assert_equal()
        # A job that the server made and could not report stays; no other one does.
        assert org.clear_jobs() == (["JobComplete"] if fault is DROP_INSIDE and api == "bulk" else [])

    @pytest.mark.parametrize(("api", "places"), [("rest", ("query", "page")), ("bulk", ("look", "results"))])
    def test_an_answer_that_is_late_is_asked_for_again(
        self, org: Org, monkeypatch: pytest.MonkeyPatch, api: str, places: tuple[str, ...]
    ) -> None:
        choose_api(monkeypatch, api)
        client = impatient(org)
        for place in places:
            add_fault(org, place, SLOW)

        assert org.ingest(LATER, client).landed == NEW
        assert org.met() == [1, 1]
        org.assert_equal()

    def test_a_compressed_page_that_breaks_off_is_asked_for_again(
        self, org: Org, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        choose_api(monkeypatch, "bulk")
        org.control.set_bulk(compress=True)
        add_fault(org, "results", DROP_INSIDE, times=3)

        assert org.ingest(LATER).landed == NEW
        assert org.met() == [3]
        org.assert_equal()

    def test_every_session_ends_while_a_job_runs(self, org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
        choose_api(monkeypatch, "bulk")
        client = org.connect()
        client.sleep = lambda _: org.control.expire_sessions()
        add_fault(org, "create", {"kind": "job_takes_looks", "looks": 3})
        before = org.control.requests()

        assert org.ingest(LATER, client).landed == NEW
        assert org.asked(before)[f"POST {TOKEN}"] == 3
        org.assert_equal()

    def test_pages_fetched_side_by_side_sign_in_once(self, org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
        choose_api(monkeypatch, "bulk")
        client = org.connect()
        assert client.object_names
        add_fault(org, "results", {"kind": "slow", "seconds": 0.05}, times=None)
        read_page = result_pages.ResultPages._read_page

        def read_after_the_end(pages: result_pages.ResultPages, address: str) -> result_pages._Page:
            if not ended:
                ended.append(address)
                org.control.expire_sessions()
            return read_page(pages, address)

        ended: list[str] = []
        monkeypatch.setattr(result_pages.ResultPages, "_read_page", read_after_the_end)
        before = org.control.requests()

        assert org.ingest(LATER, client).landed == NEW
        assert org.asked(before)[f"POST {TOKEN}"] == 1
        org.assert_equal()

    @pytest.mark.parametrize("fault", [DROP, DROP_INSIDE, BUSY, GATEWAY], ids=["drop", "drop inside", "503", "502"])
    def test_signing_in_again_goes_wrong_once(self, org: Org, fault: Fault) -> None:
        client = org.connect()
        org.control.expire_sessions()
        org.control.fault(path=TOKEN, **fault)

        assert org.ingest(LATER, client).landed == NEW
        assert org.met() == [1]
        org.assert_equal()


class TestWhatDoesNotPass:
    """A fault that strikes for ever fails the load, in words, and costs nothing: the next run brings everything."""

    @pytest.mark.parametrize(
        ("fault", "places", "kind", "said", "requests"),
        [
            pytest.param(EXPIRED, BY_REST + BY_BULK, SalesforceRefused, "INVALID_SESSION_ID", 2, id="401"),
            pytest.param(LIMIT, BY_REST + BY_BULK, SalesforceRefused, "daily API limit is used up", 1, id="limit"),
            pytest.param(
                BUSY,
                BY_REST + BY_BULK,
                SalesforceUnreachable,
                "answered HTTP 503 however often",
                10,
                id="503 without JSON",
            ),
            pytest.param(
                CALM, BY_REST + BY_BULK, SalesforceUnreachable, "answered HTTP 420 however often", 10, id="420 HTML"
            ),
            pytest.param(BAD_QUERY, ("query", "create"), SalesforceRefused, "MALFORMED_QUERY", 1, id="400"),
            pytest.param(GATEWAY, ("page", "results"), SalesforceRefused, "HTTP 502", 10, id="502"),
            pytest.param(BROKEN, ("create",), SalesforceRefused, "UNKNOWN_EXCEPTION", 10, id="500 at creation"),
            pytest.param(
                LOGIN_PAGE,
                ("query", "page", "create", "look", "listing"),
                SalesforceRefused,
                "not JSON",
                1,
                id="login page",
            ),
            pytest.param(
                LOGIN_PAGE, ("results",), CountMismatch, "does not say how many rows", 3, id="login page as results"
            ),
            pytest.param(
                DROP, BY_REST + BY_BULK, SalesforceUnreachable, "connection was refused or broken", 10, id="drop"
            ),
            pytest.param(
                DROP_INSIDE,
                ("query", "page", "create", "results"),
                SalesforceUnreachable,
                "broke off its answer",
                10,
                id="drop inside",
            ),
            pytest.param(CONFLICT, ("listing", "results"), CountMismatch, "in conflict (HTTP 409)", 3, id="409"),
            pytest.param(
                AT_A_ROW, ("results",), CountMismatch, "holds 40 rows, its header says 100", 3, id="cut at a row"
            ),
            pytest.param(IN_A_ROW, ("results",), CountMismatch, "its CSV cannot be read", 3, id="cut in a row"),
            pytest.param(IN_A_VALUE, ("results",), CountMismatch, "its CSV ends within a row", 3, id="cut in a value"),
            pytest.param(
                IN_THE_LAST_VALUE,
                ("results",),
                CountMismatch,
                "its CSV ends within a row",
                3,
                id="cut in the last value",
            ),
            pytest.param(
                SHORT_COUNT, ("results",), CountMismatch, "holds 100 rows, its header says 99", 3, id="header too low"
            ),
            pytest.param(
                LONG_COUNT, ("look",), CountMismatch, f"says {NEW + 1} rows, {NEW} were read", 1, id="job too high"
            ),
            pytest.param(
                SHORT_COUNT, ("look",), CountMismatch, f"says {NEW - 1} rows, {NEW} were read", 1, id="job too low"
            ),
            pytest.param(
                LONG_COUNT, ("query",), CountMismatch, f"says {NEW + 1} rows, {NEW} were read", 1, id="query too high"
            ),
            pytest.param(
                SHORT_COUNT, ("query",), CountMismatch, f"says {NEW - 1} rows, {NEW} were read", 1, id="query too low"
            ),
        ],
    )
    def test_it_strikes_for_ever(
        self,
        org: Org,
        monkeypatch: pytest.MonkeyPatch,
        fault: Fault,
        places: tuple[str, ...],
        kind: type[SalesopsError],
        said: str,
        requests: int,
    ) -> None:
        monkeypatch.setattr(result_pages, "PAGES_AT_ONCE", 1)
        for place in places:
            choose_api(monkeypatch, "rest" if place in BY_REST else "bulk")
            add_fault(org, place, fault, times=None, path=ONE_PAGE if place == "results" else PLACES[place]["path"])
            with org.refused(kind, said):
                org.ingest(LATER)
            assert org.met() == [requests], place
            org.control.clear_faults()
        land_the_rest(org, NEW)
        assert org.clear_jobs() == (["JobComplete"] * requests if fault is DROP_INSIDE else [])

    @pytest.mark.parametrize(("api", "place"), [("rest", "query"), ("bulk", "create"), ("bulk", "results")])
    def test_an_answer_that_never_comes(self, org: Org, monkeypatch: pytest.MonkeyPatch, api: str, place: str) -> None:
        choose_api(monkeypatch, api)
        client = impatient(org)
        monkeypatch.setattr(result_pages, "PAGES_AT_ONCE", 1)
        add_fault(org, place, SLOW, times=None, path=ONE_PAGE if place == "results" else PLACES[place]["path"])

        with org.refused(SalesforceUnreachable, "did not answer in time"):
            org.ingest(LATER, client)
        assert org.met() == [2]
        land_the_rest(org, NEW)
        deadline, made = time.monotonic() + 20, 0
        while place == "create" and made < 2:  # jobs that nobody heard of are made all the same
            made += len(org.clear_jobs())
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert org.clear_jobs() == []

    def test_an_org_under_maintenance_is_not_asked_for_the_next_object(self, org: Org) -> None:
        client = org.connect()
        add_fault(org, "count", BUSY, times=None)

        with org.refused(
            SalesforceUnreachable, "busy or under maintenance", "its cursor stays", "goes on from the cursor"
        ):
            list(
                ingest_objects(
                    client, org.lake, [find_object(org.object_name), find_object("Lead")], until=LATER, run_id="run"
                )
            )
        assert org.lake.tables() == [org.table]
        land_the_rest(org, NEW)

    @pytest.mark.parametrize(
        ("fault", "said"),
        [
            (
                {"kind": "job_fails", "looks": 2, "message": "InternalServerError : Try again later"},
                "ended as Failed: InternalServerError",
            ),
            ({"kind": "job_aborted", "looks": 2}, "ended as Aborted: Aborted by an administrator"),
        ],
        ids=["failed", "aborted"],
    )
    def test_a_job_that_ends_badly(self, org: Org, monkeypatch: pytest.MonkeyPatch, fault: Fault, said: str) -> None:
        choose_api(monkeypatch, "bulk")
        add_fault(org, "create", fault)

        with org.refused(SalesforceJobFailed, said, "Nothing landed and the cursor stays"):
            org.ingest(LATER)
        assert org.clear_jobs() == []
        land_the_rest(org, NEW)

    def test_a_job_that_never_ends_is_aborted_and_deleted(self, org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
        choose_api(monkeypatch, "bulk")
        monkeypatch.setattr(bulk_module, "JOB_DEADLINE_SECONDS", 0.2)
        add_fault(org, "create", {"kind": "job_never_ends"})

        with org.refused(SalesforceJobFailed, "did not end in", "was aborted", "smaller window"):
            org.ingest(LATER)
        assert org.clear_jobs() == []
        land_the_rest(org, NEW)

    @pytest.mark.parametrize(
        ("fault", "kind"), [(LIMIT, SalesforceRefused), (DROP, SalesforceUnreachable)], ids=["limit", "drop"]
    )
    def test_a_job_that_is_given_up_does_not_go_on_running(
        self, org: Org, monkeypatch: pytest.MonkeyPatch, fault: Fault, kind: type[SalesopsError]
    ) -> None:
        choose_api(monkeypatch, "bulk")
        add_fault(org, "create", {"kind": "job_never_ends"})
        add_fault(org, "look", fault, nth=3, times=10)

        with org.refused(kind):
            org.ingest(LATER)
        assert org.clear_jobs() == []
        land_the_rest(org, NEW)

    def test_a_count_that_says_nothing_is_there_moves_no_cursor(self, org: Org) -> None:
        add_fault(org, "count", {"kind": "wrong_count", "by": -NEW})
        before = org.newest_load()

        assert org.ingest(LATER).landed == 0
        assert org.newest_load() == before
        land_the_rest(org, NEW)


class TestSigningIn:
    def test_the_limit_at_login(self, org: Org) -> None:
        org.control.limit_exceeded(TOKEN, times=None)

        with org.refused(SalesforceRefused, "daily API limit is used up", "rolls over 24 hours"):
            org.connect()
        assert org.met() == [1]
        org.control.clear_faults()
        land_the_rest(org, NEW)

    def test_the_limit_when_signing_in_again(self, org: Org) -> None:
        client = org.connect()
        org.control.expire_sessions()
        org.control.limit_exceeded(TOKEN)

        with org.refused(SalesforceRefused, "daily API limit is used up"):
            org.ingest(LATER, client)
        land_the_rest(org, NEW)

    @pytest.mark.parametrize(
        ("fault", "said", "requests"),
        [
            (BUSY, "login server is busy or under maintenance: it answers 503", 10),
            (CALM, "login server is busy or under maintenance: it answers 420", 10),
            (DROP, "connection was refused or broken", 10),
        ],
        ids=["503", "420", "drop"],
    )
    def test_a_login_server_that_is_away(self, org: Org, fault: Fault, said: str, requests: int) -> None:
        client = org.connect()
        org.control.expire_sessions()
        org.control.fault(path=TOKEN, times=None, **fault)

        with org.refused(SalesforceUnreachable, said):
            org.ingest(LATER, client)
        assert org.met() == [requests]
        land_the_rest(org, NEW)

    def test_an_app_that_was_shut_out_meanwhile(self, org: Org) -> None:
        client = org.connect()
        org.control.expire_sessions()
        body = '{"error":"invalid_client","error_description":"invalid client credentials"}'
        org.control.fault("status", path=TOKEN, status=400, body=body, headers=JSON, times=None)

        with org.refused(SalesforceSignInError, "invalid client credentials", "SALESOPS_SALESFORCE_CLIENT_SECRET"):
            org.ingest(LATER, client)
        assert org.met() == [1]
        land_the_rest(org, NEW)

    def test_a_certificate_that_is_not_trusted_is_not_asked_twice(self, org: Org) -> None:
        waits: list[float] = []
        grant = ClientCredentials(org.endpoints.salesforce_client_id, org.endpoints.salesforce_client_secret)

        with org.refused(SalesforceUnreachable, "certificate is not trusted", "SALESOPS_SALESFORCE_CA_FILE"):
            connect(org.endpoints.salesforce_login_url, grant, sleep=waits.append)
        assert waits == []


class TestBudget:
    def test_the_share_is_reached_between_two_objects(
        self, org: Org, endpoints: Endpoints, control: ServerControl
    ) -> None:
        other = Org(endpoints, control, org.lake, "Other__c")
        other.put(*make_rows(10))
        reading = SalesforceReading(api_budget_share=Decimal("0.5"))
        control.set_limits(max=1000, used=490)
        client = org.connect()
        assert client.object_names
        control.set_limits(used=495)

        assert org.ingest(LATER, client, reading=reading).landed == NEW
        control.set_limits(used=500)
        before = control.requests()
        stopped = other.ingest(LATER, client, reading=reading)

        assert (stopped.landed, stopped.version) == (0, None)
        assert "Other__c was not read" in stopped.notice
        assert "of the org's 1,000 daily API requests are used, and reading stops at 50%" in stopped.notice
        assert "It goes on with the first run that finds fewer used" in stopped.notice
        assert stopped.is_undone
        assert org.asked(before) == {}
        assert other.lake.newest_load(other.table) is None

        control.set_limits(used=0)
        assert other.ingest(LATER, reading=reading).landed == 10
        other.assert_equal()

    def test_a_run_that_begins_with_the_share_used_up_reads_nothing(self, org: Org) -> None:
        org.control.set_limits(max=1000, used=900)
        before, requests = org.newest_load(), org.control.requests()

        stopped = org.ingest(LATER)

        assert "was not read" in stopped.notice
        assert org.newest_load() == before
        assert set(org.asked(requests)) == {f"POST {TOKEN}", "GET /services/data/v66.0/sobjects"}
        org.control.set_limits(used=0)
        land_the_rest(org, NEW)

    def test_requests_of_a_bulk_job_count_before_the_next_object_is_read(
        self, org: Org, endpoints: Endpoints, control: ServerControl, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        choose_api(monkeypatch, "bulk")
        other = Org(endpoints, control, org.lake, "Other__c")
        other.put(*make_rows(10))
        client, share = org.connect(), SalesforceReading(api_budget_share=Decimal("0.5"))
        assert client.object_names and client.fields(org.object_name)
        control.set_limits(
            max=1000, used=497
        )  # the count is the last of the share; what the job takes, none of its answers tells

        outcomes = dict(
            ingest_objects(
                client,
                org.lake,
                [find_object(org.object_name), find_object("Other__c")],
                until=LATER,
                run_id="run",
                reading=share,
            )
        )

        landed, stopped = outcomes[org.table], outcomes[find_object("Other__c").table]
        assert isinstance(landed, LandingReport) and isinstance(stopped, LandingReport)
        assert landed.landed == NEW
        assert org.newest_load().details["api"] == "bulk"
        assert "Other__c was not read" in stopped.notice
        assert other.lake.newest_load(other.table) is None

    @pytest.mark.parametrize(
        "fault",
        [
            refusal("INSUFFICIENT_ACCESS", "no access", 403),
            refusal("NOT_FOUND", "no such thing", 404),
            LOGIN_PAGE,
            {"kind": "status", "status": 200, "body": '{"DailyApiRequests":"many"}', "headers": JSON},
            BUSY,
        ],
        ids=["403", "404", "no JSON", "no figures", "503"],
    )
    def test_limits_that_the_user_may_not_see_fail_no_load(
        self, org: Org, monkeypatch: pytest.MonkeyPatch, fault: Fault
    ) -> None:
        choose_api(monkeypatch, "bulk")
        client = org.connect(patience=0)
        org.control.fault(path="/limits/?$", times=None, **fault)

        ((_, report),) = ingest_objects(client, org.lake, [find_object(org.object_name)], until=LATER, run_id="run")

        assert org.met() == [2]  # at the start and after the job
        assert isinstance(report, LandingReport)
        assert report.landed == NEW
        org.assert_equal()
