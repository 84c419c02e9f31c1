"""A record that a feed's new file no longer has: named, or withdrawn where the feed is complete."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ingestion.sources.feeds.config_file import FeedReading, read_feed_settings
from ingestion.sources.feeds.deliveries import Deliveries, ingest_deliveries
from ingestion.sources.settings import load_settings
from ingestion.withdrawal import reinstate
from storage.errors import StorageError
from storage.lake import BROKEN_RULES, Lake
from storage.operator_files import OperatorFileError
from storage.settings import PROJECT_ROOT
from storage.withdrawals import query_standing, read_withdrawals

COMPLETE = FeedReading(complete=("quotas",))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "incoming").mkdir()
    return tmp_path


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def quotas(*amounts: str) -> str:
    """A file with one quota per employee E1, E2 …; none for a blank amount."""
    rows = [f"E{number},2026-01-01,{amount},USD" for number, amount in enumerate(amounts, 1) if amount]
    return "\n".join(["employee_id,period_start,quota_amount,currency", *rows, ""])


def read(lake: Lake, folder: Path, day: int, reading: FeedReading = COMPLETE) -> Deliveries:
    settings = load_settings(_env_file=None, feeds_dir=folder, drop_settle_seconds=0)
    delivered = ingest_deliveries(
        settings, lake, known_at=datetime(2026, 3, day, tzinfo=UTC), run_id="run", reading=reading
    )
    assert not delivered.failures
    return delivered


def in_force(lake: Lake) -> dict[str, str]:
    rows = query_standing(
        lake,
        "feed__quotas",
        f"select employee_id, quota_amount from lake where {BROKEN_RULES} is null "
        "qualify row_number() over (partition by employee_id, period_start order by _load_id desc) = 1",
    )
    return {row["employee_id"]: row["quota_amount"] for row in rows.to_pylist()} if rows else {}


def note(delivered: Deliveries) -> str:
    of_folder = delivered.reports["feed__quotas"].notice
    return " ".join([*([] if of_folder.startswith("No quotas.csv") else [of_folder]), *delivered.drops.notes.values()])


@pytest.mark.parametrize("name", ["quotas.csv", "incoming/quotas_2026.csv"])
def test_a_complete_feed_withdraws_what_its_file_no_longer_has(lake: Lake, folder: Path, name: str) -> None:
    (folder / name).write_text(quotas("1", "2", "3"))
    assert note(read(lake, folder, 1)) == ""
    (folder / name).write_text(quotas("1", "", "4"))
    assert "lacks 1 record that is in force: E2 2026-01-01. It was withdrawn" in note(read(lake, folder, 2))
    assert in_force(lake) == {"E1": "1", "E3": "4"}
    (folder / name).write_text(quotas("1", "2", "4"))  # unchanged, and back
    read(lake, folder, 3)
    assert in_force(lake) == {"E1": "1", "E2": "2", "E3": "4"}
    (folder / name).write_text(quotas("1", "", "4") + "\n")
    read(lake, folder, 4)
    assert in_force(lake) == {"E1": "1", "E3": "4"}
    assert [entry.key["employee_id"] for _, entry in read_withdrawals(lake)] == ["E2", "E2"]


def test_a_run_that_died_before_the_withdrawal_is_made_good_by_the_next(
    lake: Lake, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "quotas.csv").write_text(quotas("1", "2"))
    read(lake, folder, 1)
    (folder / "quotas.csv").write_text(quotas("1", "", "3"))
    with monkeypatch.context() as dying:
        dying.setattr(
            "ingestion.sources.feeds.absence.log_withdrawals",
            lambda *_, **__: (_ for _ in ()).throw(StorageError("The disk is full.")),
        )
        with pytest.raises(StorageError):
            read(lake, folder, 2)
    assert in_force(lake) == {"E1": "1", "E2": "2", "E3": "3"}
    read(lake, folder, 3)
    assert in_force(lake) == {"E1": "1", "E3": "3"}
    read(lake, folder, 4)
    assert len(read_withdrawals(lake)) == 1


def test_too_many_at_once_are_doubted_until_the_share_is_raised(lake: Lake, folder: Path) -> None:
    (folder / "quotas.csv").write_text(quotas(*map(str, range(1, 31))))
    read(lake, folder, 1)
    (folder / "quotas.csv").write_text(quotas(*map(str, range(1, 11))))  # cut off
    doubted = note(read(lake, folder, 2))
    assert "20 records" in doubted and "nothing was withdrawn" in doubted and "vanished_share" in doubted
    assert len(in_force(lake)) == 30
    read(lake, folder, 3, COMPLETE.model_copy(update={"vanished_share": Decimal("0.7")}))
    assert len(in_force(lake)) == 10


def test_a_dropped_file_that_was_doubted_is_believed_by_the_remedy_that_the_notice_names(
    lake: Lake, folder: Path
) -> None:
    (folder / "incoming" / "quotas_1.csv").write_text(quotas(*map(str, range(1, 31))))
    read(lake, folder, 1)
    cut_off = quotas(*map(str, range(1, 11)))
    (folder / "incoming" / "quotas_2.csv").write_text(cut_off)
    assert "drop the file again under a later name" in note(read(lake, folder, 2))
    raised = COMPLETE.model_copy(update={"vanished_share": Decimal("0.7")})
    read(lake, folder, 3, raised)
    assert len(in_force(lake)) == 30
    (folder / "incoming" / "quotas_3.csv").write_text(cut_off)
    read(lake, folder, 4, raised)
    assert len(in_force(lake)) == 10


def test_what_an_operator_reinstated_stays_in_force(lake: Lake, folder: Path) -> None:
    (folder / "quotas.csv").write_text(quotas("1", "2", "3"))
    read(lake, folder, 1)
    (folder / "quotas.csv").write_text(quotas("1", "", "3"))
    read(lake, folder, 2)
    ((_, entry),) = read_withdrawals(lake)
    reinstate(
        lake,
        entry.withdrawal_id,
        reason="a mistake in payroll",
        known_at=datetime(2026, 3, 3, tzinfo=UTC),
        run_id="run",
    )
    assert note(read(lake, folder, 4)) == ""
    (folder / "quotas.csv").write_text(quotas("1", "", "4"))
    assert note(read(lake, folder, 5)) == ""
    assert in_force(lake) == {"E1": "1", "E2": "2", "E3": "4"}
    (folder / "quotas.csv").write_text(quotas("1", "9", "4"))
    read(lake, folder, 6)
    (folder / "quotas.csv").write_text(quotas("1", "", "4"))
    assert "It was withdrawn" in note(read(lake, folder, 7))  # another row than the one that was reinstated


def test_a_file_dropped_anew_without_a_row_is_named_even_if_others_came_later(lake: Lake, folder: Path) -> None:
    (folder / "incoming" / "quotas_1.csv").write_text(quotas("1", "2"))
    (folder / "incoming" / "quotas_2.csv").write_text(quotas("", "", "3"))
    read(lake, folder, 1, FeedReading())
    (folder / "incoming" / "quotas_1.csv").write_text(quotas("1") + "\n")
    assert "lacks 1 record that is in force: E2 2026-01-01." in note(read(lake, folder, 2, FeedReading()))


def test_a_file_with_nothing_but_its_header_withdraws_nothing(lake: Lake, folder: Path) -> None:
    (folder / "quotas.csv").write_text(quotas("1", "2"))
    read(lake, folder, 1)
    (folder / "quotas.csv").write_text(quotas())
    assert "nothing was withdrawn" in note(read(lake, folder, 2))
    assert len(in_force(lake)) == 2


def test_a_row_that_was_set_aside_did_come(lake: Lake, folder: Path) -> None:
    (folder / "quotas.csv").write_text(quotas("1", "2"))
    read(lake, folder, 1)
    (folder / "quotas.csv").write_text(quotas("1", "many"))
    assert note(read(lake, folder, 2)) == ""
    assert in_force(lake)["E1"] == "1"


@pytest.mark.parametrize("name", ["quotas.csv", "incoming/quotas_2026.csv"])
def test_in_any_other_feed_the_record_stays_and_the_notice_says_how_to_take_it_back(
    lake: Lake, folder: Path, name: str
) -> None:
    (folder / name).write_text(quotas("1", "2"))
    read(lake, folder, 1, FeedReading())
    (folder / name).write_text(quotas("1", "", "3"))
    said = note(read(lake, folder, 2, FeedReading()))
    assert "lacks 1 record that is in force: E2 2026-01-01. It stays." in said
    assert "salesops lake withdraw feed__quotas --key employee_id=… --key period_start=…" in said
    assert "complete" in said
    assert len(in_force(lake)) == 3
    assert note(read(lake, folder, 3, FeedReading())) == ""  # once


def test_a_notice_does_not_say_why_somebody_was_away(lake: Lake, folder: Path) -> None:
    header = "employee_id,start_date,kind,end_date\n"
    (folder / "absences.csv").write_text(
        f"{header}E1,2026-01-05,sickness,2026-01-06\nE2,2026-01-05,vacation,2026-01-06\n"
    )
    read(lake, folder, 1)
    (folder / "absences.csv").write_text(f"{header}E2,2026-01-05,vacation,2026-01-06\n")
    said = read(lake, folder, 2).reports["feed__absences"].notice
    assert "E1 2026-01-05." in said and "sickness" not in said


def test_a_dropped_file_of_another_name_and_an_older_one_lack_nothing(lake: Lake, folder: Path) -> None:
    (folder / "incoming" / "quotas_02.csv").write_text(quotas("1", "2"))
    read(lake, folder, 1)
    (folder / "incoming" / "quotas_01.csv").write_text(quotas("", "", "3"))
    assert "lacks" not in note(read(lake, folder, 2))
    (folder / "incoming" / "quotas_03.csv").write_text(quotas("", "", "", "4"))
    assert "lacks" not in note(read(lake, folder, 3, FeedReading()))
    assert len(in_force(lake)) == 4


def test_the_file_that_comes_with_us_names_no_complete_feed_and_a_wrong_name_is_an_error(tmp_path: Path) -> None:
    assert read_feed_settings(PROJECT_ROOT / "config") == FeedReading()
    (tmp_path / "feeds.yml").write_text("complete: [quota]\n")
    with pytest.raises(OperatorFileError, match=r"'quota' is no feed; the feeds are personnel") as caught:
        read_feed_settings(tmp_path)
    assert "feeds.yml" in caught.value.where
