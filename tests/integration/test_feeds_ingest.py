"""Feeds into the lake: what is new lands, what is held does not, what is wrong is set aside or refused."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from ingestion.landing import LandingReport
from ingestion.sources.feeds import ingest as ingest_module
from ingestion.sources.feeds.catalogue import FEEDS, Feed
from ingestion.sources.feeds.deliveries import ingest_deliveries
from ingestion.sources.feeds.ingest import ingest_feed
from ingestion.sources.files.errors import FileUnreadable
from ingestion.sources.files.tabular import TabularStream
from ingestion.sources.settings import load_settings
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


FURTHER = [
    "filename",
    "Filename",
    "file_row_number",
    "_load_id",
    "_broken_rules",
    "select",
    "Region",
    'a "b"',
    "a.b",
    "período",
]


@pytest.mark.parametrize("name", FURTHER)
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_further_column_of_any_name_is_kept(lake: Lake, folder: Path, name: str, ending: str) -> None:
    values = {
        "employee_id": "E1",
        "period_start": "2026-01-01",
        "quota_amount": "1000",
        "currency": "USD",
        name: "kept",
    }
    if ending == "parquet":
        pq.write_table(pa.Table.from_pylist([values]), folder / "quotas.parquet")
    else:
        pacsv.write_csv(pa.Table.from_pylist([values]), folder / "quotas.csv")
    assert ingest(lake, folder).landed == 1
    rows = lake.query("feed__quotas", "from lake")
    assert rows is not None
    assert "kept" in rows.to_pylist()[0].values()


def test_a_feeds_own_columns_are_known_in_any_case(lake: Lake, folder: Path) -> None:
    (folder / "quotas.csv").write_text(QUOTAS.replace("employee_id,period_start", "Employee_ID, PERIOD_START"))
    assert ingest(lake, folder).landed == 3
    (folder / "quotas.csv").write_text(QUOTAS)
    assert ingest(lake, folder, day=2).unchanged == 3


def test_two_columns_for_one_of_the_feeds_are_refused(lake: Lake, folder: Path) -> None:
    (folder / "quotas.csv").write_text(
        "employee_id,Currency,period_start,quota_amount,currency\nE1,USD,2026-01-01,1,EUR\n"
    )
    with pytest.raises(FileUnreadable, match="'Currency' and 'currency'"):
        ingest(lake, folder)


def test_blanks_around_a_feeds_values_mean_nothing(lake: Lake, folder: Path) -> None:
    (folder / "quotas.csv").write_text(QUOTAS)
    ingest(lake, folder)
    padded = QUOTAS.replace("E1,", "E1      ,").replace("E2,", "\u00a0E2\t,").replace("USD", "USD ")
    (folder / "quotas.csv").write_text(padded)
    assert ingest(lake, folder, day=2).unchanged == 3
    (folder / "quotas.csv").write_text(QUOTAS + "E1 ,2026-01-01,2000,USD\nE9,   ,5,USD\n")
    assert broken(ingest(lake, folder, day=3)) == {
        "employee_id_period_start_is_unique": 2,
        "period_start_is_required": 1,
    }


@pytest.mark.parametrize(
    ("day", "lands"),
    [
        ("2026-10-01 00:00:00", True),
        ("2026-10-01T00:00:00.000", True),
        ("2026-10-01 00:00", True),
        (" 2026-10-01 ", True),
        ("2026-10-01T00:00:00Z", False),
        ("2026-10-01 00:00:00+02:00", False),
        ("2026-10-01 09:00:00", False),
        ("01.10.2026", False),
    ],
)
def test_a_midnight_without_a_zone_is_a_day(lake: Lake, folder: Path, day: str, lands: bool) -> None:
    (folder / "quotas.csv").write_text(QUOTAS.replace("2026-02-01", day))
    report = ingest(lake, folder)
    assert (report.landed, report.set_aside) == ((3, 0) if lands else (2, 1))


@pytest.mark.parametrize(
    "kind", [pa.timestamp("us"), pa.timestamp("ns"), pa.timestamp("s"), pa.date32(), pa.date64()], ids=str
)
def test_parquet_days_of_any_type_are_days(lake: Lake, folder: Path, kind: pa.DataType) -> None:
    (folder / "quotas.csv").write_text(QUOTAS)
    ingest(lake, folder)
    (folder / "quotas.csv").unlink()
    rows = pacsv.read_csv(pa.py_buffer(QUOTAS.encode()))
    rows = rows.set_column(1, "period_start", rows.column("period_start").cast(pa.date32()).cast(kind))
    pq.write_table(rows, folder / "quotas.parquet")
    assert ingest(lake, folder, day=2).unchanged == 3


def test_an_error_that_nobody_expected_stays_in_its_feed(
    lake: Lake, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "quotas.csv").write_text(QUOTAS)
    (folder / "payments.csv").write_text("payment_id,invoice_id,payment_date,amount,currency\nP1,I1,2026-01-05,1,USD\n")
    (folder / "incoming").mkdir()
    for name in ("quotas_1.csv", "absences_1.csv"):
        (folder / "incoming" / name).write_text(
            "employee_id,start_date,kind,end_date,period_start,quota_amount,currency\nE7,2026-01-05,sickness,2026-01-06,2026-05-01,1,USD\n"
        )
    opened = ingest_module.open_tabular

    def fail(path: Path) -> TabularStream:
        if path.name.startswith("quotas"):
            raise ValueError("jane@acme.example cannot be read")
        return opened(path)

    monkeypatch.setattr(ingest_module, "open_tabular", fail)
    delivered = ingest_deliveries(
        load_settings(_env_file=None, feeds_dir=folder, drop_settle_seconds=0),
        lake,
        known_at=datetime(2026, 3, 1, tzinfo=UTC),
        run_id="run",
    )
    assert {table for table, report in delivered.reports.items() if report.landed} == {
        "feed__payments",
        "feed__absences",
    }
    (error,) = delivered.failures.values()
    assert "quotas" in error.what
    assert "ValueError" in error.what
    assert "jane" not in str(error)
    (refused,) = delivered.drops.refused
    assert refused.file == "quotas_1.csv"
    assert "Rename" in refused.reason
