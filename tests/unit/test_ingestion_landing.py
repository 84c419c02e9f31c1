"""The door into the lake: what is new lands once, what is held does not, what is wrong changes nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import Field
from deltalake.schema import PrimitiveType

from ingestion.contracts import LakeTable
from ingestion.errors import ContractBroken
from ingestion.landing import Delivery, LandingReport, fingerprints, land
from ingestion.quarantine import list_quarantine
from ingestion.sources.feeds.catalogue import FEEDS
from ingestion.sources.salesforce.objects import find_object
from storage import lake_writer
from storage.errors import StorageError
from storage.lake import Lake

land_module = sys.modules["ingestion.landing.land"]  # the package gives the name `land` to the function

HISTORY = find_object("OpportunityHistory").lake_table
STRICT_HISTORY = replace(HISTORY, rules=tuple(rule.fatal() if rule.allowed_list else rule for rule in HISTORY.rules))
TABLE = HISTORY.name
PAYMENTS = next(feed.lake_table for feed in FEEDS if feed.name == "payments")
STAGES = {"stages": ["Proposal"]}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def rows_of(*rows: tuple[str, str, str], **more: str | None) -> pa.Table:
    """(number of the id, day of the stamp, stage)."""
    return pa.table(
        {
            "Id": [f"008{number:0>15}" for number, _, _ in rows],
            "OpportunityId": ["006000000000001AAA"] * len(rows),
            "StageName": [stage for _, _, stage in rows],
            "CreatedDate": [f"2026-01-{day}T10:00:00.000Z" for _, day, _ in rows],
            "SystemModstamp": [f"2026-01-{day}T10:00:00.000Z" for _, day, _ in rows],
            **{name: pa.array([value] * len(rows), pa.string()) for name, value in more.items()},
        }
    )


def put(
    lake: Lake,
    rows: pa.Table | Iterator[pa.Table],
    day: int = 20,
    *,
    table: LakeTable = HISTORY,
    versioned: bool = True,
    source_count: int | None = None,
) -> LandingReport:
    count = rows.num_rows if isinstance(rows, pa.Table) and source_count is None else source_count or 0
    return land(
        lake,
        table if versioned else replace(table, version_column=None),
        Delivery(rows, count, cursor=f"day {day}", window=(None, f"day {day}")),
        known_at=datetime(2026, 1, day, tzinfo=UTC),
        run_id="run",
        allowed_values=STAGES,
    )


def held(lake: Lake, columns: str) -> list[tuple[object, ...]]:
    table = lake.query(TABLE, f"select {columns} from lake order by all")
    assert table is not None
    return [tuple(row.values()) for row in table.to_pylist()]


def test_the_first_load_is_known_since_its_records_say_so(lake: Lake) -> None:
    put(lake, rows_of(("1", "05", "Proposal"), ("2", "25", "Proposal")))
    assert held(lake, "Id, _known_from::varchar, _known_time_basis") == [
        ("008000000000000001", "2026-01-05 10:00:00", "record"),
        (
            "008000000000000002",
            "2026-01-20 00:00:00",
            "record",
        ),  # a stamp after the load cannot have been known before it
    ]


def test_later_loads_are_known_since_they_happened(lake: Lake) -> None:
    put(lake, rows_of(("1", "05", "Proposal")))
    put(lake, rows_of(("2", "06", "Proposal")), day=21)
    assert held(lake, "_known_from::varchar, _known_time_basis")[1] == ("2026-01-21 00:00:00", "load")


def test_a_window_read_again_lands_only_what_is_new(lake: Lake) -> None:
    put(lake, rows_of(("1", "05", "Proposal"), ("2", "06", "Proposal")))
    report = put(lake, rows_of(("1", "05", "Proposal"), ("2", "07", "Proposal"), ("3", "07", "Proposal")), day=21)
    assert (report.landed, report.unchanged, report.version) == (2, 1, 1)
    newest = lake.newest_load(TABLE)
    assert newest is not None
    assert (newest.source_count, newest.landed_count, newest.unchanged_count, newest.cursor) == (3, 2, 1, "day 21")


@pytest.mark.parametrize(
    "again", [("02",), ("02", "04"), ("04", "06"), (None,), (None, "04"), ("03", None, "07")], ids=str
)
def test_only_versions_the_lake_lacks_land_wherever_their_stamps_lie(lake: Lake, again: tuple[str | None, ...]) -> None:
    before: tuple[str | None, ...] = ("02", "04", "06", None)
    for days in (before, again):
        rows = rows_of(*[(day or "99", day or "01", "Proposal") for day in days])
        stamps = [f"2026-01-{day}T10:00:00.000Z" if day else None for day in days]
        report = put(
            lake,
            rows.set_column(rows.column_names.index("SystemModstamp"), "SystemModstamp", pa.array(stamps, pa.string())),
        )

    assert (report.unchanged, report.landed) == (len({*again} & {*before}), len({*again} - {*before}))


def test_a_version_that_is_no_text_is_held_all_the_same(lake: Lake) -> None:
    reports = []
    at = datetime(2026, 1, 20, tzinfo=UTC)
    for instants in ([1, 9, None], [10, 9, None]):
        rows = pa.table({"id": ["a"] * 3, "version": pa.array(instants, pa.timestamp("us", "UTC"))})
        reports.append(
            land(lake, LakeTable("own__table", ("id",), "version"), Delivery(rows, 3), known_at=at, run_id="run")
        )

    assert [(report.landed, report.unchanged) for report in reports] == [(3, 0), (1, 2)]


def test_nothing_new_commits_nothing_and_the_cursor_stays(lake: Lake) -> None:
    put(lake, rows_of(("1", "05", "Proposal")))
    report = put(lake, rows_of(("1", "05", "Proposal")), day=21)
    assert (report.landed, report.unchanged, report.version, report.cursor) == (0, 1, None, "day 20")
    assert len(list(lake.loads(TABLE))) == 1


@pytest.mark.parametrize("table_exists", [False, True])
def test_an_empty_load_commits_nothing(lake: Lake, table_exists: bool) -> None:
    if table_exists:
        put(lake, rows_of(("1", "05", "Proposal")))
    report = put(lake, pa.table({"Id": pa.array([], pa.string())}), day=21)
    assert (report.landed, report.version) == (0, None)
    assert lake.tables() == ([TABLE] if table_exists else [])


def test_a_row_that_comes_twice_lands_once(lake: Lake) -> None:
    report = put(lake, rows_of(("1", "05", "Proposal"), ("1", "05", "Proposal")))
    assert (report.landed, report.unchanged) == (1, 1)


@pytest.mark.parametrize("versioned", [False, True])
def test_a_load_that_was_killed_between_its_new_column_and_its_rows_comes_again(lake: Lake, versioned: bool) -> None:
    put(lake, rows_of(("1", "05", "Proposal")))
    opened = lake.open(TABLE)
    assert opened is not None
    opened.alter.add_columns([Field("New__c", PrimitiveType("string"), nullable=True)])

    report = put(lake, rows_of(("1", "05", "Proposal"), ("2", "06", "Proposal"), New__c="x"), 21, versioned=versioned)

    assert (report.landed, report.unchanged) == ((1, 1) if versioned else (2, 0))


def test_a_row_comes_twice_whichever_columns_its_batch_has(lake: Lake) -> None:
    batches = [
        rows_of(("1", "05", "Proposal"), Note=None),
        rows_of(("1", "05", "Proposal")),
        rows_of(("2", "05", "Proposal"), Other="x"),
    ]
    table, delivery = replace(HISTORY, version_column=None), Delivery(batches, 3, cursor="c", window=(None, "c"))
    report = land(
        lake, table, delivery, known_at=datetime(2026, 1, 20, tzinfo=UTC), run_id="run", allowed_values=STAGES
    )
    assert (report.landed, report.unchanged) == (2, 1)


def test_without_versions_a_value_that_comes_back_lands_again(lake: Lake) -> None:
    reports = [
        put(lake, rows_of(("1", "05", "Proposal"), Amount=amount), day, versioned=False)
        for day, amount in ((20, "1"), (21, "2"), (22, "1"))
    ]
    assert [report.landed for report in reports] == [1, 1, 1]
    assert put(lake, rows_of(("1", "05", "Proposal"), Amount="1"), 23, versioned=False).version is None


def test_null_and_null_are_the_same_value(lake: Lake) -> None:
    put(lake, rows_of(("1", "05", "Proposal"), Amount=None), versioned=False)
    assert put(lake, rows_of(("1", "05", "Proposal"), Amount=None), 21, versioned=False).unchanged == 1


def test_a_new_column_lands_beside_the_old_ones(lake: Lake) -> None:
    put(lake, rows_of(("1", "05", "Proposal")), versioned=False)
    put(lake, rows_of(("1", "05", "Proposal"), Colour__c="red"), 21, versioned=False)
    assert held(lake, "Id, Colour__c") == [("008000000000000001", "red"), ("008000000000000001", None)]


def test_broken_rows_land_in_the_same_commit_with_their_reasons(lake: Lake) -> None:
    report = put(lake, rows_of(("1", "05", "Proposal"), ("2", "99", "Proposal")))
    assert (report.landed, report.set_aside, report.rules["system_modstamp_is_timestamp"]) == (1, 1, 1)
    assert held(lake, "_broken_rules, _known_time_basis") == [
        ("system_modstamp_is_timestamp;created_date_is_timestamp", "load"),
        (None, "record"),
    ]
    assert put(lake, rows_of(("2", "99", "Proposal")), day=21).unchanged == 1


def put_payments(lake: Lake, *rows: tuple[str, str], day: int = 20, pieces: bool = False) -> LandingReport:
    """(payment id, amount); `pieces` gives them one by one."""
    table = pa.table(
        {
            "payment_id": [identifier for identifier, _ in rows],
            "invoice_id": ["I1"] * len(rows),
            "payment_date": ["2026-01-05"] * len(rows),
            "amount": [amount for _, amount in rows],
            "currency": ["USD"] * len(rows),
        }
    )
    delivery = Delivery(table.to_batches(max_chunksize=1) if pieces else table, lambda: table.num_rows)
    return land(lake, PAYMENTS, delivery, known_at=datetime(2026, 1, day, tzinfo=UTC), run_id="run")


@pytest.mark.parametrize("pieces", [False, True], ids=["in one piece", "row by row"])
def test_every_row_of_a_doubled_key_is_set_aside(lake: Lake, pieces: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(land_module, "ROWS_AT_A_TIME", 1)  # the rows that share a key must not have to arrive together
    report = put_payments(lake, ("P1", "10"), ("P2", "10"), ("P1", "11"), ("P3", "x"), pieces=pieces)
    assert (report.landed, report.set_aside, report.rules["payment_id_is_unique"]) == (1, 3, 2)
    rows = lake.query(
        "feed__payments", "select payment_id, amount, _broken_rules as broken from lake order by payment_id, amount"
    )
    assert rows is not None
    assert [row["broken"] for row in rows.to_pylist()] == [
        "payment_id_is_unique",
        "payment_id_is_unique",
        None,
        "amount_is_decimal",
    ]


@pytest.mark.parametrize(
    "first",
    [[("P1", "10"), ("P1", "11")], [("P1", "10"), ("P1", "10")], [("P1", "11"), ("P1", "10")]],
    ids=["two", "the same", "two, turned round"],
)
@pytest.mark.parametrize("kept", ["10", "11"])
def test_a_row_of_a_doubled_key_lands_when_its_source_has_decided(
    lake: Lake, first: list[tuple[str, str]], kept: str
) -> None:
    put_payments(lake, *first, ("P2", "5"))
    report = put_payments(lake, ("P1", kept), ("P2", "5"), day=21)
    assert (report.landed, report.set_aside, report.unchanged) == (1, 0, 1)
    assert list_quarantine(lake, "feed__payments") == []
    assert put_payments(lake, ("P1", kept), ("P2", "5"), day=22).unchanged == 2


def test_a_doubled_key_that_stays_is_set_aside_once(lake: Lake) -> None:
    put_payments(lake, ("P1", "10"), ("P1", "11"), ("P2", "5"))
    again = put_payments(lake, ("P1", "10"), ("P1", "11"), ("P2", "6"), day=21)
    assert (again.landed, again.set_aside, again.unchanged) == (1, 0, 2)
    doubled = put_payments(lake, ("P1", "10"), ("P1", "11"), ("P2", "6"), ("P2", "7"), day=22)
    assert (doubled.landed, doubled.set_aside, doubled.unchanged) == (
        0,
        1,
        3,
    )  # of P2 the row that landed stays in force


def test_a_load_of_many_pieces_is_one_commit_and_compared_as_a_whole(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(land_module, "ROWS_AT_A_TIME", 2)
    monkeypatch.setattr(lake_writer, "ROWS_PER_FILE", 3)
    first = put_payments(lake, *((f"P{number}", "1") for number in range(9)), pieces=True)
    again = put_payments(
        lake, *((f"P{number}", "1" if number % 4 else "2") for number in range(9)), day=21, pieces=True
    )
    assert (first.landed, again.landed, again.unchanged) == (9, 3, 6)
    assert [load.landed_count for load in lake.loads("feed__payments")] == [3, 9]
    rows = lake.query("feed__payments", "select payment_id from lake where amount = '2' order by 1")
    assert rows is not None
    assert rows.column(0).to_pylist() == ["P0", "P4", "P8"]


def test_keys_that_come_twice_are_found_on_disk_too(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(land_module, "ROWS_AT_A_TIME", 50)
    monkeypatch.setattr(fingerprints, "MOST_IN_MEMORY", 100)
    rows = [(f"P{number}", str(number % 7)) for number in range(500)]
    report = put_payments(lake, *rows, ("P3", "99"), rows[400], pieces=True)
    assert (report.landed, report.set_aside, report.unchanged) == (499 - 1, 3, 1)
    broken = lake.query("feed__payments", "select payment_id from lake where _broken_rules is not null order by 1")
    assert broken is not None
    assert broken.column(0).to_pylist() == ["P3", "P3", "P400"]


def test_a_record_may_be_kept_of_a_load_that_brought_nothing_new(lake: Lake) -> None:
    first = put(lake, rows_of(("1", "05", "Proposal")))
    before = lake.snapshot()
    report = land(
        lake,
        HISTORY,
        Delivery(rows_of(("1", "05", "Proposal")), 1, cursor="moved"),
        known_at=datetime(2026, 1, 22, tzinfo=UTC),
        run_id="run",
        keep_record=True,
    )
    assert (first.version, report.version, report.cursor, report.unchanged) == (0, None, "moved", 1)
    newest = lake.newest_load(TABLE)
    assert newest is not None
    assert newest.cursor == "moved"
    assert lake.snapshot().fingerprint == before.fingerprint  # nothing to build for


def test_what_a_refused_load_wrote_is_gone(lake: Lake) -> None:
    put(lake, rows_of(("1", "05", "Proposal")))
    before = sorted(path.name for path in (lake.root / TABLE).iterdir())
    with pytest.raises(ContractBroken):
        put(lake, rows_of(("2", "06", "Dreaming")), day=21, table=STRICT_HISTORY)
    assert sorted(path.name for path in (lake.root / TABLE).iterdir()) == before


def test_a_value_that_changes_without_its_stamp_lands_when_values_are_compared(lake: Lake) -> None:
    def put_score(score: str, day: int, compare_values: bool) -> LandingReport:
        rows = rows_of(("1", "05", "Proposal"), ("2", "05", "Proposal"), Score__c=score)
        return land(
            lake,
            HISTORY,
            Delivery(rows, 2, cursor="c", compare_values=compare_values),
            known_at=datetime(2026, 1, day, tzinfo=UTC),
            run_id="run",
            allowed_values=STAGES,
        )

    assert put_score("1", 20, False).landed == 2
    assert put_score("2", 21, False).landed == 0
    assert put_score("2", 21, True).landed == 2
    assert put_score("2", 22, True).landed == 0
    assert put_score("1", 23, True).landed == 2  # a value that comes back is a change too


def test_a_fatal_rule_lands_nothing(lake: Lake) -> None:
    put(lake, rows_of(("1", "05", "Proposal")))
    with pytest.raises(ContractBroken, match="'Dreaming'") as caught:
        put(lake, rows_of(("2", "06", "Proposal"), ("3", "06", "Dreaming")), day=21, table=STRICT_HISTORY)
    assert "config/stages.yml" in caught.value.fix
    assert len(held(lake, "Id")) == 1


@pytest.mark.parametrize("stage", ["Proposal"])
@pytest.mark.parametrize("is_new", [True, False])
def test_a_load_whose_numbers_do_not_add_up_is_refused(lake: Lake, stage: str, is_new: bool) -> None:
    put(lake, rows_of(("1", "05", stage)))
    with pytest.raises(StorageError, match="The source says 2 rows"):
        put(lake, rows_of(("2" if is_new else "1", "05", stage)), day=21, source_count=2)
    assert len(list(lake.loads(TABLE))) == 1


def test_load_ids_number_the_loads_of_a_table(lake: Lake) -> None:
    reports = [put(lake, rows_of((str(number), "05", "Proposal"))) for number in (1, 2)]
    assert [report.load_id for report in reports] == [
        f"{TABLE}:20260120T000000Z:000001",
        f"{TABLE}:20260120T000000Z:000002",
    ]


@pytest.mark.parametrize("is_first", [True, False])
def test_the_slower_of_two_racing_loads_is_refused(lake: Lake, is_first: bool) -> None:
    if not is_first:
        put(lake, rows_of(("1", "05", "Proposal")))

    def rows() -> Iterator[pa.Table]:
        put(lake, rows_of(("2", "05", "Proposal")), day=21)
        yield rows_of(("3", "05", "Proposal"))

    with pytest.raises(StorageError, match="committed before"):
        put(lake, rows(), day=21, source_count=1)
    assert held(lake, "right(Id, 1)") == ([("2",)] if is_first else [("1",), ("2",)])


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-05T10:00:00.000Z", "2026-01-05 10:00:00"),
        ("2026-01-05T10:00:00+02:00", "2026-01-05 08:00:00"),
        ("2026-01-05", "2026-01-05 00:00:00"),
        ("Mon, 05 Jan 2026 10:00:00 +0100", "2026-01-05 09:00:00"),
        ("the other day", "2026-01-20 00:00:00"),
        (None, "2026-01-20 00:00:00"),
    ],
)
def test_record_times_are_read_in_every_form_sources_write(lake: Lake, text: str | None, instant: str) -> None:
    rows = pa.table({"sid": ["CA1"], "status": ["completed"], "at": pa.array([text], pa.string())})
    land(
        lake,
        LakeTable("telephony__call", ("sid",), record_time_column="at"),
        Delivery(rows, 1),
        known_at=datetime(2026, 1, 20, tzinfo=UTC),
        run_id="run",
    )
    known = lake.query("telephony__call", "select _known_from::varchar as known from lake")
    assert known is not None
    assert known.to_pylist() == [{"known": instant}]
