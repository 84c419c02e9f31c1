"""One object of the local Salesforce server beside the lake it is read into: the lake must end up equal to it, whatever happens on the way."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from ingestion.landing import LandingReport
from ingestion.sources.salesforce import query as query_module
from ingestion.sources.salesforce.client import SalesforceClient, connect
from ingestion.sources.salesforce.extract import ingest_object
from ingestion.sources.salesforce.objects import find_object
from ingestion.sources.salesforce.session import ClientCredentials
from simulation.servers import Endpoints
from storage.errors import SalesopsError
from storage.lake import Lake, LoadRecord
from storage.sql import quote_name
from tests.support.fault_servers import ServerControl

START = datetime(2026, 1, 8, 9, tzinfo=UTC)  # the first record's stamp
NOON = datetime(2026, 1, 8, 12, tzinfo=UTC)  # the first run's instant
REST_PAGE = 200  # the smallest that the server gives
_OWN = "* exclude (_load_id, _known_from, _known_time_basis, _broken_rules)"
_OF_STAGING = 'where _broken_rules is null qualify row_number() over (partition by "Id" order by {stamp} _known_from desc, _load_id desc) = 1'

Row = dict[str, Any]
Fault = dict[str, Any]

JSON = {"Content-Type": "application/json;charset=UTF-8"}
# Where a fault may strike: which requests the server answers with it.
PLACES: dict[str, Fault] = {
    "describe": {"path": "/describe$"},
    "count": {"path": r"/queryAll/\?.*count\(\)"},
    "query": {"path": r"/queryAll/\?q=SELECT Id"},
    "page": {"path": "/query/01g"},
    "create": {"path": "/jobs/query$", "method": "POST"},
    "look": {"path": r"/jobs/query/\w+$", "method": "GET"},
    "listing": {"path": "/resultPages"},
    "results": {"path": r"/results\?"},
}


def number_of(record_id: str) -> int:
    """The number a record was made with."""
    return int(record_id[3:15])


def make_row(number: int, stamp: datetime = START, **values: Any) -> Row:
    """A record with what every Salesforce record has."""
    return {
        "Id": f"a0X{number:012}AAA",
        "IsDeleted": False,
        "CreatedDate": START.isoformat(),
        "SystemModstamp": stamp.isoformat(),
        **values,
    }


def make_rows(count: int, stamp: datetime = START, first: int = 1, **values: Any) -> list[Row]:
    """Records that differ by number and name."""
    return [make_row(number, stamp, Name=f"Record {number}", **values) for number in range(first, first + count)]


def choose_api(monkeypatch: pytest.MonkeyPatch, api: str) -> None:
    """Have windows of any size read by `rest` or by `bulk`."""
    monkeypatch.setattr(query_module, "BULK_FROM_ROWS", {"rest": 10_000, "bulk": 1}[api])


class Org:
    """An object on the server, and the lake it is read into.

    Args:
        endpoints: Where the server is.
        control: Changes its records and faults.
        lake: The lake.
        object_name: An object of this test alone, so that tests do not disturb one another.
    """

    def __init__(self, endpoints: Endpoints, control: ServerControl, lake: Lake, object_name: str) -> None:
        self.endpoints = endpoints
        self.control = control
        self.lake = lake
        self.object_name = object_name
        self.table = find_object(object_name).table
        self.waits: list[float] = []
        self._purged: list[dict[str, str | None]] = []

    def connect(self, **options: Any) -> SalesforceClient:
        """A client as a run makes one, which does not wait, and whose REST pages are small."""
        grant = ClientCredentials(self.endpoints.salesforce_client_id, self.endpoints.salesforce_client_secret)
        client = connect(
            self.endpoints.salesforce_login_url,
            grant,
            ca_file=self.endpoints.ca_file,
            **{"sleep": self.waits.append, **options},
        )
        client.sleep = self.waits.append
        client.rest.headers["Sforce-Query-Options"] = f"batchSize={REST_PAGE}"
        return client

    def put(self, *rows: Row, **types: str) -> None:
        """Add or change records."""
        self.control.records(self.object_name, rows, types)

    def purge(self, *numbers: int) -> None:
        """Empty the bin of records: the lake keeps them as it saw them last, deleted."""
        assert {row["IsDeleted"] for row in self._take_away(numbers)} == {"true"}

    def vanish(self, *numbers: int) -> None:
        """Delete records for good before anybody sees them in the bin: the lake is to have them as it saw them last, and deleted."""
        gone = self._take_away(numbers)
        assert {row["IsDeleted"] for row in gone} == {"false"}
        for row in gone:
            row["IsDeleted"] = "true"

    def _take_away(self, numbers: Iterable[int]) -> list[dict[str, str | None]]:
        gone = [row for row in self.control.present(self.object_name) if number_of(str(row["Id"])) in numbers]
        self._purged += gone
        self.control.purge(self.object_name, [str(row["Id"]) for row in gone])
        return gone

    def ingest(self, until: datetime = NOON, client: SalesforceClient | None = None, **options: Any) -> LandingReport:
        """One load, as a run makes it."""
        return ingest_object(
            client or self.connect(), self.lake, find_object(self.object_name), until=until, run_id="run", **options
        )

    def newest_load(self) -> LoadRecord:
        """The load made last."""
        load = self.lake.newest_load(self.table)
        assert load is not None
        return load

    def latest(self) -> list[dict[str, str | None]]:
        """The lake's latest state by Id, as staging picks it, without the reserved columns."""
        columns = self.lake.columns(self.table)
        if not columns:
            return []
        stamp = f"{quote_name('SystemModstamp')} desc nulls last," if "SystemModstamp" in columns else ""
        held = self.lake.query(self.table, f'select {_OWN} from lake {_OF_STAGING.format(stamp=stamp)} order by "Id"')
        assert held is not None
        rows: list[dict[str, str | None]] = held.to_pylist()
        return rows

    def source(self) -> list[dict[str, str | None]]:
        """What the org holds by Id, deleted records too, as the lake should have it: without NUL bytes, which no store takes."""
        present = [
            {name: (value or "").replace("\x00", "") or None for name, value in row.items()}
            for row in self.control.present(self.object_name)
        ]
        return sorted([*present, *self._purged], key=lambda row: str(row["Id"]))

    def assert_equal(self) -> None:
        """The lake's latest state equals the source, row for row, and no row is there twice."""
        differing = [
            (held, there)
            for held, there in zip_longest(self.latest(), self.source())
            if held is None or there is None or any(held.get(name) != value for name, value in there.items())
        ]
        assert not differing, f"{len(differing)} rows differ, (lake, source): {differing[:2]}"
        twice = self.lake.query(
            self.table, f"select {_OWN} from lake where _broken_rules is null group by all having count(*) > 1"
        )
        assert twice is None or twice.num_rows == 0, f"{twice.num_rows} rows are there twice"

    @contextmanager
    def refused(self, kind: type[SalesopsError], *said: str) -> Iterator[None]:
        """What runs inside fails with a message that says what, where and what to do, and leaves the lake and its cursors as they were."""
        before, cursor = self.lake.snapshot(), self.lake.newest_load(self.table)
        with pytest.raises(kind) as caught:
            yield
        message = str(caught.value)
        assert all(text in message for text in said), message
        assert caught.value.where, message
        assert caught.value.fix, message
        assert self.lake.snapshot() == before
        assert self.lake.newest_load(self.table) == cursor

    def met(self) -> list[int]:
        """How many requests met each fault."""
        return [int(fault["met"]) for fault in self.control.faults()]

    def asked(self, before: dict[str, int]) -> dict[str, int]:
        """Requests made since `before`, an earlier answer of `control.requests()`, by the end of their path."""
        now = self.control.requests()
        return {name: count - before.get(name, 0) for name, count in now.items() if count > before.get(name, 0)}

    def clear_jobs(self) -> list[str]:
        """Delete the Bulk jobs about this object that nobody deleted, and say in which states they were."""
        client = self.connect()
        home = f"{client.bulk.bulk2_url}query"
        left = [job for job in client.session.get(home).json()["records"] if job["object"] == self.object_name]
        for job in left:
            client.session.patch(f"{home}/{job['id']}", json={"state": "Aborted"})
            client.session.delete(f"{home}/{job['id']}")
        return [job["state"] for job in left]


def hours(number: float) -> timedelta:
    """A span."""
    return timedelta(hours=number)


def edited(rows: Iterable[Row], stamp: datetime, **values: Any) -> list[Row]:
    """The same records, changed at `stamp`."""
    return [{"Id": row["Id"], "SystemModstamp": stamp.isoformat(), **values} for row in rows]


def load_first(endpoints: Endpoints, folder: Path, object_name: str, *, old: int, new: int, **values: Any) -> Path:
    """A lake with the first load of an object: its `old` records of before noon. `new` more have come since, with `values`."""
    org = Org(endpoints, ServerControl(endpoints.salesforce_login_url, endpoints.ca_file), Lake(folder), object_name)
    org.put(*make_rows(old), *make_rows(new, NOON, first=old + 1, **values))
    assert org.ingest().landed == old
    return folder


def land_the_rest(org: Org, rows: int) -> None:
    """The next run, an hour after noon and with nothing in its way, brings everything that is not there yet."""
    org.control.clear_faults()
    report = org.ingest(NOON + hours(1))
    assert (report.landed, report.set_aside) == (rows, 0)
    org.assert_equal()


def refusal(code: str, message: str, status: int = 400) -> Fault:
    """An answer of Salesforce that refuses a request."""
    body = json.dumps([{"message": message, "errorCode": code}])
    return {"kind": "status", "status": status, "body": body, "headers": JSON}


def add_fault(org: Org, place: str, fault: Fault, **more: Any) -> None:
    """Have the server answer requests about the object, at one of `PLACES`, with a fault."""
    org.control.fault(**{**PLACES[place], "object": org.object_name, **fault, **more})
