"""Dropped files into the lake: each once, by its content, in order, and none stopped by another."""

from __future__ import annotations

import errno
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from ingestion.sources.feeds.catalogue import FEEDS, Feed
from ingestion.sources.feeds.drops import DropReport, combine_reports, ingest_drops
from ingestion.sources.feeds.ingest import ingest_feed
from ingestion.sources.feeds.register import DROPPED_FILE_TABLE
from storage.errors import StorageError
from storage.lake import Lake

HEADER = "payment_id,invoice_id,payment_date,amount,currency\n"
ONE = HEADER + "P1,I1,2026-01-05,100,USD\n"
INVOICES = "invoice_id,opportunity_id,invoice_date,amount,currency\nI1,006A,2026-01-02,200,USD\n"
TWO = HEADER + "P1,I1,2026-01-05,150,USD\nP2,I1,2026-01-06,50,USD\n"
PAYMENTS = next(feed for feed in FEEDS if feed.name == "payments")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "incoming").mkdir()
    return tmp_path / "incoming"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def take(lake: Lake, folder: Path, day: int = 1) -> DropReport:
    return ingest_drops(
        lake,
        folder,
        known_at=datetime(2026, 3, day, tzinfo=UTC),
        run_id="run",
        earlier=None,
        settle_seconds=0,
        wait=lambda _: None,
    )


def lock(patch: pytest.MonkeyPatch, locked: Path) -> None:
    """Let a file be one that may not be opened; its permissions would not keep out every user that tests run as."""
    real = Path.open

    def open_others(path: Path, *arguments: Any, **named: Any) -> Any:
        if path == locked:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, *arguments, **named)

    patch.setattr(Path, "open", open_others)


def outcomes(report: DropReport) -> dict[str, str]:
    return {entry.file: entry.outcome for entry in report.entries}


def payments(lake: Lake) -> dict[str, str]:
    newest = "qualify _load_id = max(_load_id) over (partition by payment_id)"
    rows = lake.query(
        "feed__payments",
        f"select payment_id, amount from lake where _broken_rules is null {newest} order by payment_id",
    )
    assert rows is not None
    return {row["payment_id"]: row["amount"] for row in rows.to_pylist()}


def test_a_file_lands_once_and_stays_where_it_is(lake: Lake, folder: Path) -> None:
    (folder / "payments_2026-01.csv").write_text(ONE)
    assert outcomes(take(lake, folder)) == {"payments_2026-01.csv": "taken"}
    load = lake.newest_load("feed__payments")
    assert load is not None
    assert (load.landed_count, load.details["file"]) == (1, "payments_2026-01.csv")

    version = lake.snapshot().fingerprint
    assert take(lake, folder, day=2) == DropReport()
    assert lake.snapshot().fingerprint == version, "a look that finds nothing new changes nothing"
    assert (folder / "payments_2026-01.csv").read_text() == ONE


def test_the_same_bytes_are_not_taken_again_by_another_name_or_date(lake: Lake, folder: Path) -> None:
    first = folder / "payments_1.csv"
    first.write_text(ONE)
    take(lake, folder)
    (folder / "payments_2.csv").write_text(TWO)
    take(lake, folder, day=2)

    first.unlink()
    (folder / "payments_3.csv").write_text(ONE)  # taken, it would bring the old amount back
    assert outcomes(take(lake, folder, day=3)) == {"payments_3.csv": "repeated"}
    first.write_text(ONE)
    assert outcomes(take(lake, folder, day=4)) == {"payments_1.csv": "repeated"}
    assert payments(lake) == {"P1": "150", "P2": "50"}


def test_two_files_of_one_feed_land_in_the_order_of_their_names(lake: Lake, folder: Path) -> None:
    (folder / "payments_b.csv").write_text(TWO)
    (folder / "payments_a.csv").write_text(ONE)
    report = take(lake, folder)
    assert [entry.file for entry in report.entries] == ["payments_a.csv", "payments_b.csv"]
    assert payments(lake) == {"P1": "150", "P2": "50"}
    (whole,) = combine_reports(report.loads)
    assert (whole.landed, whole.unchanged, whole.source_count) == (3, 0, 3)


def test_the_same_bytes_twice_in_one_look_are_taken_once(lake: Lake, folder: Path) -> None:
    for name in ("payments_a.csv", "payments_b.csv"):
        (folder / name).write_text(ONE)
    assert outcomes(take(lake, folder)) == {"payments_a.csv": "taken", "payments_b.csv": "repeated"}
    assert len(list(lake.loads("feed__payments"))) == 1


def test_a_file_with_nothing_new_is_taken_all_the_same(lake: Lake, folder: Path) -> None:
    (folder / "payments_1.csv").write_text(TWO)
    take(lake, folder)
    (folder / "payments_2.csv").write_text(ONE.replace("100", "150"))
    assert outcomes(take(lake, folder, day=2)) == {"payments_2.csv": "taken"}
    assert take(lake, folder, day=3).entries == ()


def test_a_refused_file_is_reported_once_and_stops_no_other(lake: Lake, folder: Path) -> None:
    ragged = folder / "payments_1.csv"
    ragged.write_text(ONE + "P9,jane.doe@example.com\n")
    (folder / "payments_2.csv").write_text(TWO)
    (folder / "personnel.csv").write_text("E1,jane.doe@example.com,Jane Doe\nE2,a@example.com,A\n")
    report = take(lake, folder)
    assert outcomes(report) == {"personnel.csv": "refused", "payments_1.csv": "refused", "payments_2.csv": "taken"}
    reasons = {entry.file: entry.reason for entry in report.refused}
    assert "Line 3 of payments_1.csv has 2 fields" in reasons["payments_1.csv"]
    assert "lacks the column 'employee_id'" in reasons["personnel.csv"]
    assert "doe" not in str(reasons).lower()
    assert ragged.exists()
    assert take(lake, folder, day=2).entries == ()

    ragged.write_text(HEADER + "P3,I1,2026-01-07,1,USD\n")
    assert outcomes(take(lake, folder, day=3)) == {"payments_1.csv": "taken"}
    assert payments(lake) == {"P1": "150", "P2": "50", "P3": "1"}


def test_refused_bytes_under_another_name_are_tried_again(lake: Lake, folder: Path) -> None:
    (folder / "invoices.csv").write_text(ONE)
    assert outcomes(take(lake, folder)) == {"invoices.csv": "refused"}
    (folder / "invoices.csv").rename(folder / "payments.csv")
    assert outcomes(take(lake, folder, day=2)) == {"payments.csv": "taken"}


def test_parquet_lands_like_csv(lake: Lake, folder: Path) -> None:
    (folder / "payments.csv").write_text(TWO)
    take(lake, folder)
    table = pacsv.read_csv(folder / "payments.csv")
    assert pa.types.is_integer(table.schema.field("amount").type) and pa.types.is_date(
        table.schema.field("payment_date").type
    )
    pq.write_table(table, folder / "payments.parquet")
    report = take(lake, folder, day=2)
    assert outcomes(report) == {"payments.parquet": "taken"}
    assert (report.loads[0].unchanged, report.loads[0].landed) == (2, 0)


def test_a_file_that_grows_or_cannot_be_opened_holds_up_later_names_of_its_feed(
    lake: Lake, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    growing, whole = folder / "payments_1.csv", folder / "payments_2.csv"
    growing.write_text(ONE)
    whole.write_text(TWO)
    for name in ("invoices_3.csv", "invoices_4.csv", "invoices_5.csv"):
        (folder / name).write_text(INVOICES.replace("I1", f"I{name[9]}"))

    def go_on_writing(seconds: float) -> None:
        assert seconds == 7
        growing.write_text(ONE + "P7,I1,2026-01-07,1,USD\n")

    with monkeypatch.context() as locked:
        lock(locked, folder / "invoices_4.csv")
        known_at = datetime(2026, 3, 1, tzinfo=UTC)
        report = ingest_drops(
            lake, folder, known_at=known_at, run_id="run", earlier=None, settle_seconds=7, wait=go_on_writing
        )
    assert (outcomes(report), report.unsettled) == ({"invoices_3.csv": "taken"}, ("payments_1.csv",))
    assert list(report.unreadable) == ["invoices_4.csv"]
    assert report.waiting == {"payments_2.csv": "payments_1.csv", "invoices_5.csv": "invoices_4.csv"}
    report = take(lake, folder, day=2)
    assert outcomes(report) == dict.fromkeys(
        ("invoices_4.csv", "invoices_5.csv", "payments_1.csv", "payments_2.csv"), "taken"
    )
    assert report.waiting == {}
    assert payments(lake) == {"P1": "150", "P2": "50", "P7": "1"}


def test_a_file_that_can_no_longer_be_opened_when_it_is_its_turn_is_not_refused(
    lake: Lake, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingestion.sources.feeds import drops

    real = drops.open_feed_file
    (folder / "payments_1.csv").write_text(ONE)
    (folder / "payments_2.csv").write_text(TWO)
    with monkeypatch.context() as meanwhile:

        def lock_and_open(feed: Feed, path: Path) -> object:
            lock(meanwhile, folder / "payments_1.csv")
            return real(feed, path)

        meanwhile.setattr(drops, "open_feed_file", lock_and_open)
        report = take(lake, folder)
    assert (report.entries, report.waiting) == ((), {"payments_2.csv": "payments_1.csv"})
    assert "Permission denied" in report.unreadable["payments_1.csv"]
    assert outcomes(take(lake, folder, day=2)) == {"payments_1.csv": "taken", "payments_2.csv": "taken"}
    assert payments(lake) == {"P1": "150", "P2": "50"}


def test_a_file_that_was_put_right_says_what_it_took_from_later_names(lake: Lake, folder: Path) -> None:
    (folder / "payments_1.csv").write_text(TWO + "ragged\n")
    (folder / "payments_2.csv").write_text(ONE)
    (folder / "payments_3.csv").write_text(HEADER + "P3,I1,2026-01-07,3,USD\n")
    assert outcomes(take(lake, folder)) == {
        "payments_1.csv": "refused",
        "payments_2.csv": "taken",
        "payments_3.csv": "taken",
    }

    (folder / "payments_1.csv").write_text(TWO + "P3,I1,2026-01-07,4,USD\n")
    report = take(lake, folder, day=2)
    assert outcomes(report) == {"payments_1.csv": "taken"}
    assert payments(lake) == {"P1": "150", "P2": "50", "P3": "4"}
    complaint = report.notes["payments_1.csv"]
    assert "payments_1.csv was taken after payments_2.csv, payments_3.csv, although its name comes before" in complaint
    assert "payments_1.csv now holds (1 of payments_2.csv, 1 of payments_3.csv)" in complaint

    (folder / "payments_4.csv").write_text(ONE + "P9,I1,2026-01-09,9,USD\n")  # what the notice advises
    report = take(lake, folder, day=3)
    assert (outcomes(report), report.notes) == ({"payments_4.csv": "taken"}, {})
    assert payments(lake) == {"P1": "100", "P2": "50", "P3": "4", "P9": "9"}


def test_overtaking_is_reported_after_a_death_between_load_and_register_too(
    lake: Lake, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "payments_2.csv").write_text(ONE)
    take(lake, folder)
    (folder / "payments_1.csv").write_text(TWO)
    with monkeypatch.context() as dying:
        dying.setattr(
            "ingestion.sources.feeds.drops.write_register",
            lambda *_, **__: (_ for _ in ()).throw(StorageError("The disk is full.")),
        )
        with pytest.raises(StorageError):
            take(lake, folder, day=2)
    assert "1 of payments_2.csv" in take(lake, folder, day=3).notes["payments_1.csv"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(HEADER + "P5,I1,2026-01-05,5,USD\n", id="no record of the other"),
        pytest.param(ONE + "P5,I1,2026-01-05,5,USD\n", id="the other's record as it stands"),
        pytest.param(
            ONE.replace("2026-01-05", "5 January") + "P5,I1,2026-01-05,5,USD\n",
            id="the other's record, which is set aside",
        ),
    ],
)
def test_a_file_that_changes_no_record_of_a_later_name_overtakes_none(lake: Lake, folder: Path, content: str) -> None:
    (folder / "payments_2.csv").write_text(ONE)
    take(lake, folder)
    (folder / "payments_1.csv").write_text(content)
    report = take(lake, folder, day=2)
    assert (outcomes(report), report.notes) == ({"payments_1.csv": "taken"}, {})
    assert payments(lake) == {"P1": "100", "P5": "5"}


def test_a_file_that_changes_while_it_lands_holds_up_later_names(
    lake: Lake, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingestion.sources.feeds import drops

    path, real = folder / "payments_1.csv", drops.open_feed_file
    path.write_text(ONE)
    (folder / "payments_2.csv").write_text(HEADER + "P1,I1,2026-01-05,175,USD\n")

    def change_after_opening(*arguments: object, **named: object) -> object:
        stream = real(*arguments, **named)  # type: ignore[arg-type]
        path.write_text(TWO)
        return stream

    monkeypatch.setattr(drops, "open_feed_file", change_after_opening)
    report = take(lake, folder)
    assert (report.entries, report.unsettled) == ((), ("payments_1.csv",))
    assert report.waiting == {"payments_2.csv": "payments_1.csv"}
    assert "feed__payments" not in lake.tables()
    monkeypatch.undo()
    assert outcomes(take(lake, folder, day=2)) == {"payments_1.csv": "taken", "payments_2.csv": "taken"}
    assert payments(lake) == {"P1": "175", "P2": "50"}


def test_a_run_that_died_between_load_and_register_takes_nothing_twice(
    lake: Lake, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "payments_1.csv").write_text(ONE)
    with monkeypatch.context() as dying:
        dying.setattr(
            "ingestion.sources.feeds.drops.write_register",
            lambda *_, **__: (_ for _ in ()).throw(StorageError("The disk is full.")),
        )
        with pytest.raises(StorageError):
            take(lake, folder)
    (folder / "payments_0.csv").write_text(TWO)  # lands first: taken again after it, ONE would undo it
    assert outcomes(take(lake, folder, day=2)) == {"payments_0.csv": "taken", "payments_1.csv": "taken"}
    assert payments(lake) == {"P1": "150", "P2": "50"}
    assert len(list(lake.loads("feed__payments"))) == 2


def test_a_correction_dropped_beside_the_whole_file_is_not_taken_back(lake: Lake, folder: Path) -> None:
    (folder.parent / "payments.csv").write_text(ONE)
    for day in (1, 3):
        ingest_feed(lake, PAYMENTS, folder.parent, known_at=datetime(2026, 3, day, tzinfo=UTC), run_id="run")
        (folder / "payments_correction.csv").write_text(TWO)
        take(lake, folder, day=day + 1)
    assert payments(lake) == {"P1": "150", "P2": "50"}


def test_the_register_says_which_load_a_file_made(lake: Lake, folder: Path) -> None:
    (folder / "payments_1.csv").write_text(ONE)
    (folder / "payments_2.csv").write_text("x\n")
    take(lake, folder)
    rows = lake.query(DROPPED_FILE_TABLE, "select file, outcome, load_id, reason from lake order by file")
    load = lake.newest_load("feed__payments")
    assert rows is not None and load is not None
    taken, refused = rows.to_pylist()
    assert (taken["outcome"], taken["load_id"], taken["reason"]) == ("taken", load.load_id, None)
    assert (refused["outcome"], refused["load_id"]) == ("refused", None)


def test_unknown_files_are_reported(lake: Lake, folder: Path) -> None:
    (folder / "notes.txt").write_text("x")
    assert take(lake, folder).unknown == ("notes.txt",)


def test_a_file_replaced_between_look_and_opening_waits(
    lake: Lake, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "payments_1.csv").write_text(ONE)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(
            "ingestion.sources.feeds.drops.find_load", lambda *_: (folder / "payments_1.csv").write_text(TWO) and None
        )
        report = take(lake, folder)
    assert (report.entries, report.unsettled) == ((), ("payments_1.csv",))
    assert outcomes(take(lake, folder, day=2)) == {"payments_1.csv": "taken"}
    rows = lake.query(DROPPED_FILE_TABLE, "select sha256 from lake")
    assert rows is not None and rows.to_pylist() == [{"sha256": hashlib.sha256(TWO.encode()).hexdigest()}]
