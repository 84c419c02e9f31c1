"""Records, fields and permissions of an org change before, between and during loads: the lake ends up equal to it all the same.

Answers, connections and jobs that go wrong are in `test_salesforce_misbehaviour`. The last test here mixes both, drawn by seed.
"""

from __future__ import annotations

import itertools
import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ingestion.errors import IngestionError, SalesforceRefused
from ingestion.sources.salesforce.config_file import SalesforceReading
from ingestion.sources.salesforce.windows import LOOK_BACK, Backfill
from simulation.servers import Endpoints
from storage.lake import Lake
from tests.conftest import minutes_long
from tests.support.fault_servers import ServerControl
from tests.support.misbehaving_org import NOON, START, Org, choose_api, edited, hours, make_row, make_rows

LATER, LATER_STILL = NOON + hours(1), NOON + hours(2)
MINUTE = timedelta(minutes=1)
BULK_PAGE = 100
VALUES = [
    "NA",
    "",
    'say "hi",\r\nthen go',
    "a\x00b",
    "\x00",
    "null",
    "NULL",
    "  spaced  ",
    "Zoë 🙂",
    '"',
    '""',
    "line\n",
    ",",
    "0",
    "true",
    "-",
    "=1+1",
    None,
]

_NUMBERS = itertools.count(1)


@pytest.fixture
def org(endpoints: Endpoints, control: ServerControl, tmp_path: Path) -> Org:
    """An object of this test alone, without records, and an empty lake."""
    control.set_bulk(page_rows=BULK_PAGE)
    return Org(endpoints, control, Lake(tmp_path / "lake"), f"Changing{next(_NUMBERS)}__c")


@pytest.mark.parametrize("api", ["rest", "bulk"])
def test_a_history_without_a_stamp_of_last_change_lands_by_when_it_was_written(
    org: Org, monkeypatch: pytest.MonkeyPatch, api: str
) -> None:
    choose_api(monkeypatch, api)
    history = Org(org.endpoints, org.control, org.lake, f"Case{api.title()}History")
    stamps = [START, START, START + MINUTE, NOON + MINUTE]
    rows = [
        {"Id": f"017{number:012}AAA", "IsDeleted": False, "CreatedDate": stamp.isoformat()}
        for number, stamp in enumerate(stamps)
    ]
    history.put(*rows)
    assert history.ingest().landed == 3
    assert history.ingest(LATER).landed == 1
    load = history.newest_load()
    assert (load.details["version_column"], load.set_aside_count) == ("CreatedDate", 0)
    assert history.ingest(LATER_STILL, backfill=Backfill(START, LATER)).landed == 0
    history.assert_equal()


@pytest.fixture(params=["rest", "bulk"])
def api(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    chosen = str(request.param)
    choose_api(monkeypatch, chosen)
    return chosen


def broken_rules(org: Org) -> list[str]:
    held = org.lake.query(org.table, "select _broken_rules from lake where _broken_rules is not null order by 1")
    assert held is not None
    return [str(rules) for rules in held.column(0).to_pylist()]


@pytest.mark.usefixtures("api")
class TestStamps:
    def test_many_records_share_a_stamp_on_the_edge_of_windows(self, org: Org) -> None:
        org.put(*make_rows(2100, NOON), *make_rows(10, NOON - MINUTE, first=2101))

        assert org.ingest(NOON).landed == 10
        assert org.ingest(NOON + MINUTE / 60).landed == 2100
        org.assert_equal()
        org.put(*make_rows(300, NOON, first=2201))
        edge = org.ingest(NOON + LOOK_BACK)
        assert (edge.landed, edge.unchanged) == (300, 2110)
        org.assert_equal()
        org.put(*make_rows(20, NOON, first=2501))  # the next window begins exactly on the stamp
        assert org.ingest(NOON + LOOK_BACK * 2).landed == 20
        org.assert_equal()

    def test_the_window_begins_where_the_look_back_says(self, org: Org) -> None:
        org.put(*make_rows(5))
        org.put(*make_rows(1, NOON, first=6))
        org.ingest(NOON + MINUTE)
        on_the_edge = NOON + MINUTE - LOOK_BACK
        org.put(*make_rows(300, on_the_edge, first=7))

        assert org.ingest(LATER).landed == 300
        org.assert_equal()

    def test_what_changed_shortly_before_a_run_is_read_again_by_the_next_one_only(self, org: Org) -> None:
        org.put(*make_rows(300, NOON - MINUTE))
        org.ingest(NOON)
        builds = org.lake.snapshot().fingerprint

        again = org.ingest(LATER)
        assert (again.landed, again.unchanged, again.version) == (0, 300, None)
        before = org.control.requests()
        assert org.ingest(LATER_STILL).unchanged == 0
        assert sum(query for path, query in org.asked(before).items() if "query" in path.lower()) == 1  # the count
        assert org.lake.snapshot().fingerprint == builds
        org.assert_equal()

    def test_records_committed_late_within_the_look_back(self, org: Org) -> None:
        rows = make_rows(250)
        org.put(*rows)
        org.ingest(NOON)
        org.put(*make_rows(20, NOON - LOOK_BACK, first=301), *edited(rows[:30], NOON - MINUTE, Name="Late"))

        assert org.ingest(LATER).landed == 50
        org.assert_equal()

    def test_records_committed_later_than_that_come_by_a_backfill(self, org: Org) -> None:
        """The limit: what is committed with a stamp older than the look-back is not seen until its window is read again."""
        org.put(*make_rows(250))
        org.ingest(NOON)
        too_old = NOON - LOOK_BACK - timedelta(milliseconds=1)
        org.put(*make_rows(20, too_old, first=301))

        assert org.ingest(LATER).landed == 0
        cursor = org.newest_load().cursor
        assert len(org.latest()) == 250
        assert org.ingest(LATER, backfill=Backfill(too_old, NOON)).landed == 20
        assert org.newest_load().cursor == cursor
        org.assert_equal()

    def test_a_backfill_brings_what_changed_without_a_stamp(self, org: Org) -> None:
        org.put(*make_rows(250))
        org.ingest(NOON)
        org.put({"Id": make_row(7)["Id"], "Name": "Changed by a hand that leaves no stamp"})

        assert org.ingest(LATER).landed == 0
        assert org.ingest(LATER, backfill=Backfill(None, NOON)).landed == 1
        org.assert_equal()
        assert org.ingest(LATER, backfill=Backfill(None, NOON)).version is None


@pytest.mark.usefixtures("api")
class TestEditsWhilePaging:
    @pytest.mark.parametrize("stamp", [LATER, LATER - MINUTE], ids=["after the window", "within it, committed late"])
    def test_records_change_between_two_pages(self, org: Org, stamp: Any) -> None:
        rows = make_rows(700, NOON - MINUTE)
        org.put(*rows)
        changes = [
            *edited(rows[:5], stamp, Name="Edited"),
            *edited(rows[-5:], stamp, Name="Edited"),
            *edited(rows[350:355], stamp, IsDeleted=True),
        ]
        new = make_rows(50, stamp, first=1001)
        org.control.fault("edit_while_paging", object=org.object_name, rows=changes)
        org.control.fault("edit_while_paging", object=org.object_name, rows=new)

        org.ingest(LATER)
        assert org.met() == [1, 1]
        org.ingest(LATER_STILL)
        org.assert_equal()
        assert len(org.latest()) == 750

    def test_records_leave_the_bin_between_two_pages(self, org: Org) -> None:
        rows = make_rows(700, NOON - MINUTE)
        org.put(*rows, *edited(rows[600:], NOON - MINUTE, IsDeleted=True))
        org.control.fault("edit_while_paging", object=org.object_name, purged=[row["Id"] for row in rows[600:]])

        org.ingest(NOON)
        held = {row["Id"]: row["IsDeleted"] for row in org.latest()}
        assert org.met() == [1]
        assert (len(held), sum(value == "true" for value in held.values())) == (700, 100)
        assert {row["Id"] for row in org.source()} == {key for key, value in held.items() if value == "false"}


@pytest.mark.usefixtures("api")
class TestDeletions:
    def test_deletes_undeletes_and_an_emptied_bin(self, org: Org) -> None:
        rows = make_rows(20)
        org.put(*rows)
        org.ingest(NOON)
        org.put(*edited(rows[:8], NOON, IsDeleted=True))
        org.ingest(LATER)
        org.assert_equal()
        org.put(*edited(rows[:3], LATER, IsDeleted=False))
        org.purge(7, 8)
        org.ingest(LATER_STILL)
        org.assert_equal()
        assert [row["IsDeleted"] for row in org.latest()[:9]] == ["false"] * 3 + ["true"] * 5 + ["false"]

    def test_a_merge_is_known_after_the_loser_has_left_the_bin(self, org: Org) -> None:
        winner, loser, other = make_rows(3, MasterRecordId=None)
        org.put(winner, loser, other)
        org.ingest(NOON)
        org.put(
            *edited([loser], NOON, IsDeleted=True, MasterRecordId=winner["Id"]), *edited([winner], NOON, Name="Merged")
        )
        org.ingest(LATER)
        org.assert_equal()
        org.purge(2)
        org.put(*edited([other], LATER, Name="Later"))
        org.ingest(LATER_STILL)
        org.assert_equal()
        assert org.latest()[1]["MasterRecordId"] == winner["Id"]


@pytest.mark.usefixtures("api")
class TestFields:
    @pytest.mark.parametrize(
        "place", ["/jobs/query$|/queryAll/.q=SELECT Id", r"count\(\)"], ids=["at the query", "before describe"]
    )
    def test_a_field_vanishes_during_a_load(self, org: Org, place: str) -> None:
        org.put(*make_rows(30, Code__c="x"))
        org.ingest(NOON)
        org.put(*make_rows(30, NOON, first=31, Code__c="y"))
        client = org.connect()
        org.control.fault("vanish_field", object=org.object_name, field="Code__c", path=place)

        if "count" in place:
            assert f"{org.object_name} has no field Code__c any more" in org.ingest(LATER, client).notice
        else:
            report = org.ingest(LATER, client)
            assert report.landed == 30
            assert f"{org.object_name}.Code__c is described by the org but cannot be queried" in report.notice
        org.assert_equal()
        assert {row["Code__c"] for row in org.latest()[30:]} == {None}

    def test_a_field_vanishes_between_loads_and_comes_back(self, org: Org) -> None:
        rows = make_rows(30, Code__c="x")
        org.put(*rows)
        org.ingest(NOON)
        org.control.fault("vanish_field", object=org.object_name, field="Code__c")
        org.put(*edited(rows[:10], NOON, Name="Changed"))
        report = org.ingest(LATER)
        assert report.notice == f"{org.object_name} has no field Code__c any more: it reads NULL from this load on."
        assert [row["Code__c"] for row in org.latest()] == [None] * 10 + ["x"] * 20
        org.assert_equal()

        org.control.fault("add_field", object=org.object_name, field="Code__c")
        org.put(*edited(rows[15:20], LATER, Code__c="z"))
        org.ingest(LATER_STILL)
        assert [row["Code__c"] for row in org.latest()] == ["x"] * 15 + ["z"] * 5 + ["x"] * 10
        org.assert_equal()

    def test_a_new_field_comes_with_its_values_in_records_that_did_not_change(self, org: Org) -> None:
        rows = make_rows(250)
        org.put(*rows)
        org.ingest(NOON)
        org.control.fault("add_field", object=org.object_name, field="Region__c", type="INTEGER", value=49)
        org.put(*edited(rows[:1], NOON, Name="Changed"))

        report = org.ingest(LATER)

        assert f"{org.object_name} has a new field Region__c (int): it lands as a new column." in report.notice
        assert (
            f"{org.object_name} may have values in its new fields that touched no stamp and was read whole."
            in report.notice
        )
        assert {row["Region__c"] for row in org.latest()} == {"49"}
        org.assert_equal()
        again = org.ingest(LATER)
        assert (again.version, again.notice) == (None, "")

    def test_a_backfill_does_not_hide_a_new_field_from_the_next_run(self, org: Org) -> None:
        rows = make_rows(250)
        org.put(*rows, *make_rows(2, NOON - hours(48), first=900))
        org.ingest(NOON)
        org.control.fault("add_field", object=org.object_name, field="Region__c", type="INTEGER", value=49)
        assert org.ingest(LATER, backfill=Backfill(NOON - hours(49), NOON - hours(47))).landed == 2
        org.put(*edited(rows[:1], NOON, Name="Changed"))

        assert "was read whole" in org.ingest(LATER).notice
        assert {row["Region__c"] for row in org.latest()} == {"49"}
        org.assert_equal()

    def test_without_full_reads_the_values_of_a_new_field_come_by_a_backfill(self, org: Org) -> None:
        rows, reading = make_rows(250), SalesforceReading(full_read_days=0)
        org.put(*rows)
        org.ingest(NOON)
        org.control.fault("add_field", object=org.object_name, field="Region__c", type="INTEGER", value=49)
        org.put(*edited(rows[:1], NOON, Name="Changed"))

        assert org.ingest(LATER, reading=reading).landed == 1
        assert org.ingest(LATER, reading=reading, backfill=Backfill(None, LATER)).landed == 249
        org.assert_equal()

    def test_a_field_changes_its_type(self, org: Org) -> None:
        rows = make_rows(20, Size__c=5)
        org.put(*rows)
        org.ingest(NOON)
        org.put(*edited(rows[:2], NOON, Size__c="about 50"), *edited(rows[2:4], NOON, Size__c="7"), Size__c="VARCHAR")
        report = org.ingest(LATER)

        rule = "type_of_Size__c_is_string_was_int"
        assert (report.landed, report.set_aside, report.rules[rule]) == (2, 2, 2)
        assert broken_rules(org) == [rule, rule]
        assert "changed its type from int to string" in report.notice
        assert f"{org.object_name}.Size__c: string" in report.notice
        assert [row["Size__c"] for row in org.latest()[:5]] == ["5", "5", "7", "7", "5"]

        reading = SalesforceReading(accepted_types={f"{org.object_name}.Size__c": "string"})
        org.put(*edited(rows[:2], LATER, Size__c="about 60"))
        report = org.ingest(LATER_STILL, reading=reading)
        assert (report.landed, report.set_aside, report.notice) == (2, 0, "")
        org.assert_equal()

    def test_a_formula_changes_without_a_stamp(self, org: Org) -> None:
        org.put(*make_rows(250))
        org.control.fault(
            "add_field", object=org.object_name, field="Score__c", type="INTEGER", value=1, calculated=True
        )
        assert org.ingest(NOON).landed == 250
        org.put(*({"Id": row["Id"], "Score__c": 2} for row in make_rows(40)))
        reading = SalesforceReading(full_read_days=7)

        assert org.ingest(NOON + hours(24 * 6.9), reading=reading).landed == 0
        report = org.ingest(NOON + hours(24 * 7), reading=reading)
        assert (report.landed, report.unchanged) == (40, 210)
        assert "formula fields" in report.notice
        org.assert_equal()
        assert org.ingest(NOON + hours(24 * 7.1), reading=reading).notice == ""

    def test_values_that_others_have_lost(self, org: Org, api: str) -> None:
        org.put(*(make_row(number, Name=value, Other__c=value) for number, value in enumerate(VALUES)))

        report = org.ingest(NOON)

        assert (report.landed, report.set_aside) == (len(VALUES), 0)
        assert org.newest_load().details["api"] == api
        expected = [value.replace("\x00", "") or None if value else None for value in VALUES]
        assert [row["Name"] for row in org.latest()] == [row["Other__c"] for row in org.latest()] == expected
        org.assert_equal()


class TestPermissions:
    def test_an_object_that_the_org_lacks(self, org: Org) -> None:
        report = org.ingest(NOON)

        assert report.notice == f"The org has no object {org.object_name}, or the user may not read it: skipped."
        assert not report.is_undone
        assert org.lake.tables() == []

    def test_a_permission_is_lost_and_given_back(self, org: Org) -> None:
        org.put(*make_rows(30))
        org.ingest(NOON)
        org.put(*make_rows(30, NOON, first=31))
        before = org.newest_load()
        shown = {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [{"name": "Lead", "queryable": True}]}
        org.control.fault(
            "status",
            path="/sobjects$",
            status=200,
            body=json.dumps(shown),
            headers={"Content-Type": "application/json"},
        )

        report = org.ingest(LATER)

        assert report.notice == (
            f"The org has no object {org.object_name} any more, or the user may no longer read it: skipped. What landed before stays, and "
            "reading goes on from there when it is back."
        )
        assert (report.version, report.cursor, org.newest_load()) == (None, before.cursor, before)
        assert org.ingest(LATER_STILL).landed == 30
        org.assert_equal()

    def test_a_permission_is_lost_while_the_object_is_read(self, org: Org, api: str) -> None:
        org.put(*make_rows(30))
        body = json.dumps(
            [{"message": f"sObject type '{org.object_name}' is not supported.", "errorCode": "INVALID_TYPE"}]
        )
        org.control.fault(
            "status", object=org.object_name, path="/jobs/query$|/queryAll/.q=SELECT Id", status=400, body=body
        )

        with org.refused(SalesforceRefused, "INVALID_TYPE", "Give the reading user access to the object"):
            org.ingest(NOON)
        assert org.ingest(NOON).landed == 30
        org.assert_equal()


class Mixture:
    """An org that changes at random, and faults at random, by seed."""

    PLACES = (
        "/describe$",
        r"count\(\)",
        "q=SELECT Id",
        "/query/01g",
        "/jobs/query$",
        r"/jobs/query/\w+$",
        "/resultPages",
        r"/results\?",
        "/token$",
    )
    FAULTS: tuple[dict[str, Any], ...] = (
        {
            "kind": "status",
            "status": 401,
            "body": '[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]',
        },
        {
            "kind": "status",
            "status": 403,
            "body": '[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]',
        },
        {"kind": "status", "status": 503, "body": ""},
        {"kind": "status", "status": 420, "body": "<html>Enhance your calm</html>"},
        {"kind": "status", "status": 500, "body": "[]"},
        {"kind": "drop"},
        {"kind": "drop", "after_bytes": 100},
        {"kind": "drop", "after_bytes": 3000},
        {"kind": "conflict", "path": "/result"},
        {"kind": "truncate", "path": r"/results\?", "rows": 5},
        {"kind": "truncate", "path": r"/results\?", "rows": 19, "within": "value"},
        {"kind": "truncate", "path": r"/results\?", "rows": 7, "within": "row"},
        {"kind": "wrong_count", "by": 1},
        {"kind": "job_fails", "path": "/jobs/query$"},
        {"kind": "job_aborted", "path": "/jobs/query$", "looks": 1},
        {"kind": "job_takes_looks", "path": "/jobs/query$", "looks": 3},
    )

    def __init__(self, org: Org, seed: int) -> None:
        self.org = org
        self.draw = random.Random(seed)
        self.stamps: dict[int, Any] = {}

    def change(self, since: Any, until: Any) -> list[dict[str, Any]]:
        """New, edited, deleted and undeleted records with stamps in `[since, until)`; a record's own stamps only grow."""
        draw = self.draw
        rows = []
        for _ in range(draw.randrange(5, 60)):
            stamp = since + (until - since) * draw.random()
            stamp = stamp.replace(microsecond=stamp.microsecond // 1000 * 1000)
            number = draw.choice([*self.stamps, len(self.stamps) + 1]) if draw.random() < 0.5 else len(self.stamps) + 1
            if self.stamps.get(number, START) >= stamp:
                continue
            self.stamps[number] = stamp
            values = {"Name": draw.choice(VALUES), "Size__c": draw.randrange(100), "IsDeleted": draw.random() < 0.2}
            rows.append(make_row(number, stamp, **values))
        return rows

    def tell_faults(self, until: Any) -> None:
        draw, control, name = self.draw, self.org.control, self.org.object_name
        for _ in range(draw.randrange(1, 6)):
            fault = {"path": draw.choice(self.PLACES), **draw.choice(self.FAULTS)}
            control.fault(**{**fault, "nth": draw.randrange(1, 4), "times": draw.choice([1, 1, 2, 6])})
        if draw.random() < 0.5 and (late := self.change(until - LOOK_BACK, until)):
            control.fault(
                "edit_while_paging", object=name, rows=late, path=draw.choice(["01g", "/results", "/resultPages"])
            )


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=[minutes_long] if seed >= 5 else []) for seed in range(30)])
def test_a_mixture_of_everything(org: Org, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    mixture = Mixture(org, seed)
    org.control.set_bulk(page_rows=20)
    until, client = NOON, org.connect()
    org.put(*mixture.change(START, until), *mixture.change(START, until))
    for _ in range(3):
        choose_api(monkeypatch, mixture.draw.choice(["rest", "bulk"]))
        mixture.tell_faults(until)
        before = org.lake.snapshot()
        try:
            org.ingest(until, client)
        except IngestionError as error:
            assert all((error.what, error.where, error.fix))
            assert org.lake.snapshot() == before
        org.control.clear_faults()
        org.ingest(until, client)
        org.assert_equal()
        until += hours(mixture.draw.choice([0.1, 1, 24]))
        org.put(*mixture.change(until - hours(0.1) - LOOK_BACK * mixture.draw.random(), until))
