"""The Salesforce server with faults: what tests ask of it happens, with records, limits, and the result pages of a job too."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pytest
import requests

from simulation.servers import Endpoints
from tests.servers_sample import LEADS, write_company
from tests.support.fault_servers import ServerControl, ServerRefused, start_fault_servers

API = "/services/data/v66.0"
LIVING = LEADS - LEADS // 50
LEAD_1 = "00Q5g0000000001AAA"


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    with start_fault_servers(write_company(tmp_path_factory.mktemp("simulation"))) as started:
        yield started


@pytest.fixture
def control(endpoints: Endpoints) -> Iterator[ServerControl]:
    found = ServerControl(endpoints.salesforce_login_url, endpoints.ca_file)
    yield found
    found.clear_faults()
    found.set_limits(max=100_000, used=0)
    found.set_bulk(page_rows=50_000, compress=False)


class Caller:
    """Plain requests with a session, so that nothing comes between the server and the test."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.endpoints = endpoints
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(endpoints.ca_file)
        self.sign_in()

    def sign_in(self) -> requests.Response:
        secrets = {
            "client_id": self.endpoints.salesforce_client_id,
            "client_secret": self.endpoints.salesforce_client_secret,
        }
        answer = self("/services/oauth2/token", "POST", data={"grant_type": "client_credentials", **secrets})
        if answer.ok:
            self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return answer

    def __call__(self, path: str, method: str = "GET", **options: Any) -> requests.Response:
        return self.session.request(method, self.endpoints.salesforce_login_url + path, timeout=30, **options)

    def query(self, soql: str, all_rows: bool = True) -> requests.Response:
        return self(f"{API}/{'queryAll' if all_rows else 'query'}", params={"q": soql})

    def make_job(self, soql: str, version: str = API) -> str:
        made = self(f"{version}/jobs/query", "POST", json={"operation": "queryAll", "query": soql})
        assert made.ok, made.text
        return f"{version}/jobs/query/{made.json()['id']}"


@pytest.fixture(scope="module")
def call(endpoints: Endpoints) -> Caller:
    return Caller(endpoints)


def read_rows(page: requests.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(page.text, newline="")))


def code_of(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()[0]["errorCode"]


class TestAnyAnswer:
    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (503, ""),
            (420, "<html>Enhance your calm</html>"),
            (401, '[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]'),
        ],
        ids=["no JSON", "HTML", "session"],
    )
    def test_another_status(self, call: Caller, control: ServerControl, status: int, body: str) -> None:
        control.fault("status", path="/limits$", nth=2, status=status, body=body, headers={"Retry-After": "7"})

        answers = [call(f"{API}/limits") for _ in range(3)]

        assert [answer.status_code for answer in answers] == [200, status, 200]
        assert (answers[1].text, answers[1].headers["Retry-After"]) == (body, "7")

    def test_the_limit_at_sign_in(self, call: Caller, control: ServerControl) -> None:
        control.limit_exceeded("/services/oauth2/token")

        assert code_of(call.sign_in()) == (403, "REQUEST_LIMIT_EXCEEDED")
        assert call.sign_in().ok

    def test_only_requests_about_an_object(self, call: Caller, control: ServerControl) -> None:
        control.fault("status", object="Opportunity", status=503, times=None)

        assert call.query("SELECT Id FROM Lead LIMIT 1").ok
        assert call.query("SELECT Id FROM Opportunity LIMIT 1").status_code == 503
        assert call(f"{API}/sobjects/Opportunity/describe").status_code == 503
        assert (
            call(
                f"{API}/jobs/query", "POST", json={"operation": "query", "query": "SELECT Id FROM Opportunity"}
            ).status_code
            == 503
        )
        assert call(call.make_job("SELECT Id FROM Lead")).ok

    def test_a_page_and_a_job_are_about_their_object(self, call: Caller, control: ServerControl) -> None:
        following = call.query("SELECT Id FROM Lead").json()["nextRecordsUrl"]
        job = call.make_job("SELECT Id FROM Lead")
        control.fault("status", object="Lead", status=503, times=3)

        assert [call(path).status_code for path in (following, job, f"{job}/results", job)] == [503, 503, 503, 200]

    def test_a_slow_answer(self, call: Caller, control: ServerControl) -> None:
        control.fault("slow", path="/limits$", seconds=1.5)

        with pytest.raises(requests.ReadTimeout):
            call.session.get(call.endpoints.salesforce_login_url + f"{API}/limits", timeout=0.3)
        started = time.monotonic()
        assert call(f"{API}/limits").ok
        assert time.monotonic() - started < 1

    def test_a_connection_dropped_before_the_answer(self, call: Caller, control: ServerControl) -> None:
        control.fault("drop", path="/limits$")

        with pytest.raises(requests.ConnectionError):
            call(f"{API}/limits")
        assert call(f"{API}/limits").ok

    @pytest.mark.parametrize("after_bytes", [1, 5000, 10_000_000])
    def test_a_connection_dropped_within_the_body(self, call: Caller, control: ServerControl, after_bytes: int) -> None:
        job = call.make_job("SELECT Id, LastName FROM Lead")
        control.fault("drop", path="/results", after_bytes=after_bytes)

        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
            call(f"{job}/results")
        assert len(read_rows(call(f"{job}/results"))) == LEADS

    def test_the_faults_set_show_whom_they_met(self, call: Caller, control: ServerControl) -> None:
        control.fault("status", path="/limits$", status=503)
        for _ in range(3):
            call(f"{API}/limits")

        (found,) = control.faults()
        assert (found["kind"], found["fitting"], found["met"]) == ("status", 3, 1)

    def test_what_is_no_fault_is_refused(self, control: ServerControl) -> None:
        with pytest.raises(ServerRefused) as refused:
            control.fault("earthquake")
        assert refused.value.where == "POST /simulation/faults"


class TestCounts:
    @pytest.mark.parametrize(
        ("within", "lines", "open_quotes"),
        [("", [4, 4, 4], 0), ("row", [4, 4, 4, 1], 0), ("value", [4, 4, 4, 4], 1)],
        ids=["at a row", "within a row", "within a value"],
    )
    def test_a_truncated_page_claims_to_be_whole(
        self, call: Caller, control: ServerControl, within: str, lines: list[int], open_quotes: int
    ) -> None:
        job = call.make_job("SELECT Id, Status, Email, OwnerId FROM Lead")
        control.fault("truncate", rows=2, within=within)

        page, again = call(f"{job}/results"), call(f"{job}/results")

        assert [len(line.split(",")) for line in page.text.splitlines()] == lines
        assert page.text.count('"') % 2 == open_quotes
        assert again.text.startswith(page.text)
        assert page.headers["Sforce-NumberOfRecords"] == again.headers["Sforce-NumberOfRecords"] == str(LEADS)
        assert page.headers["Sforce-Locator"] == "null"

    def test_a_wrong_number_of_records_in_a_page(self, call: Caller, control: ServerControl) -> None:
        job = call.make_job("SELECT Id FROM Lead")
        control.fault("wrong_count", path="/results", by=-1)

        page, again = call(f"{job}/results"), call(f"{job}/results")

        assert (page.headers["Sforce-NumberOfRecords"], again.headers["Sforce-NumberOfRecords"]) == (
            str(LEADS - 1),
            str(LEADS),
        )
        assert page.text == again.text

    def test_a_wrong_number_of_records_in_a_job_and_in_a_query(self, call: Caller, control: ServerControl) -> None:
        job = call.make_job("SELECT Id FROM Lead")
        control.fault("wrong_count", path=r"/jobs/query/\w+$", by=3)
        control.fault("wrong_count", path=r"/queryAll\?", by=-2)

        assert [call(job).json()["numberRecordsProcessed"] for _ in range(2)] == [LEADS + 3, LEADS]
        assert [call.query("SELECT Id FROM Lead").json()["totalSize"] for _ in range(2)] == [LEADS - 2, LEADS]


class TestJobs:
    @pytest.mark.parametrize(
        ("kind", "state"), [("job_fails", "Failed"), ("job_aborted", "Aborted"), ("job_takes_looks", "JobComplete")]
    )
    def test_a_job_ends_after_some_looks(self, call: Caller, control: ServerControl, kind: str, state: str) -> None:
        control.fault(kind, object="Lead", looks=2, message="the reason")
        job = call.make_job("SELECT Id FROM Lead")

        assert code_of(call(f"{job}/results")) == (400, "INVALIDJOBSTATE")
        shown = [call(job).json() for _ in range(4)]
        assert [job["state"] for job in shown] == ["InProgress", "InProgress", state, state]
        assert shown[3].get("errorMessage") == "the reason"
        assert call(f"{job}/results").ok == (state == "JobComplete")
        assert call(job, "DELETE").status_code == 204

    def test_a_job_that_never_ends_can_be_aborted(self, call: Caller, control: ServerControl) -> None:
        control.fault("job_never_ends")
        job = call.make_job("SELECT Id FROM Lead")

        assert {call(job).json()["state"] for _ in range(20)} == {"InProgress"}
        assert code_of(call(job, "DELETE")) == (400, "INVALIDJOBSTATE")
        assert call(job, "PATCH", json={"state": "Aborted"}).json()["state"] == "Aborted"
        assert call(job).json()["state"] == "Aborted"
        assert call(job, "DELETE").status_code == 204

    def test_a_conflict_at_the_results(self, call: Caller, control: ServerControl) -> None:
        job = call.make_job("SELECT Id FROM Lead")
        control.fault("conflict", nth=2)

        assert [call(f"{job}/results").status_code for _ in range(3)] == [200, 409, 200]


class TestFields:
    def test_a_field_vanishes(self, call: Caller, control: ServerControl) -> None:
        control.records("Vanishing__c", [{"Id": "a015g0000000001AAA", "Name": "x", "Code__c": "7"}])
        control.fault("vanish_field", object="Vanishing__c", field="Code__c", method="POST", path="/jobs/query$")

        assert call.query("SELECT Code__c FROM Vanishing__c").ok
        refused = call(
            f"{API}/jobs/query", "POST", json={"operation": "query", "query": "SELECT Code__c FROM Vanishing__c"}
        )
        assert code_of(refused) == (400, "INVALID_FIELD")
        assert code_of(call.query("SELECT Code__c FROM Vanishing__c")) == (400, "INVALID_FIELD")
        assert "Code__c" not in {
            field["name"] for field in call(f"{API}/sobjects/Vanishing__c/describe").json()["fields"]
        }

    def test_a_field_comes_with_a_value_in_every_record_and_no_new_stamp(
        self, call: Caller, control: ServerControl
    ) -> None:
        before = {
            row["Id"]: row["SystemModstamp"]
            for row in call.query("SELECT Id, SystemModstamp FROM Opportunity").json()["records"]
        }
        control.fault("add_field", object="Opportunity", field="Region_Code__c", type="INTEGER", value=49)
        control.records("Opportunity", [{"Id": "0065g0000000999AAA", "Name": "New"}])

        rows = call.query("SELECT Id, SystemModstamp, Region_Code__c FROM Opportunity").json()["records"]
        fields = {field["name"]: field for field in call(f"{API}/sobjects/Opportunity/describe").json()["fields"]}

        assert (fields["Region_Code__c"]["type"], fields["Region_Code__c"]["custom"]) == ("int", True)
        assert {row["Region_Code__c"] for row in rows} == {49}
        assert {row["Id"]: row["SystemModstamp"] for row in rows if row["Id"] in before} == before

    def test_describe_calls_a_field_another_type(self, call: Caller, control: ServerControl) -> None:
        control.fault("retype_field", object="Lead", field="NumberOfEmployees", type="string")

        field = next(
            each
            for each in call(f"{API}/sobjects/Lead/describe").json()["fields"]
            if each["name"] == "NumberOfEmployees"
        )
        assert (field["type"], field["soapType"], field["length"]) == ("string", "xsd:string", 255)
        assert (
            call.query(f"SELECT NumberOfEmployees FROM Lead WHERE Id = '{LEAD_1}'").json()["records"][0][
                "NumberOfEmployees"
            ]
            == 1
        )

    def test_a_column_declared_with_another_type_changes_for_all_records(
        self, call: Caller, control: ServerControl
    ) -> None:
        control.records("Recast__c", [{"Id": f"a02{number:012}AAA", "Size__c": number} for number in range(3)])
        control.records(
            "Recast__c", [{"Id": "a02000000000009AAA", "Size__c": "about 50"}], types={"Size__c": "VARCHAR"}
        )

        assert [row["Size__c"] for row in control.present("Recast__c")] == ["0", "1", "2", "about 50"]
        field = next(
            each for each in call(f"{API}/sobjects/Recast__c/describe").json()["fields"] if each["name"] == "Size__c"
        )
        assert field["type"] == "string"


class TestRecords:
    def test_a_change_keeps_what_it_does_not_name(self, call: Caller, control: ServerControl) -> None:
        lead = "00Q5g0000000007AAA"
        soql = f"SELECT Id, LastName, Email, Status, IsDeleted, SystemModstamp FROM Lead WHERE Id = '{lead}'"
        (before,) = call.query(soql).json()["records"]
        control.records("Lead", [{"Id": lead, "Status": "Old"}, {"Id": lead, "Status": "Qualified"}])

        (after,) = call.query(soql).json()["records"]

        assert after == before | {"Status": "Qualified"}

    def test_values_arrive_as_they_were_sent(self, call: Caller, control: ServerControl) -> None:
        values = ["NA", "", 'say "hi",\r\nthen go', "a\x00b", "null", "  spaced  ", "Zoë 🙂"]
        stamps = {"IsDeleted": False, "SystemModstamp": "2026-01-09T00:00:00Z"}
        rows = [{"Id": f"a04{number:012}AAA", "Text__c": value, **stamps} for number, value in enumerate(values)]
        control.records("Spelled__c", [*rows, {"Id": "a04000000000099AAA", "Text__c": None, **stamps}])
        soql = "SELECT Text__c, IsDeleted, SystemModstamp FROM Spelled__c ORDER BY Id"

        by_rest = call.query(soql).json()["records"]
        by_bulk = read_rows(call(call.make_job(soql) + "/results"))

        assert [row["Text__c"] for row in by_rest] == [*values, None]
        assert [row["Text__c"] for row in by_bulk] == [*values, ""]
        assert {(row["IsDeleted"], row["SystemModstamp"]) for row in by_bulk} == {("false", "2026-01-09T00:00:00.000Z")}
        assert [row["Text__c"] for row in control.present("Spelled__c")] == [*(value or None for value in values), None]

    def test_thousands_of_rows_share_a_stamp(self, call: Caller, control: ServerControl) -> None:
        stamp = "2026-01-08T07:06:05.000Z"
        control.records(
            "Task",
            [
                {"Id": f"00T5g{number:010}AAA", "Subject": f"Call {number}", "SystemModstamp": stamp}
                for number in range(20_000)
            ],
        )

        job = call.make_job(
            f"SELECT Id, Subject FROM Task WHERE SystemModstamp >= {stamp} AND SystemModstamp < 2026-01-08T07:06:06Z"
        )

        assert len({row["Id"] for row in read_rows(call(f"{job}/results"))}) == 20_000

    def test_deleted_merged_restored_and_purged(self, call: Caller, control: ServerControl) -> None:
        one, two, three = (f"0015g{number:010}AAA" for number in range(3))
        control.records(
            "Account",
            [{"Id": each, "Name": each, "IsDeleted": False, "MasterRecordId": None} for each in (one, two, three)],
        )

        control.records(
            "Account", [{"Id": two, "IsDeleted": True}, {"Id": three, "IsDeleted": True, "MasterRecordId": one}]
        )
        assert [row["Id"] for row in call.query("SELECT Id FROM Account", all_rows=False).json()["records"]] == [one]
        assert (
            call.query(f"SELECT MasterRecordId FROM Account WHERE Id = '{three}'").json()["records"][0][
                "MasterRecordId"
            ]
            == one
        )

        control.records("Account", [{"Id": two, "IsDeleted": False}])
        control.purge("Account", [three])
        assert [row["Id"] for row in call.query("SELECT Id FROM Account").json()["records"]] == [one, two]
        assert call.query("SELECT Id FROM Account", all_rows=False).json()["totalSize"] == 2

    def test_a_record_of_the_company_is_purged(self, call: Caller, control: ServerControl) -> None:
        history = "0175g0000000005AAA"
        control.purge("LeadHistory", [history])

        assert call.query(f"SELECT Id FROM LeadHistory WHERE Id = '{history}'").json()["totalSize"] == 0
        assert len(control.present("LeadHistory")) == 99

    @pytest.mark.parametrize("name", ["EmailMessage", "EventRelation", "ForecastingQuota", "UserTerritory2Association"])
    def test_an_object_that_the_company_lacks(self, call: Caller, control: ServerControl, name: str) -> None:
        assert call(f"{API}/sobjects/{name}/describe").status_code == 404
        assert code_of(call.query(f"SELECT Id FROM {name}")) == (400, "INVALID_TYPE")

        row = {
            "Id": "aaa5g0000000001AAA",
            "IsDeleted": False,
            "QuotaAmount": 12.5,
            "StartDate": "2026-01-01",
            "OwnerId": "0055g0000000001AAA",
        }
        control.records(name, [row | {"CreatedDate": "2026-01-01T10:00:00.000+0000"}])

        types = {field["name"]: field["type"] for field in call(f"{API}/sobjects/{name}/describe").json()["fields"]}
        wanted = {
            "IsDeleted": "boolean",
            "QuotaAmount": "double",
            "StartDate": "date",
            "OwnerId": "reference",
            "CreatedDate": "datetime",
        }
        assert types == {"Id": "id"} | wanted
        (found,) = call.query(f"SELECT Id, IsDeleted, QuotaAmount, StartDate, OwnerId FROM {name}").json()["records"]
        assert {key: found[key] for key in row} == row
        assert name in {entry["name"] for entry in call(f"{API}/sobjects").json()["sobjects"]}

    def test_present_rows_are_those_of_a_job(self, call: Caller, control: ServerControl) -> None:
        names = [
            field["name"]
            for field in call(f"{API}/sobjects/Lead/describe").json()["fields"]
            if field["type"] != "address"
        ]
        rows = read_rows(call(call.make_job(f"SELECT {', '.join(names)} FROM Lead ORDER BY Id") + "/results"))

        assert control.present("Lead") == [{name: value or None for name, value in row.items()} for row in rows]

    def test_rows_without_an_id_are_refused(self, control: ServerControl) -> None:
        with pytest.raises(ServerRefused) as refused:
            control.records("Lead", [{"LastName": "Nobody"}])
        assert refused.value.where == "POST /simulation/records"

    @pytest.mark.parametrize("api", ["rest", "bulk"])
    def test_records_change_between_two_pages(self, call: Caller, control: ServerControl, api: str) -> None:
        name = f"Edited_{api}__c"
        control.records(name, [{"Id": f"a03{number:012}AAA", "State__c": "before"} for number in range(500)])
        control.fault(
            "edit_while_paging",
            object=name,
            rows=[{"Id": f"a03{499:012}AAA", "State__c": "after"}],
            purged=[f"a03{0:012}AAA"],
        )
        soql = f"SELECT Id, State__c FROM {name}"
        if api == "rest":
            small = {"Sforce-Query-Options": "batchSize=300"}
            first = call(f"{API}/queryAll", params={"q": soql}, headers=small).json()
            seen = first["records"] + call(first["nextRecordsUrl"], headers=small).json()["records"]
        else:
            results = call.make_job(soql) + "/results"
            first = call(results, params={"maxRecords": 300})
            second = call(results, params={"maxRecords": 300, "locator": first.headers["Sforce-Locator"]})
            seen = read_rows(first) + read_rows(second)

        assert (len(seen), {row["State__c"] for row in seen}) == (500, {"before"})
        later = call.query(soql).json()["records"]
        assert (len(later), later[-1]["State__c"]) == (499, "after")


def test_expired_sessions_are_refused_until_the_next_sign_in(call: Caller, control: ServerControl) -> None:
    control.expire_sessions()

    assert code_of(call(f"{API}/limits")) == (401, "INVALID_SESSION_ID")
    assert call.sign_in().ok
    assert call(f"{API}/limits").ok


def test_a_request_that_the_front_end_refuses_meets_no_fault_and_is_not_counted(
    call: Caller, control: ServerControl
) -> None:
    control.fault("status", path="/queryAll", status=503)
    before = control.requests()

    assert call.query(f"SELECT Id FROM Lead{' ' * 16_400}LIMIT 1").status_code == 414
    assert control.requests() == before
    assert call.query("SELECT Id FROM Lead LIMIT 1").status_code == 503


class TestLimits:
    def test_the_day_has_as_many_requests_as_set(self, call: Caller, control: ServerControl) -> None:
        control.set_limits(max=1000, used=990)

        answer = call(f"{API}/limits")
        assert answer.headers["Sforce-Limit-Info"] == "api-usage=991/1000"
        assert answer.json()["DailyApiRequests"] == {"Max": 1000, "Remaining": 9}
        jobs = call(f"{API}/jobs/query")
        assert jobs.ok and "Sforce-Limit-Info" not in jobs.headers  # counted all the same
        assert call(f"{API}/limits").headers["Sforce-Limit-Info"] == "api-usage=993/1000"

        control.set_limits(used=1000)
        assert code_of(call.query("SELECT Id FROM Lead")) == (403, "REQUEST_LIMIT_EXCEEDED")
        assert call.sign_in().ok


class TestResultPages:
    def test_pages_read_in_parallel_are_all_rows_once(self, call: Caller, control: ServerControl) -> None:
        control.set_bulk(page_rows=700)
        job = call.make_job("SELECT Id FROM Lead")
        addresses: list[str] = []
        answer: dict[str, Any] = {"nextRecordsUrl": f"{job}/resultPages", "done": False}
        sizes = []
        while not answer["done"]:
            answer = call(answer["nextRecordsUrl"]).json()
            control.set_bulk(page_rows=50)  # the pages stay as they were cut
            assert set(answer) == {"resultPages", "nextRecordsUrl", "done"}
            sizes.append(len(answer["resultPages"]))
            addresses += [page["resultUrl"] for page in answer["resultPages"]]
        assert (sizes, answer["nextRecordsUrl"]) == ([5, 2], None)
        assert all(f"{job}/results?locator=" in address for address in addresses)

        with ThreadPoolExecutor(4) as pool:
            pages = list(pool.map(call, reversed(addresses)))

        assert [page.headers["Sforce-NumberOfRecords"] for page in pages] == ["300", *["700"] * 6]
        ids = [row["Id"] for page in reversed(pages) for row in read_rows(page)]
        assert len(set(ids)) == len(ids) == LEADS
        assert [page.headers["Sforce-Locator"] for page in reversed(pages)] == [
            *(each.split("=")[1] for each in addresses[1:]),
            "null",
        ]

    def test_no_rows_are_one_page_with_a_header(self, call: Caller) -> None:
        job = call.make_job("SELECT Id FROM Lead WHERE Id = ''")

        answer = call(f"{job}/resultPages").json()

        assert answer["done"]
        (page,) = answer["resultPages"]
        assert call(page["resultUrl"]).text == '"Id"\n'

    def test_versions_that_do_not_know_them_or_are_not_the_jobs(self, call: Caller) -> None:
        old = call.make_job("SELECT Id FROM Lead", "/services/data/v57.0")
        new = call.make_job("SELECT Id FROM Lead")

        assert call(f"{old}/resultPages").status_code == 404
        assert call(new.replace("v66.0", "v65.0") + "/resultPages").status_code == 409
        assert call(new.replace("v66.0", "v65.0") + "/results").status_code == 409
        assert call(f"{old}/results").ok

    def test_an_unfinished_job_and_a_wrong_locator(self, call: Caller, control: ServerControl) -> None:
        control.fault("job_takes_looks", looks=1)
        job = call.make_job("SELECT Id FROM Lead")

        assert code_of(call(f"{job}/resultPages")) == (400, "INVALIDJOBSTATE")
        assert [call(job).json()["state"] for _ in range(2)] == ["InProgress", "JobComplete"]
        assert code_of(call(f"{job}/resultPages?locator=nonsense!")) == (400, "INVALIDLOCATOR")

    def test_pages_are_compressed_where_asked(self, call: Caller, control: ServerControl) -> None:
        job = call.make_job("SELECT Id, Status FROM Lead")
        plain = call(f"{job}/results")
        control.set_bulk(compress=True)

        packed, unwanted = call(f"{job}/results"), call(f"{job}/results", headers={"Accept-Encoding": "identity"})

        assert "Content-Encoding" not in plain.headers
        assert (packed.headers["Content-Encoding"], packed.text) == ("gzip", plain.text)
        assert int(packed.headers["Content-Length"]) < len(plain.content) / 3
        assert ("Content-Encoding" in unwanted.headers, unwanted.text) == (False, plain.text)


def test_a_file_without_versions_is_served_as_it_lies(tmp_path: Path) -> None:
    write_company(tmp_path, leads=3, calls=3, mail=3)
    file = tmp_path / "company" / "salesforce" / "Big__c.parquet"
    rows = "select 'a09' || lpad(i::varchar, 12, '0') || 'AAA' as \"Id\", timestamptz '2026-01-01 00:00:00Z' + to_seconds(i) as \"SystemModstamp\""
    duckdb.connect().execute(f"copy ({rows} from range(200000) numbers (i)) to '{file}' (format parquet)")
    with start_fault_servers(tmp_path) as endpoints:
        call, control = Caller(endpoints), ServerControl(endpoints.salesforce_login_url, endpoints.ca_file)
        control.records("Big__c", [{"Id": "a09000000000007AAA", "SystemModstamp": "2026-02-02T00:00:00Z"}])
        job = call.make_job("SELECT Id, SystemModstamp FROM Big__c")
        ids = [
            row["Id"]
            for page in call(f"{job}/resultPages").json()["resultPages"]
            for row in read_rows(call(page["resultUrl"]))
        ]

        assert len(set(ids)) == len(ids) == 200_000
        changed = call.query("SELECT Id FROM Big__c WHERE SystemModstamp >= 2026-02-01T00:00:00Z").json()["records"]
        assert [row["Id"] for row in changed] == ["a09000000000007AAA"]
