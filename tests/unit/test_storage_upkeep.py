from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from deltalake import write_deltalake

from storage.errors import StorageError
from storage.home import Home
from storage.lake import Lake, LoadRecord, stamp_rows
from storage.lake_writer import TABLE_PROPERTIES
from storage.upkeep import SHORTEST_RETENTION, compact, only_one_upkeep, vacuum
from warehouse.build_plan import plan_build

AT = datetime(2026, 1, 5, 11, tzinfo=UTC)
TABLE = "crm__lead"


def load(lake: Lake, number: int, *, rows: int = 3) -> None:
    name = f"{TABLE}:{number:06d}"
    ids = pa.array([f"{number}-{row}" for row in range(rows)], pa.string())
    stamped = stamp_rows(
        pa.table({"Id": ids, "Email": pa.array(["ann@customer.example"] * rows)}), load_id=name, known_from=AT
    )
    lake.commit(
        TABLE, stamped, LoadRecord(name, AT.isoformat(), rows, rows, cursor=f"c{number}"), once=("load", number)
    )


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake")
    for number in range(1, 6):
        load(lake, number)
    return lake


def ids(lake: Lake) -> list[str]:
    rows = lake.query(TABLE, "select Id from lake order by Id")
    assert rows is not None
    return [str(value) for value in rows["Id"].to_pylist()]


def test_compaction_changes_files_and_nothing_else(lake: Lake) -> None:
    before, rows, plan = lake.snapshot(), ids(lake), plan_build(lake, AT)
    loads = list(lake.loads(TABLE))

    (done,) = compact(lake)

    assert (done.files_before, done.files_after) == (5, 1)
    assert ids(lake) == rows and list(lake.loads(TABLE)) == loads
    newest = lake.newest_load(TABLE)
    assert newest is not None and newest.cursor == "c5"
    opened = lake.open(TABLE)
    assert opened is not None and opened.transaction_version("load") == 5
    # A tick after it has nothing to build.
    assert lake.snapshot().fingerprint == before.fingerprint and plan_build(lake, AT).fingerprint == plan.fingerprint
    load(lake, 6)
    assert lake.snapshot().fingerprint != before.fingerprint


def test_the_newest_load_is_found_past_many_commits_that_are_none(lake: Lake) -> None:
    for number in range(40):
        opened = lake.open(TABLE)
        assert opened is not None
        opened.alter.set_table_properties(
            {"delta.appendOnly": "false", "salesops.touched": str(number)}, raise_if_not_exists=False
        )
    newest = lake.newest_load(TABLE)
    assert newest is not None and newest.cursor == "c5"
    assert [record.cursor for record in lake.loads(TABLE)] == ["c5", "c4", "c3", "c2", "c1"]


def test_a_build_reads_its_recorded_files_after_compaction_and_vacuum(lake: Lake) -> None:
    recorded = lake.snapshot()
    compact(lake)
    assert [done.files for done in vacuum(lake, {})] == [0]  # younger than the retention
    (table,) = recorded.tables
    with duckdb.connect() as connection:
        assert connection.read_parquet(list(table.files)).count("*").fetchall() == [(15,)]


def test_vacuum_keeps_the_versions_asked_for_and_drops_the_rest(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    (built,) = lake.snapshot().tables
    load(lake, 6)
    compact(lake)
    monkeypatch.setattr("storage.upkeep.SHORTEST_RETENTION", timedelta(0))  # the files of this test are seconds old
    at_once = timedelta(0)
    assert vacuum(lake, {TABLE: {built.version}}, retention=at_once, dry_run=True)[0].files == 1
    assert vacuum(lake, {TABLE: {built.version}}, retention=at_once)[0].files == 1
    assert all(Path(file).exists() for file in built.files)
    assert vacuum(lake, {}, retention=at_once)[0].files == 5
    assert not any(Path(file).exists() for file in built.files)
    assert len(ids(lake)) == 18
    newest = lake.newest_load(TABLE)
    assert newest is not None and newest.cursor == "c6"


def test_a_retention_too_short_for_a_writer_is_refused(lake: Lake) -> None:
    with pytest.raises(StorageError, match="could drop files that a load is writing"):
        vacuum(lake, {}, retention=SHORTEST_RETENTION / 2)


def test_readers_and_loads_go_on_while_tables_are_compacted(lake: Lake) -> None:
    stop, seen, failures = threading.Event(), [0], []

    def read() -> None:
        last = 0
        while not stop.is_set():
            try:
                count = len(ids(lake))
                assert count % 3 == 0 and count >= last, count
                last, seen[0] = count, seen[0] + 1
            except Exception as error:
                failures.append(error)
                return

    def write() -> None:
        try:
            for number in range(6, 26):
                load(lake, number)
        except Exception as error:
            failures.append(error)

    reader, writer = threading.Thread(target=read), threading.Thread(target=write)
    reader.start()
    writer.start()
    rounds = 0
    while writer.is_alive():
        compact(lake)
        vacuum(lake, {})
        rounds += 1
    writer.join()
    stop.set()
    reader.join()
    assert not failures, failures
    assert rounds > 1 and seen[0] > 1
    assert len(ids(lake)) == len(set(ids(lake))) == 75
    assert [record.load_id for record in lake.loads(TABLE)] == [f"{TABLE}:{number:06d}" for number in range(25, 0, -1)]


def test_the_log_keeps_no_value_of_a_row(lake: Lake) -> None:
    compact(lake)
    opened = lake.open(TABLE)
    assert opened is not None
    opened.create_checkpoint()
    logs = list((Path(lake.uri(TABLE)) / "_delta_log").iterdir())
    assert any(path.suffix == ".parquet" for path in logs) and len(logs) > 6
    for path in logs:
        assert b"ann@customer.example" not in path.read_bytes(), path.name


def test_compaction_gives_older_tables_todays_properties(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    write_deltalake(lake.uri(TABLE), pa.table({"Id": ["1"]}))
    compact(lake)
    opened = lake.open(TABLE)
    assert opened is not None and opened.metadata().configuration == TABLE_PROPERTIES


def test_an_unknown_table_is_named(lake: Lake) -> None:
    with pytest.raises(StorageError, match="no table crm__led"):
        compact(lake, ["crm__led"])


def test_only_one_upkeep_at_a_time(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with only_one_upkeep(home), pytest.raises(StorageError, match="Another compaction"), only_one_upkeep(home):
        pass
    with only_one_upkeep(home):
        pass
