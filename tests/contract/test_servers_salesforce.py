"""The local Salesforce server against an unmodified client and against recordings of the real one."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
import yaml
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

from simulation.servers import Endpoints
from tests.servers_sample import CLOCK, LEADS, set_clock

API = "/services/data/v66.0"
DELETED = LEADS // 50
YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@pytest.fixture(scope="module")
def session(endpoints: Endpoints) -> Iterator[requests.Session]:
    """Trusts the local authority only; a proxy or CA variable of the machine does not reach it."""
    with requests.Session() as opened:
        opened.trust_env = False
        opened.verify = str(endpoints.ca_file)
        yield opened


def sign_in(session: requests.Session, endpoints: Endpoints, **changed: str) -> requests.Response:
    form = {
        "grant_type": "client_credentials",
        "client_id": endpoints.salesforce_client_id,
        "client_secret": endpoints.salesforce_client_secret,
    }
    return session.post(f"{endpoints.salesforce_login_url}/services/oauth2/token", data=form | changed)


@pytest.fixture
def sf(session: requests.Session, endpoints: Endpoints) -> Salesforce:
    answer = sign_in(session, endpoints).json()
    return Salesforce(
        instance_url=answer["instance_url"], session_id=answer["access_token"], session=session, version="66.0"
    )


@pytest.fixture
def get(sf: Salesforce, session: requests.Session, endpoints: Endpoints) -> Any:
    def fetch(
        path: str, method: str = "GET", headers: dict[str, str] | None = None, **options: Any
    ) -> requests.Response:
        sent = {"Authorization": f"Bearer {sf.session_id}"} | (headers or {})
        return session.request(method, endpoints.salesforce_login_url + path, headers=sent, **options)

    return fetch


def requests_used(get: Any) -> int:
    """Requests of the day, the one that asks included."""
    usage: str = get(f"{API}/limits").headers["Sforce-Limit-Info"]
    return int(usage.removeprefix("api-usage=").partition("/")[0])


def recorded_folder() -> Path:
    if "SALESOPS_REFERENCE_DATA" not in os.environ:
        pytest.skip("SALESOPS_REFERENCE_DATA is not set: the recordings are elsewhere")
    folder = Path(os.environ["SALESOPS_REFERENCE_DATA"]) / "salesforce_recorded"
    assert folder.is_dir()
    return folder


def recorded_describe(name: str) -> dict[str, Any]:
    cassette = yaml.load((recorded_folder() / "describe" / f"{name}.yaml").read_text(), YAML_LOADER)
    body: dict[str, Any] = json.loads(cassette["response"]["body"]["string"])
    return body


@cache
def recorded_exchange(method: str, address_part: str, status: int) -> tuple[dict[str, Any], Any]:
    """Headers and parsed body of the first recorded answer of that kind."""
    for file in sorted((recorded_folder() / "restforce_db").rglob("*.yml")):
        for exchange in yaml.load(file.read_text(), YAML_LOADER)["http_interactions"]:
            request, response = exchange["request"], exchange["response"]
            if request["method"] == method and address_part in request["uri"] and response["status"]["code"] == status:
                return response["headers"], json.loads(response["body"]["string"])
    raise AssertionError(f"no recorded {method} {address_part} with status {status}")


class TestSigningIn:
    def test_client_credentials(self, session: requests.Session, endpoints: Endpoints) -> None:
        answer = sign_in(session, endpoints)

        assert answer.status_code == 200
        _, recorded = recorded_exchange("post", "/services/oauth2/token", 200)
        assert set(recorded) <= set(answer.json())
        assert {key: type(value) for key, value in answer.json().items() if key in recorded} == {
            key: type(value) for key, value in recorded.items()
        }

    @pytest.mark.parametrize(
        ("changed", "error"),
        [
            ({"client_id": "wrong"}, "invalid_client_id"),
            ({"client_secret": "wrong"}, "invalid_client"),
            ({"grant_type": "password"}, "unsupported_grant_type"),
        ],
    )
    def test_refusals_are_an_object(
        self, session: requests.Session, endpoints: Endpoints, changed: dict[str, str], error: str
    ) -> None:
        answer = sign_in(session, endpoints, **changed)

        assert answer.status_code == 400
        assert set(answer.json()) == {"error", "error_description"}
        assert answer.json()["error"] == error

    @pytest.mark.parametrize(
        ("changed", "error"),
        [
            ({}, None),
            ({"sub": "somebody@northlight.example"}, "user hasn't approved this consumer"),
            ({"iss": "wrong"}, "client identifier invalid"),
            ({"aud": "https://elsewhere.example"}, "audience is invalid"),
            ({"exp": 1_000_000_000}, "expired authorization code"),
        ],
        ids=["good", "other user", "other consumer", "other audience", "expired"],
    )
    def test_jwt_bearer(
        self, session: requests.Session, endpoints: Endpoints, changed: dict[str, Any], error: str | None
    ) -> None:
        claims = {
            "iss": endpoints.salesforce_client_id,
            "sub": endpoints.salesforce_username,
            "aud": endpoints.salesforce_login_url,
            "exp": int(time.time()) + 180,
        }
        assertion = jwt.encode(claims | changed, endpoints.salesforce_private_key_file.read_text(), algorithm="RS256")
        answer = sign_in(
            session, endpoints, grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer", assertion=assertion
        )

        assert answer.json().get("error_description") == error
        assert ("access_token" in answer.json()) == (error is None)

    def test_without_a_session_nothing_is_answered(self, session: requests.Session, endpoints: Endpoints) -> None:
        answer = session.get(
            f"{endpoints.salesforce_login_url}{API}/sobjects", headers={"Authorization": "Bearer wrong"}
        )

        assert answer.status_code == 401
        assert answer.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]

    def test_an_unmodified_client_takes_a_refused_session_for_an_expired_one(
        self, session: requests.Session, endpoints: Endpoints
    ) -> None:
        sf = Salesforce(
            instance_url=endpoints.salesforce_login_url, session_id="wrong", session=session, version="66.0"
        )

        with pytest.raises(SalesforceExpiredSession):
            sf.query("SELECT Id FROM Lead LIMIT 1")

    def test_an_untrusted_certificate_is_refused(self, endpoints: Endpoints) -> None:
        with requests.Session() as fresh, pytest.raises(requests.exceptions.SSLError):
            fresh.trust_env = False
            fresh.get(f"{endpoints.salesforce_login_url}/services/data")

    def test_a_proxy_of_the_machine_does_not_come_between(
        self, session: requests.Session, endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")

        assert sign_in(session, endpoints).status_code == 200


class TestDescribe:
    def test_every_object_is_listed(self, sf: Salesforce) -> None:
        described = sf.describe()

        assert [entry["name"] for entry in described["sobjects"]] == ["Lead", "LeadHistory", "Opportunity"]
        assert described["sobjects"][0]["keyPrefix"] == "00Q"
        recorded = recorded_describe("Global")
        assert set(described) == set(recorded)
        assert set(recorded["sobjects"][0]) <= set(described["sobjects"][0])

    @pytest.mark.parametrize("name", ["Lead", "Opportunity"])
    def test_an_object_has_the_keys_and_types_of_the_recorded_one(self, sf: Salesforce, name: str) -> None:
        described, recorded = getattr(sf, name).describe(), recorded_describe(name)
        real = {field["name"]: field for field in recorded["fields"]}
        shared = [field for field in described["fields"] if field["name"] in real]

        assert set(recorded) <= set(described)
        assert len(shared) >= 8
        for field in described["fields"]:
            assert set(field) == set(recorded["fields"][0])
        for field in shared:
            for key in (
                "type",
                "soapType",
                "compoundFieldName",
                "nillable",
                "relationshipName",
                "calculated",
                "custom",
            ):
                assert field[key] == real[field["name"]][key], (field["name"], key)

    def test_picklists_show_the_values_in_use(self, sf: Salesforce) -> None:
        field = next(field for field in sf.Lead.describe()["fields"] if field["name"] == "Status")

        assert [value["value"] for value in field["picklistValues"]] == ["New", "Working"]

    def test_a_history_object_has_no_stamp(self, sf: Salesforce) -> None:
        types = {field["name"]: field["type"] for field in sf.LeadHistory.describe()["fields"]}

        assert "SystemModstamp" not in types
        assert (types["OldValue"], types["LeadId"]) == ("anyType", "reference")

    def test_an_unknown_object_is_not_found(self, sf: Salesforce) -> None:
        with pytest.raises(SalesforceResourceNotFound) as refused:
            sf.Nothing.describe()
        assert refused.value.content == [{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}]


class TestQuery:
    def test_all_pages_arrive_once(self, sf: Salesforce, get: Any) -> None:
        before = requests_used(get)
        rows = list(sf.query_all_iter("SELECT Id, LastName FROM Lead", include_deleted=True))

        assert len({row["Id"] for row in rows}) == len(rows) == LEADS
        assert requests_used(get) - before == 3 + 1  # the pages, and the question how many there were

    def test_a_page_has_the_shape_of_the_recorded_one(self, get: Any) -> None:
        page = get(f"{API}/query", params={"q": "SELECT Id, SystemModstamp, LastName, Email FROM Lead LIMIT 2"})
        headers, recorded = recorded_exchange("get", "/query?q=", 200)

        body = page.json()
        assert set(body) == set(recorded)
        assert set(body["records"][0]["attributes"]) == set(recorded["records"][0]["attributes"])
        assert body["records"][0]["attributes"]["url"] == f"{API}/sobjects/Lead/{body['records'][0]['Id']}"
        spelled = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000")
        assert all(spelled.fullmatch(rows["records"][0]["SystemModstamp"]) for rows in (body, recorded))
        assert page.headers["Content-Type"].replace(" ", "") == headers["Content-Type"][0]
        assert page.headers["Sforce-Limit-Info"].startswith("api-usage=")
        assert "Sforce-Limit-Info" in headers

    def test_the_batch_size_is_the_clients_wish_within_limits(self, get: Any) -> None:
        page = get(
            f"{API}/query", params={"q": "SELECT Id FROM Lead"}, headers={"Sforce-Query-Options": "batchSize=300"}
        ).json()
        rest = get(page["nextRecordsUrl"], headers={"Sforce-Query-Options": "batchSize=10"}).json()

        assert (len(page["records"]), page["done"], page["totalSize"]) == (300, False, LEADS - DELETED)
        assert len(rest["records"]) == 200

    def test_an_open_cursor_shows_the_moment_of_the_query(self, get: Any, simulation_dir: Path) -> None:
        page = get(f"{API}/query", params={"q": "SELECT Id, LastName FROM Lead ORDER BY SystemModstamp DESC"}).json()
        set_clock(simulation_dir, datetime(2026, 2, 1, tzinfo=UTC))
        try:
            rest = get(page["nextRecordsUrl"]).json()
            later = get(
                f"{API}/query", params={"q": "SELECT LastName FROM Lead WHERE Id = '00Q5g0000000002AAA'"}
            ).json()
        finally:
            set_clock(simulation_dir, CLOCK)

        assert "Future" not in {row["LastName"] for row in page["records"] + rest["records"]}
        assert later["records"][0]["LastName"] == "Future"

    def test_count(self, sf: Salesforce) -> None:
        assert sf.query("SELECT count() FROM Lead") == {"totalSize": LEADS - DELETED, "done": True, "records": []}

    def test_a_compound_address_is_an_object(self, sf: Salesforce) -> None:
        row = sf.query("SELECT Address FROM Lead LIMIT 1")["records"][0]

        assert (row["Address"]["country"], row["Address"]["city"]) == ("US", None)

    @pytest.mark.parametrize(
        ("soql", "code"),
        [
            ("SELEC Id FROM Lead", "MALFORMED_QUERY"),
            ("SELECT Shoe FROM Lead", "INVALID_FIELD"),
            ("SELECT Id FROM Shoe", "INVALID_TYPE"),
        ],
    )
    def test_a_wrong_query_is_refused_as_an_array(self, sf: Salesforce, soql: str, code: str) -> None:
        with pytest.raises(SalesforceMalformedRequest) as refused:
            sf.query(soql)

        assert refused.value.status == 400
        (only,) = refused.value.content
        assert set(only) == {"message", "errorCode"}
        assert only["errorCode"] == code

    def test_errors_have_the_keys_of_the_recorded_one(self, get: Any) -> None:
        _, recorded = recorded_exchange("delete", "/sobjects/", 404)
        (only,) = get(f"{API}/shoes").json()

        assert set(only) <= set(recorded[0])
        assert {key: type(value) for key, value in only.items()} == {"message": str, "errorCode": str}

    def test_an_unknown_cursor_is_refused(self, get: Any) -> None:
        answer = get(f"{API}/query/01g000000000000AAA-2000")

        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


class TestBulkQuery:
    def test_query_all_by_the_client_brings_every_record(self, sf: Salesforce) -> None:
        soql = "SELECT Id, IsDeleted, LastName, Company, SystemModstamp FROM Lead"
        pages = list(sf.bulk2.Lead.query_all(soql, max_records=2000, wait=0))
        rows = [row for page in pages for row in csv.DictReader(io.StringIO(page, newline=""))]
        by_rest = {row["Id"]: row for row in sf.query_all_iter(soql, include_deleted=True)}

        assert [page.count('"Id"') for page in pages] == [1, 1, 1]
        assert len(rows) == LEADS
        assert sum(row["IsDeleted"] == "true" for row in rows) == DELETED
        for row in rows:
            twin = by_rest[row["Id"]]
            assert (row["LastName"], row["Company"] or None) == (twin["LastName"], twin["Company"])
            assert row["SystemModstamp"] == twin["SystemModstamp"].replace("+0000", "Z")

    def test_a_job_from_making_to_deletion(self, get: Any) -> None:
        made = get(f"{API}/jobs/query", "POST", json={"operation": "query", "query": "SELECT Id FROM Lead"}).json()
        job = f"{API}/jobs/query/{made['id']}"
        shown = get(job).json()
        first = get(f"{job}/results", params={"maxRecords": 4000})
        last = get(f"{job}/results", params={"maxRecords": 4000, "locator": first.headers["Sforce-Locator"]})

        assert (made["state"], made["object"], made["operation"]) == ("UploadComplete", "Lead", "query")
        assert (shown["state"], shown["numberRecordsProcessed"], shown["jobType"]) == (
            "JobComplete",
            LEADS - DELETED,
            "V2Query",
        )
        assert (first.headers["Sforce-NumberOfRecords"], last.headers["Sforce-NumberOfRecords"]) == (
            "4000",
            str(LEADS - DELETED - 4000),
        )
        assert last.headers["Sforce-Locator"] == "null"
        assert first.headers["Content-Type"].startswith("text/csv")
        assert first.text.startswith('"Id"\n"00Q5g0000000001AAA"\n')
        assert (first.text + last.text).count("\n") == LEADS - DELETED + 2
        assert get(job, "DELETE").status_code == 204
        assert get(job).status_code == 404

    def test_no_records_leave_the_header(self, get: Any) -> None:
        made = get(
            f"{API}/jobs/query",
            "POST",
            json={"operation": "query", "query": "SELECT Id, LastName FROM Lead WHERE Id = ''"},
        ).json()
        page = get(f"{API}/jobs/query/{made['id']}/results")

        assert (page.text, page.headers["Sforce-NumberOfRecords"], page.headers["Sforce-Locator"]) == (
            '"Id","LastName"\n',
            "0",
            "null",
        )

    def test_delimiter_and_line_end_are_the_clients_wish(self, get: Any) -> None:
        asked = {
            "operation": "query",
            "query": "SELECT Id, Name FROM Opportunity LIMIT 1",
            "columnDelimiter": "PIPE",
            "lineEnding": "CRLF",
        }
        made = get(f"{API}/jobs/query", "POST", json=asked).json()

        assert get(f"{API}/jobs/query/{made['id']}/results").text == '"Id"|"Name"\r\n"0065g0000000001AAA"|"Deal 1"\r\n'

    def test_an_aborted_job_has_no_results(self, get: Any) -> None:
        made = get(f"{API}/jobs/query", "POST", json={"operation": "query", "query": "SELECT Id FROM Lead"}).json()
        job = f"{API}/jobs/query/{made['id']}"

        assert get(job, "PATCH", json={"state": "Aborted"}).json()["state"] == "Aborted"
        assert get(f"{job}/results").status_code == 400

    @pytest.mark.parametrize(
        ("asked", "code"),
        [
            ({"operation": "query", "query": "SELECT Shoe FROM Lead"}, "INVALID_FIELD"),
            ({"operation": "query", "query": "SELECT Id, Address FROM Lead"}, "FUNCTIONALITY_NOT_ENABLED"),
            ({"operation": "query", "query": "SELECT count() FROM Lead"}, "API_ERROR"),
            ({"operation": "insert", "query": "SELECT Id FROM Lead"}, "INVALIDJOB"),
        ],
        ids=["unknown field", "compound field", "count", "not a query"],
    )
    def test_what_bulk_cannot_do_is_refused(self, get: Any, asked: dict[str, str], code: str) -> None:
        answer = get(f"{API}/jobs/query", "POST", json=asked)

        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)

    def test_a_wrong_locator_is_refused(self, get: Any) -> None:
        made = get(
            f"{API}/jobs/query", "POST", json={"operation": "query", "query": "SELECT Id FROM Opportunity"}
        ).json()

        assert get(f"{API}/jobs/query/{made['id']}/results", params={"locator": "nonsense!"}).status_code == 400


@pytest.mark.parametrize("what", ["requests", "faults", "records/Lead"])
def test_there_are_no_routes_but_salesforces(get: Any, what: str) -> None:
    assert get(f"/simulation/{what}").status_code == 404


def test_the_versions_are_open_to_all(session: requests.Session, endpoints: Endpoints) -> None:
    versions = session.get(f"{endpoints.salesforce_login_url}/services/data").json()

    assert versions[-1] == {"label": "Release 66.0", "url": "/services/data/v66.0", "version": "66.0"}


@pytest.mark.parametrize(("spaces", "status"), [(12_000, 200), (14_000, 431), (16_400, 414)])
def test_an_address_and_headers_that_are_too_long_are_refused_before_the_api_sees_them(
    get: Any, spaces: int, status: int
) -> None:
    before = requests_used(get)
    answer = get(
        f"{API}/queryAll/",
        params={"q": f"SELECT Id FROM Lead{' ' * spaces}LIMIT 1"},
        headers={"X-Padding": "x" * 3_000},
    )
    assert answer.status_code == status
    assert status == 200 or f"Bad Message {status}" in answer.text
    assert requests_used(get) - before == (2 if status == 200 else 1)
