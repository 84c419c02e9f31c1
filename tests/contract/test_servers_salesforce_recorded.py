"""The local Salesforce server against recordings of the real one: what was asked there is asked here.

Each cassette is played: what it writes is passed to the server (`/simulation/records`, because the server is there to be read), every query is
asked again as it was, and its answer must be the recorded one, row for row.

Where the server differs on purpose:
- Writing through the API is refused with 404: our client never writes, and tests tell records instead.
- A condition on a parent's field (`Friend__r.Email`) is refused as an unknown field: our queries name the object's own fields only.
- The identity URL that a sign-in names is not served: nothing of ours asks for it.
- Answers come with `Content-Length` instead of chunks, without cookies and without ETag.
- `describe`: labels, page layouts, child relationships and what only matters to who writes (defaults, permissions, mergeable …).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from simulation.company import create_company
from simulation.servers import start_servers
from tests.contract.test_fault_servers import API, Caller
from tests.contract.test_servers_salesforce import recorded_describe, recorded_folder
from tests.support.fault_servers import ServerControl, start_fault_servers

YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
PLACEHOLDER = "/services/data/<api_version>"
PARENT_FIELD = re.compile(r"__r\.")
STAMPS = {"IsDeleted": "BOOLEAN", "SystemModstamp": "TIMESTAMP"}
OBJECTS = {
    "CustomObject__c": ["SynchronizationId__c", "LastModifiedById", "Name", "Example_Field__c", "Friend__c"],
    "CustomObjectDetail__c": ["LastModifiedById", "Name", "CustomObject__c"],
    "Contact": ["LastModifiedById", "Email", "LastName"],
}
"""What the cassettes write to, with the columns that their queries name."""

Exchange = dict[str, Any]


def list_cassettes() -> list[Path]:
    try:
        folder = recorded_folder() / "restforce_db"
    except pytest.skip.Exception:
        return []
    return sorted(folder.rglob("*.yml"))


CASSETTES = list_cassettes()


def read_cassette(file: Path) -> list[Exchange]:
    exchanges: list[Exchange] = yaml.load(file.read_text(), YAML_LOADER)["http_interactions"]
    return exchanges


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulation")
    create_company(folder, "tiny", 7)
    (folder / "company" / "salesforce" / "Contact.parquet").rename(folder / "Contact.parquet")
    return folder


@pytest.fixture(scope="module")
def served(company: Path) -> Iterator[tuple[Caller, ServerControl]]:
    with start_fault_servers(company) as endpoints:
        control = ServerControl(endpoints.salesforce_login_url, endpoints.ca_file)
        for name, columns in OBJECTS.items():
            types = dict.fromkeys(columns, "VARCHAR") | STAMPS | {"Visible__c": "BOOLEAN"}
            control.records(name, [{"Id": "none", **dict.fromkeys(types)}], types)
            control.purge(name, ["none"])
        for name, column in (("CustomObject__c", "Friend__c"), ("CustomObjectDetail__c", "CustomObject__c")):
            control.fault("retype_field", object=name, field=column, type="reference")
        yield Caller(endpoints), control


class Player:
    """Plays one cassette: tells what it writes, asks what it asks."""

    def __init__(self, call: Caller, control: ServerControl) -> None:
        self.call = call
        self.control = control
        self.played = 0

    def play(self, exchange: Exchange) -> None:
        request, response = exchange["request"], exchange["response"]
        path = urlsplit(request["uri"].replace(PLACEHOLDER, API)).path
        kind = next((kind for kind in ("/query", "/sobjects", "/oauth2/token", "/id/") if kind in path), "")
        body = json.loads(response["body"]["string"] or "null")
        if kind == "/query":
            self.ask(request["uri"], body, response["headers"])
        elif kind == "/sobjects" and request["method"] != "get":
            self.write(request, path, body, response["status"]["code"])
        elif kind == "/sobjects":
            self.describe(path, body, response["headers"])
        elif kind == "/oauth2/token":
            self.sign_in(body, response["headers"])
        elif kind != "/id/":
            answer = self.call(path)
            assert set(answer.json()) - set(body) <= {"jobs"}  # younger than the recording
            assert_same_headers(answer.headers, response["headers"])
        self.played += 1

    def ask(self, address: str, recorded: dict[str, Any], headers: dict[str, list[str]]) -> None:
        (soql,) = parse_qs(urlsplit(address).query)["q"]
        for row in recorded["records"]:
            self.control.records(
                row["attributes"]["type"], [{key: value for key, value in row.items() if key != "attributes"}]
            )
        answer = self.call(f"{API}/query", params={"q": soql})
        if PARENT_FIELD.search(soql):
            assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_FIELD")
            return
        assert answer.status_code == 200
        spelled = json.loads(answer.text.replace(API, PLACEHOLDER))
        assert spelled | {"records": []} == recorded | {"records": []}
        assert [list(row) for row in spelled["records"]] == [list(row) for row in recorded["records"]]
        assert by_id(spelled["records"]) == by_id(recorded["records"])
        assert_same_headers(answer.headers, headers)

    def write(self, request: dict[str, Any], path: str, answered: Any, status: int) -> None:
        name, *place = path.partition("/sobjects/")[2].split("/")
        refused = self.call(path, request["method"].upper(), data=request["body"]["string"])
        assert refused.status_code == 404
        assert [set(each) for each in refused.json()] == [{"message", "errorCode"}]
        if status == 404:
            assert set(refused.json()[0]) <= set(answered[0])
            return
        if request["method"] == "delete":
            self.control.records(name, [{"Id": place[-1], "IsDeleted": True}])
            return
        record = (answered or {}).get("id") or (place[-1] if len(place) == 1 else None)
        if record is not None:
            known = {*OBJECTS[name], "Visible__c"}
            stated = {key: value for key, value in json.loads(request["body"]["string"]).items() if key in known}
            defaults = (
                {"Visible__c": True} if status == 201 and name == "CustomObject__c" else {}
            )  # as the recorded answers show
            self.control.records(name, [{"Id": record, "IsDeleted": False, **defaults, **stated}])

    def describe(self, path: str, recorded: dict[str, Any], headers: dict[str, list[str]]) -> None:
        answer = self.call(path)
        described = answer.json()
        assert set(recorded) - set(described) == set()
        real = {field["name"]: field for field in recorded["fields"]}
        for field in described["fields"]:
            assert set(real["Id"]) - set(field) == set()
            if field["name"] in real:
                assert (field["name"], field["type"]) == (field["name"], real[field["name"]]["type"])
        assert_same_headers(answer.headers, headers)

    def sign_in(self, recorded: dict[str, Any], headers: dict[str, list[str]]) -> None:
        answer = self.call.sign_in()
        assert answer.status_code == 200
        assert {key: type(value) for key, value in answer.json().items() if key in recorded} == {
            key: type(value) for key, value in recorded.items()
        }
        assert_same_headers(answer.headers, headers)


def by_id(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["Id"]: row for row in rows}


def assert_same_headers(ours: Any, recorded: dict[str, list[str]]) -> None:
    for name in ("Content-Type", "Cache-Control", "Pragma"):
        assert ours.get(name) == (recorded[name][0] if name in recorded else None), name
    assert ("Sforce-Limit-Info" in ours) == ("Sforce-Limit-Info" in recorded)
    if "Sforce-Limit-Info" in ours:
        spelled = re.compile(r"api-usage=\d+/\d+")
        assert all(spelled.fullmatch(value) for value in (ours["Sforce-Limit-Info"], recorded["Sforce-Limit-Info"][0]))


@pytest.mark.parametrize("cassette", CASSETTES or [None], ids=lambda file: file.stem if file else "recordings")
def test_a_cassette_is_answered_as_recorded(cassette: Path | None, served: tuple[Caller, ServerControl]) -> None:
    recorded_folder()
    assert cassette is not None
    call, control = served
    player = Player(call, control)
    exchanges = read_cassette(cassette)
    for exchange in exchanges:
        player.play(exchange)
    for name in OBJECTS:
        control.purge(name, [str(row["Id"]) for row in control.present(name)])
    assert player.played == len(exchanges) > 0


def test_every_recorded_exchange_is_played() -> None:
    recorded_folder()

    assert len(CASSETTES) == 80
    assert sum(len(read_cassette(file)) for file in CASSETTES) == 573


NOT_EXPORTED = {
    # A data export writes a person's name in parts, an event's begin as ActivityDateTime, and is older than some fields.
    "Contact": {"Name"},
    "Event": {"StartDateTime", "EndDateTime"},
    "Lead": {"Name"},
    "OpportunityContactRole": {"IsPrimary"},
    "Task": {"TaskSubtype"},
    "Territory2": {"CreatedDate", "CreatedById", "DeveloperName"},
    "User": {"Name"},
}
KEYS_THAT_A_READER_NEEDS = [
    *(
        "type",
        "soapType",
        "length",
        "byteLength",
        "precision",
        "scale",
        "digits",
        "nillable",
        "compoundFieldName",
        "calculated",
        "custom",
    ),
    *(
        "relationshipName",
        "namePointing",
        "polymorphicForeignKey",
        "filterable",
        "sortable",
        "groupable",
        "queryByDistance",
    ),
    *("createable", "nameField", "autoNumber", "encrypted", "externalId", "unique"),
]


class TestDescribe:
    """Every standard field of the objects that both have, as recorded in another organization."""

    @pytest.fixture(scope="class")
    def call(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
        folder = tmp_path_factory.mktemp("simulation")
        create_company(folder, "tiny", 7)
        with start_servers(folder) as endpoints:
            yield Caller(endpoints)

    @pytest.mark.parametrize("name", ["Account", "Contact", "Event", "Lead", "Opportunity", "OpportunityContactRole"])
    def test_fields(self, call: Caller, name: str) -> None:
        described, recorded = call(f"{API}/sobjects/{name}/describe").json(), recorded_describe(name)
        real = {field["name"]: field for field in recorded["fields"]}
        shared = [field for field in described["fields"] if field["name"] in real]

        assert set(recorded) - set(described) == set()
        assert {field["name"] for field in described["fields"] if not field["custom"]} - set(real) <= {
            "CurrencyIsoCode",
            "Territory2Id",
        }
        assert len(shared) >= 8
        for field in shared:
            ours = {key: field[key] for key in KEYS_THAT_A_READER_NEEDS}
            assert ours == {key: real[field["name"]][key] for key in KEYS_THAT_A_READER_NEEDS}, field["name"]
            assert set(field["referenceTo"]) <= set(real[field["name"]]["referenceTo"])
            assert bool(field["referenceTo"]) == bool(real[field["name"]]["referenceTo"])

    def test_every_field_has_the_recorded_keys(self, call: Caller) -> None:
        recorded = set(recorded_describe("Lead")["fields"][0])
        for listed in call(f"{API}/sobjects").json()["sobjects"]:
            for field in call(f"{API}/sobjects/{listed['name']}/describe").json()["fields"]:
                assert set(field) == recorded, (listed["name"], field["name"])

    def test_the_list_of_objects(self, call: Caller) -> None:
        described, recorded = call(f"{API}/sobjects").json(), recorded_describe("Global")
        real = {entry["name"]: entry for entry in recorded["sobjects"]}
        shared = [entry for entry in described["sobjects"] if entry["name"] in real]

        assert {key: described[key] for key in described if key != "sobjects"} == {
            key: recorded[key] for key in recorded if key != "sobjects"
        }
        assert len(shared) >= 10
        for entry in described["sobjects"]:
            assert set(recorded["sobjects"][0]) - set(entry) == set()
        for entry in shared:
            for key in ("queryable", "retrieveable", "replicateable", "custom", "customSetting", "deprecatedAndHidden"):
                assert entry[key] == real[entry["name"]][key], (entry["name"], key)

    def test_standard_fields_have_the_names_of_a_data_export(self, call: Caller) -> None:
        exported: dict[str, list[str]] = json.loads(
            (recorded_folder() / "salesforce_export_standard_headers.json").read_text()
        )
        compared = 0
        for listed in call(f"{API}/sobjects").json()["sobjects"]:
            name = listed["name"]
            if name in exported:
                fields = call(f"{API}/sobjects/{name}/describe").json()["fields"]
                standard = {field["name"] for field in fields if not field["custom"] and field["type"] != "address"}
                assert standard - set(exported[name]) <= NOT_EXPORTED.get(name, set()), name
                compared += 1
        assert compared >= 14
