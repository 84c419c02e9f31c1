"""The lake on S3: the same loads, cursors and pictures as on a disk, read through local copies."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from ingestion.sources.settings import load_settings
from storage.backup import back_up, restore
from storage.errors import StorageError, summarise
from storage.home import Home
from storage.lake import Lake, LoadRecord, open_lake, stamp_rows
from storage.upkeep import compact, vacuum
from tests.s3_server import BUCKET, SECRET_KEY, serve_s3
from warehouse.build_plan import plan_build, read_recorded_plan, record_plan

AT = datetime(2026, 1, 5, 11, tzinfo=UTC)
TABLE = "crm__lead"


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    with serve_s3() as options:
        yield options


@pytest.fixture
def lake(s3: dict[str, str], tmp_path: Path) -> Lake:
    return Lake(f"s3://{BUCKET}/{tmp_path.name}", s3, cache=tmp_path / "lake_cache")


def load(lake: Lake, ids: list[str], number: int, *, once: bool = False, table: str = TABLE) -> None:
    name = f"{table}:{number:06d}"
    rows = stamp_rows(pa.table({"Id": pa.array(ids, pa.string())}), load_id=name, known_from=AT)
    record = LoadRecord(name, AT.isoformat(), len(ids), len(ids), cursor=f"c{number}")
    lake.commit(table, rows, record, once=("load", number) if once else None)


def test_rows_and_cursor_come_back_and_copies_are_made_once(lake: Lake, tmp_path: Path) -> None:
    assert (lake.tables(), lake.newest_load(TABLE), lake.query(TABLE, "from lake")) == ([], None, None)
    load(lake, ["1", "2"], 1)
    load(lake, ["3"], 2)

    newest = lake.newest_load(TABLE)
    assert newest is not None and newest.cursor == "c2"
    assert (lake.tables(), lake.count_rows(), lake.columns(TABLE)[0]) == ([TABLE], {TABLE: 3}, "Id")
    rows = lake.query(TABLE, "select Id from lake order by Id")
    assert rows is not None and rows["Id"].to_pylist() == ["1", "2", "3"]

    copies = {path: path.stat().st_mtime_ns for path in (tmp_path / "lake_cache").rglob("*.parquet")}
    assert len(copies) == 2
    cut_short = next(iter(copies))
    cut_short.write_bytes(cut_short.read_bytes()[:-1])
    assert lake.query(TABLE, "select Id from lake order by Id") == rows
    assert {path for path, stamp in copies.items() if path.stat().st_mtime_ns != stamp} == {cut_short}


def test_of_two_racing_commits_one_fails(lake: Lake) -> None:
    load(lake, ["1"], 1, once=True)
    refused: list[str] = []
    start = threading.Barrier(4)

    def race() -> None:
        start.wait()
        try:
            load(lake, ["2"], 2, once=True)
        except StorageError as error:
            refused.append(error.what)

    racers = [threading.Thread(target=race) for _ in range(4)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert len(refused) == 3, refused
    assert [record.cursor for record in lake.loads(TABLE)] == ["c2", "c1"]
    assert lake.count_rows() == {TABLE: 2}


def test_racing_loads_of_different_rows_all_land(lake: Lake) -> None:
    load(lake, ["0"], 0)
    racers = [threading.Thread(target=load, args=(lake, [str(number)], number)) for number in range(1, 5)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert lake.count_rows() == {TABLE: 5}


def test_a_build_reads_local_copies_of_the_recorded_picture(lake: Lake, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    load(lake, ["1"], 1)
    plan = plan_build(lake, AT)
    assert all(file.startswith("s3://") for table in plan.snapshot.tables for file in table.files)
    load(lake, ["2"], 2)

    record_plan(home, lake, plan, "run-1")

    assert read_recorded_plan(home).lake_versions == {TABLE: 0}
    (recorded,) = lake.fetch(plan.snapshot).tables
    assert recorded.files and all(
        Path(file).is_relative_to(tmp_path) and Path(file).exists() for file in recorded.files
    )
    assert recorded.files[0] in home.lake_snapshot.read_text()


def test_copies_that_the_picture_does_not_name_are_dropped(lake: Lake) -> None:
    load(lake, ["1"], 1)
    (first,) = lake.fetch(lake.snapshot()).tables
    load(lake, ["2"], 2)
    opened = lake.open(TABLE)
    assert opened is not None
    opened.optimize.compact()

    (after,) = lake.fetch(lake.snapshot()).tables

    assert after.newest_change == f"{TABLE}:000002" and len(after.files) == 1
    assert not Path(first.files[0]).exists() and Path(after.files[0]).exists()


def test_a_lake_on_s3_is_kept_up_saved_and_brought_back(lake: Lake, s3: dict[str, str], tmp_path: Path) -> None:
    for number in range(1, 4):
        load(lake, [str(number)], number)
    (done,) = compact(lake)
    assert (done.files_before, done.files_after) == (3, 1)
    assert vacuum(lake, {})[0].files == 0
    back_up(lake, Home(tmp_path / "home"), tmp_path / "backup")

    other = Lake(f"s3://{BUCKET}/{tmp_path.name}-other", s3, cache=tmp_path / "other_cache")
    restore(tmp_path / "backup", other, Home(tmp_path / "other"))

    rows = other.query(TABLE, "select Id from lake order by Id")
    assert rows is not None and rows["Id"].to_pylist() == ["1", "2", "3"]
    assert [record.cursor for record in other.loads(TABLE)] == ["c3", "c2", "c1"]
    load(other, ["4"], 4)
    assert other.count_rows() == {TABLE: 4}
    with pytest.raises(StorageError, match="an empty lake only"):
        restore(tmp_path / "backup", other, Home(tmp_path / "third"))


def test_settings_name_the_lake_and_its_secret_never_shows(
    s3: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    settings = load_settings(_env_file=None, home=tmp_path, lake=f"s3://{BUCKET}/{tmp_path.name}/")
    assert SECRET_KEY not in repr(settings)
    lake = open_lake(settings)
    load(lake, ["1"], 1)
    assert lake.uri(TABLE) == f"s3://{BUCKET}/{tmp_path.name}/{TABLE}"
    assert lake.query(TABLE, "from lake") is not None and (tmp_path / "lake_cache" / TABLE).is_dir()
    monkeypatch.setenv("SALESOPS_LAKE_REGION", "eu-central-1")
    assert load_settings(_env_file=None).lake_region == "eu-central-1"


def test_a_store_that_refuses_is_a_clear_error(s3: dict[str, str], tmp_path: Path) -> None:
    nowhere = Lake("s3://no-such-bucket/lake", s3, cache=tmp_path)
    with pytest.raises(StorageError) as caught:
        load(nowhere, ["1"], 1)
    assert "bucket does not exist" in caught.value.what and "s3://no-such-bucket/lake/crm__lead" in caught.value.where
    assert SECRET_KEY not in str(caught.value) and "\x1b" not in str(caught.value)
    with pytest.raises(StorageError, match="cannot be read") as caught:
        nowhere.open(TABLE)
    assert "SALESOPS_LAKE" in caught.value.fix


def test_a_file_that_the_store_lost_fails_the_read(lake: Lake) -> None:
    load(lake, ["1"], 1)
    filesystem, base = lake.filesystem()
    (lost,) = [file for file in lake.snapshot().tables[0].files]
    filesystem.delete_file(f"{base}/{TABLE}/{lost.rsplit('/', 1)[1]}")
    with pytest.raises(StorageError, match="could not be fetched"):
        lake.query(TABLE, "from lake")


def test_doctor_looks_at_the_lake(s3: dict[str, str], tmp_path: Path) -> None:
    environment = {
        **os.environ,
        **s3,
        "SALESOPS_HOME": str(tmp_path),
        "SALESOPS_LAKE": "s3://no-such-bucket/lake",
        "NO_COLOR": "1",
    }
    command = [sys.executable, "-c", "from cli.main import main; main()", "doctor"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    assert "there is no bucket 'no-such-bucket'" in output and done.returncode == 1
    assert SECRET_KEY not in output


def test_the_gist_of_an_error_holds_no_answer_body() -> None:
    error = OSError(
        "Generic S3 error\n \x1b[31m↳\x1b[0m 403 Forbidden\n <?xml version='1.0'?><AWSAccessKeyId>key</AWSAccessKeyId>"
    )
    assert summarise(error) == "Generic S3 error: 403 Forbidden"
