"""Erasing a person: gone from every version of every table and from its log; everything else as it was."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import CommitProperties, write_deltalake

from ingestion.personal_data import PERSONAL_DATA
from storage.erasure import ERASURE_TABLE, erase_person
from storage.erasure.person import ErasureError, Person, find_person
from storage.erasure.rewriting import Replacing
from storage.lake import METADATA_KEY, Lake, LoadRecord, stamp_rows
from storage.upkeep import compact
from tests.conftest import minutes_long
from tests.s3_server import BUCKET, serve_s3

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ANN = "ann.smith@customer.example"
Row = dict[str, str | None]
# Ann as a lead, converted into a contact who changed her name and address later; Bob works with her; Joann's address ends like hers.
LEADS: list[Row] = [
    {
        "Id": "00Q1",
        "SystemModstamp": "1",
        "Email": "Ann.Smith@Customer.example",
        "FirstName": "Ann",
        "LastName": "Smith",
        "Name": "Ann Smith",
        "Phone": "(415) 200-0017",
        "Status": "Open",
        "ConvertedContactId": None,
        "Company": "Spruce Optics",
        "Favourite_Dish__c": "pelmeni",
    },
    {
        "Id": "00Q1",
        "SystemModstamp": "2",
        "Email": ANN,
        "FirstName": "Ann",
        "LastName": "Smith",
        "Name": "Ann Smith",
        "Phone": "(415) 200-0017",
        "Status": "Qualified",
        "ConvertedContactId": "0031",
        "Company": "Spruce Optics",
        "Favourite_Dish__c": "pelmeni",
    },
    {
        "Id": "00Q2",
        "SystemModstamp": "1",
        "Email": f"jo{ANN}",
        "FirstName": "Joann",
        "LastName": "Smith",
        "Name": "Joann Smith",
        "Phone": "+1 415 300 0001",
        "Status": "Open",
        "ConvertedContactId": None,
        "Company": "Spruce Optics",
        "Favourite_Dish__c": "borscht",
    },
]
CONTACTS: list[Row] = [
    {
        "Id": "0031",
        "SystemModstamp": "1",
        "Email": "ann.miller@home.example",
        "Name": "Ann Miller",
        "Phone": "+14152000017",
        "MobilePhone": "4153335555",
    },
    {
        "Id": "0032",
        "SystemModstamp": "1",
        "Email": "bob@customer.example",
        "Name": "Bob Stone",
        "Phone": "+14154440000",
        "MobilePhone": None,
        "Referrer_Email__c": ANN,
    },
]
OTHERS: dict[str, list[Row]] = {
    "salesforce__lead_history": [
        {"Id": "h1", "LeadId": "00Q1", "Field": "Status", "OldValue": "Open", "NewValue": "Qualified"},
        {"Id": "h2", "LeadId": "00Q1", "Field": "LastName", "OldValue": "Jones", "NewValue": "Smith"},
        {"Id": "h3", "LeadId": "00Q2", "Field": "LastName", "OldValue": "Jones", "NewValue": "Smith"},
    ],
    "salesforce__task": [
        {"Id": "t1", "WhoId": "0031", "Subject": "Call about the pelmeni", "Status": "Completed"},
        {
            "Id": "t2",
            "WhoId": "00Q2",
            "Subject": "Ask ann smith; cc ANN.smith@customer.example ann.smith@customer.example, joann.smith@customer.example",
            "Status": "Open",
        },
        {"Id": "t3", "WhoId": None, "Subject": "Joann Smithers", "Status": "Open"},
    ],
    "salesforce__account": [{"Id": "001", "Name": "Spruce Optics", "Phone": "415-200-0017"}],
    "salesforce__user": [{"Id": "005", "Email": "rep@northlight.example", "Name": "Rita Rep", "Phone": "+16460000001"}],
    "telephony__call": [
        {
            "sid": "CA1",
            "from": "+16460000001",
            "to": "+14152000017",
            "to_formatted": "(415) 200-0017",
            "duration": "60",
            "caller_name": "SMITH ANN",
        },
        {
            "sid": "CA2",
            "from": "+16460000001",
            "to": "+14153000001",
            "to_formatted": "(415) 300-0001",
            "duration": "4152000017",
            "caller_name": "X",
        },
    ],
    "telephony__ringcentral_call": [
        {
            "id": "RC1",
            "from__phoneNumber": "+14154440000",
            "to__name": "Desk",
            "remark": "[call back] (415) 200-0017",
            "legs": '[{"duration":60,"from":{"phoneNumber":"+14154440000","name":"BOB"}},'
            '{"duration":9,"from":{"name":"SMITH A {x}","phoneNumber":"+1 (415) 200-0017 ","device":{"id":"7"}},"to":{"extensionNumber":"12"}},'
            '{"duration":3,"to":{"phoneNumber":14152000017,"name":"SMITH A"},"note":"back at 415.200.0017, 9 am"}]',
        },
        {
            "id": "RC2",
            "from__phoneNumber": "+14154440000",
            "to__name": "Desk",
            "legs": '[{"duration":4152000017,"from":{"phoneNumber":"+4152000017000"}}]',
        },
    ],
    "mail__message": [
        {
            "message_id": "<1@x>",
            "from_address": "rep@northlight.example",
            "to_addresses": f'["{ANN}", "bob@customer.example"]',
            "subject": "pelmeni",
        },
        {
            "message_id": "<2@x>",
            "from_address": "rep@northlight.example",
            "to_addresses": '["bob@customer.example"]',
            "subject": "borscht",
        },
    ],
}


def table_of(rows: list[Row]) -> pa.Table:
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in names})


def fill(lake: Lake) -> None:
    for table, rows in {"salesforce__lead": LEADS, "salesforce__contact": CONTACTS, **OTHERS}.items():
        for number, row in enumerate(rows, start=1):  # a load each, so that old files stay behind compaction
            name = f"{table}:{number:06d}"
            broken = pa.array(["some_rule" if row.get("SystemModstamp") == "1" else None], pa.string())
            stamped = stamp_rows(table_of([row]), load_id=name, known_from=NOW, broken_rules=broken)
            lake.commit(
                table,
                stamped,
                LoadRecord(name, NOW.isoformat(), 1, 1, cursor=f"c{number}"),
                once=("salesops_load", number),
            )


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake")
    fill(lake)
    return lake


def rows_of(lake: Lake, table: str) -> list[dict[str, object]]:
    found = lake.query(table, "select * exclude (_known_from, _known_time_basis) from lake order by all")
    assert found is not None
    rows: list[dict[str, object]] = found.to_pylist()
    return rows


def everything_in(folder: Path) -> str:
    """Every byte of every file, and every value of every Parquet file, whose pages are compressed; lower case."""
    texts = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            texts.append(path.read_bytes().decode("latin-1"))
            if path.suffix == ".parquet":
                texts.append(
                    "\x00".join(str(value) for column in pq.read_table(path).columns for value in column.to_pylist())
                )
    return "\x00".join(texts).lower()


def test_a_person_is_gone_from_every_version_and_the_rest_stays(lake: Lake) -> None:
    compact(lake, ["salesforce__lead"])
    before = {table: rows_of(lake, table) for table in lake.tables()}
    loads = {table: list(lake.loads(table)) for table in lake.tables()}
    fingerprint = lake.snapshot().fingerprint

    report = erase_person(lake, f" {ANN.upper()} ", PERSONAL_DATA, erased_at=NOW, run_id="run-1")

    assert report.records == 2
    assert report.rows_changed == {
        "mail__message": 1,
        "salesforce__account": 1,
        "salesforce__contact": 2,  # herself, and the address in Bob's record
        "salesforce__lead": 2,
        "salesforce__lead_history": 1,
        "salesforce__task": 2,
        "telephony__call": 1,
        "telephony__ringcentral_call": 1,
    }
    assert set(before) | {ERASURE_TABLE} == set(lake.tables())
    assert {table: len(rows) for table, rows in before.items()} == {
        table: len(rows_of(lake, table)) for table in before
    }
    assert {table: list(lake.loads(table)) for table in before} == loads
    assert lake.snapshot().fingerprint != fingerprint

    leads = rows_of(lake, "salesforce__lead")
    assert [row for row in leads if row["Id"] == "00Q2"] == [
        row for row in before["salesforce__lead"] if row["Id"] == "00Q2"
    ]
    kept = {
        "Id": "00Q1",
        "SystemModstamp": "2",
        "Status": "Qualified",
        "ConvertedContactId": "0031",
        "_load_id": "salesforce__lead:000002",
    }
    gone = dict.fromkeys(
        ("Email", "FirstName", "LastName", "Name", "Phone", "Company", "Favourite_Dish__c", "_broken_rules")
    )
    assert {**gone, **kept} in leads
    history = {row["Id"]: (row["OldValue"], row["NewValue"]) for row in rows_of(lake, "salesforce__lead_history")}
    assert history == {"h1": ("Open", "Qualified"), "h2": (None, None), "h3": ("Jones", "Smith")}
    tasks = {row["Id"]: row for row in rows_of(lake, "salesforce__task")}
    placeholder = str(tasks["t2"]["Subject"]).split()[3]
    assert placeholder.startswith("erased-") and placeholder.endswith("@erased.invalid")
    assert tasks["t2"]["Subject"] == f"Ask [erased]; cc {placeholder} {placeholder}, joann.smith@customer.example"
    assert (tasks["t1"]["Subject"], tasks["t1"]["Status"], tasks["t3"]["Subject"]) == (
        None,
        "Completed",
        "Joann Smithers",
    )
    calls = {row["sid"]: row for row in rows_of(lake, "telephony__call")}
    assert [calls["CA1"][name] for name in ("from", "to", "to_formatted", "caller_name", "duration")] == [
        "+16460000001",
        None,
        None,
        None,
        "60",
    ]
    assert calls["CA2"] in before["telephony__call"]
    passed_on, other = sorted(rows_of(lake, "telephony__ringcentral_call"), key=lambda row: str(row["id"]))
    bob = {"duration": 60, "from": {"phoneNumber": "+14154440000", "name": "BOB"}}
    hers = [{"duration": 9, "from": {}, "to": {"extensionNumber": "12"}}, {"duration": 3, "to": {}, "note": None}]
    assert json.loads(str(passed_on["legs"])) == [bob, *hers]
    assert (passed_on["from__phoneNumber"], passed_on["remark"]) == ("+14154440000", None)
    assert other in before["telephony__ringcentral_call"]
    first, second = sorted(rows_of(lake, "mail__message"), key=lambda row: str(row["message_id"]))
    assert json.loads(str(first["to_addresses"])) == [placeholder, "bob@customer.example"] and first["subject"] is None
    assert second in before["mail__message"]

    assert isinstance(lake.root, Path)
    held = everything_in(lake.root)
    for personal in (
        "pelmeni",
        "ann miller",
        "14152000017",
        "200-0017",
        "4153335555",
        "ann.miller@home.example",
        "ann smith\x00",
        "smith a",
    ):
        assert personal not in held.replace("joann smith", ""), personal
    assert held.replace(f"jo{ANN}", "").count(ANN) == 0
    assert "borscht" in held and "joann smith" in held  # the search sees what is there


def test_the_log_says_that_it_was_done_and_for_nobody_in_particular(lake: Lake) -> None:
    report = erase_person(lake, ANN, PERSONAL_DATA, erased_at=NOW, run_id="run-1")
    logged = lake.query(
        ERASURE_TABLE, "select erasure_id, table_name, rows_changed, run_id, _known_from from lake order by table_name"
    )
    assert logged is not None
    assert (
        dict(zip(logged["table_name"].to_pylist(), logged["rows_changed"].to_pylist(), strict=True))
        == report.rows_changed
    )
    assert set(logged["run_id"].to_pylist()) == {"run-1"} and set(logged["_known_from"].to_pylist()) == {
        NOW.replace(tzinfo=None)
    }
    assert ANN not in repr(find_person(lake, ANN, PERSONAL_DATA)) and ANN not in str(report)


def test_cursors_and_loads_go_on_after_it(lake: Lake) -> None:
    erase_person(lake, ANN, PERSONAL_DATA, erased_at=NOW, run_id="run-1")
    newest = lake.newest_load("salesforce__lead")
    assert newest is not None and newest.cursor == "c3"
    name = "salesforce__lead:000004"
    rows = stamp_rows(table_of([{**LEADS[2], "SystemModstamp": "2"}]), load_id=name, known_from=NOW)
    lake.commit(
        "salesforce__lead", rows, LoadRecord(name, NOW.isoformat(), 1, 1, cursor="c4"), once=("salesops_load", 4)
    )
    assert len(rows_of(lake, "salesforce__lead")) == 4
    compact(lake)
    assert len(rows_of(lake, "salesforce__lead")) == 4


def test_statistics_that_an_older_version_kept_in_the_log_are_cleaned(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    for row in LEADS:
        stamped = stamp_rows(table_of([row]), load_id="l", known_from=NOW)
        record = LoadRecord("l", NOW.isoformat(), 1, 1, details={"note": f"asked for by {ANN}"})
        write_deltalake(
            lake.uri("salesforce__lead"),
            stamped,
            mode="append",
            commit_properties=CommitProperties({METADATA_KEY: record.to_json()}),
        )
    opened = lake.open("salesforce__lead")
    assert opened is not None
    opened.create_checkpoint()
    assert ANN in everything_in(tmp_path / "lake" / "salesforce__lead" / "_delta_log")

    erase_person(lake, ANN, PERSONAL_DATA, erased_at=NOW, run_id="run-1")

    log = everything_in(tmp_path / "lake" / "salesforce__lead" / "_delta_log").replace(f"jo{ANN}", "")
    assert ANN not in log and "pelmeni" not in log
    assert len(rows_of(lake, "salesforce__lead")) == 3 and len(list(lake.loads("salesforce__lead"))) == 3


def test_a_name_or_number_that_others_share_stays_where_nobody_can_say_whose_it_is(lake: Lake) -> None:
    twin: Row = {**LEADS[2], "Id": "00Q9", "Name": "Ann Smith", "FirstName": "Ann", "Phone": "+1 (415) 200-0017"}
    stamped = stamp_rows(table_of([twin]), load_id="twin", known_from=NOW)
    lake.commit("salesforce__lead", stamped, LoadRecord("twin", NOW.isoformat(), 1, 1))
    report = erase_person(lake, ANN, PERSONAL_DATA, erased_at=NOW, run_id="run-1")
    assert report.shared == 2
    tasks = {row["Id"]: str(row["Subject"]) for row in rows_of(lake, "salesforce__task")}
    assert tasks["t2"].startswith("Ask ann smith; cc erased-")
    assert "(415) 200-0017" in {row["to_formatted"] for row in rows_of(lake, "telephony__call")}
    assert "Ann Smith" in {row["Name"] for row in rows_of(lake, "salesforce__lead") if row["Id"] == "00Q9"}
    assert "Ann Smith" not in {row["Name"] for row in rows_of(lake, "salesforce__lead") if row["Id"] == "00Q1"}


def test_staff_nobody_and_no_address_are_refused_without_repeating_it(lake: Lake) -> None:
    before = lake.snapshot()
    for address, expected in (
        ("Rep@northlight.example", "member of staff"),
        ("nobody@customer.example", "names this address"),
        ("ann smith", "not one mail address"),
    ):
        with pytest.raises(ErasureError, match=expected) as caught:
            erase_person(lake, address, PERSONAL_DATA, erased_at=NOW, run_id="run-1")
        assert address.lower() not in str(caught.value).lower() and caught.value.fix
    assert lake.snapshot() == before


@pytest.mark.parametrize("killed_at", ["mail__message", "salesforce__contact", "salesforce__lead"])
def test_an_erasure_that_was_killed_is_finished_by_the_next(lake: Lake, killed_at: str) -> None:
    compact(lake)

    def kill(table: str) -> None:
        if table == killed_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        erase_person(lake, ANN, PERSONAL_DATA, erased_at=NOW, run_id="run-1", on_table=kill)
    erase_person(lake, ANN, PERSONAL_DATA, erased_at=NOW, run_id="run-2", resumed=True)
    assert isinstance(lake.root, Path)
    held = everything_in(lake.root)
    for personal in ("pelmeni", "ann miller", "14152000017", "ann.miller@home.example"):
        assert personal not in held, personal
    assert held.replace(f"jo{ANN}", "").count(ANN) == 0
    assert len(rows_of(lake, "salesforce__lead")) == 3


def test_killed_after_the_rewriting_the_next_still_drops_old_files(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("storage.erasure.erase.drop_old_files", killed)
        erase_person(lake, ANN, PERSONAL_DATA, erased_at=NOW, run_id="run-1")
    assert isinstance(lake.root, Path)
    assert "pelmeni" in everything_in(lake.root)
    report = erase_person(lake, ANN, PERSONAL_DATA, erased_at=NOW, run_id="run-2", resumed=True)
    assert report.rows_changed == {} and report.files_dropped > 0
    assert "pelmeni" not in everything_in(lake.root)


@minutes_long
def test_a_person_is_gone_from_a_lake_on_s3(tmp_path: Path) -> None:
    with serve_s3() as options:
        lake = Lake(f"s3://{BUCKET}/lake", options, cache=tmp_path / "cache")
        fill(lake)
        report = erase_person(lake, ANN, PERSONAL_DATA, erased_at=NOW, run_id="run-1")
        assert report.rows_changed["salesforce__lead"] == 2
        filesystem, base = lake.filesystem()
        from pyarrow import fs

        fs.copy_files(
            base, str(tmp_path / "copy"), source_filesystem=filesystem, destination_filesystem=fs.LocalFileSystem()
        )
        held = everything_in(tmp_path / "copy")
        assert "pelmeni" not in held and held.replace(f"jo{ANN}", "").count(ANN) == 0 and "borscht" in held


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ANN, "E"),
        (f"<{ANN}>", "<E>"),
        (f"{ANN}.", "E."),
        (f"{ANN},{ANN};{ANN}", "E,E;E"),
        ("mailto:Ann.Smith%40customer.example?x", "mailto:E?x"),
        (f"jo{ANN}", f"jo{ANN}"),
        (f"x-{ANN}", f"x-{ANN}"),
        (f"{ANN}.au", f"{ANN}.au"),
        ("annxsmith@customer.example", "annxsmith@customer.example"),
    ],
)
def test_the_address_is_found_as_a_whole_and_nothing_else(text: str, expected: str) -> None:
    replacing = Replacing(Person(ANN, frozenset(), frozenset(), frozenset(), 0), PERSONAL_DATA, "1")
    assert replacing.scrub(text) == expected.replace("E", "erased-1@erased.invalid")


@pytest.mark.parametrize(
    ("column", "kept"),
    [
        *((name, True) for name in ("Id", "OwnerId", "IsConverted", "CreatedDate", "Status", "_load_id")),
        *(
            (name, False)
            for name in ("Birthdate", "Name", "Description", "NationalId__c", "MailingCity", "Title", "_note")
        ),
    ],
)
def test_what_stays_of_a_record_is_on_a_list(column: str, kept: bool) -> None:
    assert PERSONAL_DATA.stays("salesforce__lead", column) is kept


def test_phone_columns_are_recognised_by_name() -> None:
    may_hold_phone = PERSONAL_DATA.may_hold_phone
    assert all(
        may_hold_phone("salesforce__lead", name)
        for name in ("Phone", "MobilePhone", "HomePhone", "Fax", "Other_Phone__c")
    )
    assert all(
        may_hold_phone("telephony__call", name) for name in ("from", "to", "to_formatted", "from_e164", "caller_number")
    )
    assert not any(
        may_hold_phone("telephony__call", name)
        for name in ("sid", "phone_number_sid", "duration", "start_time", "caller_name")
    )
    assert not may_hold_phone("salesforce__lead", "Amount")
