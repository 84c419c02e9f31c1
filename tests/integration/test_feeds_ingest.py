"""Feeds into the lake: what is new lands, what is held does not, what is wrong is set aside or refused."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.landing import LandingReport
from ingestion.sources.feeds.catalogue import FEEDS, Feed
from ingestion.sources.feeds.ingest import ingest_feed
from ingestion.sources.files.errors import FileUnreadable
from storage.lake import Lake

BY_NAME = {feed.name: feed for feed in FEEDS}
QUOTAS = "employee_id,period_start,quota_amount,currency\nE1,2026-01-01,1000,USD\nE1,2026-02-01,1100,USD\nE2,2026-01-01,900,EUR\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "feeds").mkdir()
    return tmp_path / "feeds"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def ingest(lake: Lake, folder: Path, name: str = "quotas", day: int = 1) -> LandingReport:
    return ingest_feed(lake, BY_NAME[name], folder, known_at=datetime(2026, 3, day, tzinfo=UTC), run_id="run")


def broken(report: LandingReport) -> dict[str, int]:
    return {name: count for name, count in report.rules.items() if count}


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.name)
def test_a_feed_that_is_not_there_lands_nothing(lake: Lake, folder: Path, feed: Feed) -> None:
    report = ingest_feed(lake, feed, folder, known_at=datetime(2026, 3, 1, tzinfo=UTC), run_id="run")
    assert (report.source_count, report.version) == (0, None)
    assert feed.name in report.notice
    assert lake.tables() == []


def test_rows_land_as_text_with_the_files_hash(lake: Lake, folder: Path) -> None:
    (folder / "quotas.csv").write_text(QUOTAS)
    report = ingest(lake, folder)
    assert (report.landed, report.set_aside) == (3, 0)
    rows = lake.query("feed__quotas", "select employee_id, period_start, quota_amount from lake order by all")
    assert rows is not None
    assert rows.to_pylist()[0] == {"employee_id": "E1", "period_start": "2026-01-01", "quota_amount": "1000"}
    newest = lake.newest_load("feed__quotas")
    assert newest is not None
    assert (newest.details["file"], newest.cursor) == ("quotas.csv", newest.details["sha256"])


def test_an_equal_file_is_skipped_and_a_changed_one_lands_its_changes(lake: Lake, folder: Path) -> None:
    (folder / "quotas.csv").write_text(QUOTAS)
    ingest(lake, folder)
    again = ingest(lake, folder, day=2)
    assert (again.landed, again.unchanged, again.version) == (0, 3, None)

    (folder / "quotas.csv").write_text(QUOTAS.replace("1100", "1200") + "E3,2026-01-01,500,USD\n")
    changed = ingest(lake, folder, day=3)
    assert (changed.landed, changed.unchanged) == (2, 2)

    (folder / "quotas.csv").write_text(QUOTAS)
    taken_back = ingest(lake, folder, day=4)
    assert (taken_back.landed, taken_back.unchanged) == (1, 2)


def test_an_equal_file_is_not_even_read(lake: Lake, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "quotas.csv").write_text(QUOTAS)
    ingest(lake, folder)
    monkeypatch.setattr(
        "ingestion.sources.feeds.ingest.open_tabular", lambda *_, **__: pytest.fail("the file was read")
    )
    assert ingest(lake, folder, day=2).unchanged == 3


def test_a_row_that_breaks_its_contract_is_set_aside(lake: Lake, folder: Path) -> None:
    (folder / "quotas.csv").write_text(QUOTAS.replace("E2,2026-01-01,900", "E2,2026-01-15,900"))
    report = ingest(lake, folder)
    assert (report.landed, report.set_aside) == (2, 1)


@pytest.mark.parametrize(
    ("name", "header", "sound", "twice"),
    [
        pytest.param(
            "campaign_costs",
            "campaign_id,cost_date,amount,currency",
            ("C2,2026-01-01,7,USD", "C3,2026-01-01,7,USD"),
            ("C1,2026-01-01,100,USD", "C1,2026-01-01,250,USD"),
            id="a campaign's day",
        ),
        pytest.param(
            "absences",
            "employee_id,start_date,kind,end_date",
            ("E1,2026-01-05,sickness,2026-01-06", "E2,2026-01-05,vacation,2026-01-06"),
            ("E1,2026-01-05,vacation,2026-01-06", "E1,2026-01-05,vacation,2026-01-09"),
            id="an absence",
        ),
    ],
)
def test_rows_that_share_a_key_are_set_aside_all_of_them(
    lake: Lake, folder: Path, name: str, header: str, sound: tuple[str, str], twice: tuple[str, str]
) -> None:
    path = folder / f"{name}.csv"
    path.write_text("\n".join([header, sound[0], *twice, ""]))
    report = ingest(lake, folder, name)
    assert (report.landed, report.set_aside) == (1, 2)
    assert broken(report) == {f"{'_'.join(BY_NAME[name].key)}_is_unique": 2}

    path.write_text("\n".join([header, sound[0], *twice, sound[1], ""]))
    assert ingest(lake, folder, name, day=2).landed == 1, (
        "of the rows that share a key none lands with the next file either"
    )


def test_an_absence_without_a_kind_is_set_aside(lake: Lake, folder: Path) -> None:
    (folder / "absences.csv").write_text("employee_id,start_date,kind,end_date\nE1,2026-01-05,,2026-01-06\n")
    report = ingest(lake, folder, "absences")
    assert (report.landed, report.set_aside, broken(report)) == (0, 1, {"kind_is_required": 1})


def test_a_parquet_feed_lands_like_a_csv_one(lake: Lake, folder: Path) -> None:
    (folder / "quotas.csv").write_text(QUOTAS)
    ingest(lake, folder)
    (folder / "quotas.csv").unlink()
    table = pa.table(
        {
            "employee_id": ["E1", "E1", "E2"],
            "period_start": ["2026-01-01", "2026-02-01", "2026-01-01"],
            "quota_amount": [1000, 1100, 900],
        }
    )
    pq.write_table(table.append_column("currency", pa.array(["USD", "USD", "EUR"])), folder / "quotas.parquet")
    assert ingest(lake, folder, day=2).unchanged == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(QUOTAS.replace("quota_amount", "quota"), "lacks the column 'quota_amount'", id="a column missing"),
        pytest.param(QUOTAS + "E9,2026-01-01\n", "Line 5 of quotas.csv has 2 fields", id="a ragged row"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused_whole(lake: Lake, folder: Path, content: str, said: str) -> None:
    (folder / "quotas.csv").write_text(content)
    with pytest.raises(FileUnreadable, match=said):
        ingest(lake, folder)
    assert lake.tables() == []


def test_one_feed_in_two_files_is_refused(lake: Lake, folder: Path) -> None:
    (folder / "quotas.csv").write_text(QUOTAS)
    pq.write_table(pa.table({"employee_id": ["E1"]}), folder / "quotas.parquet")
    with pytest.raises(FileUnreadable, match="twice"):
        ingest(lake, folder)


def test_a_missing_folder_is_reported(lake: Lake, tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="feeds folder") as caught:
        ingest(lake, tmp_path / "nowhere")
    assert "SALESOPS_FEEDS_DIR" in caught.value.fix
