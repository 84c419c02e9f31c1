from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from storage.errors import StorageError
from storage.lake import Lake, LoadRecord, stamp_rows

AT = datetime(2026, 1, 5, 11, tzinfo=UTC)


def load(
    lake: Lake,
    table: str,
    ids: list[str],
    *,
    load_id: str = "l1",
    cursor: str | None = None,
    **columns: list[str] | pa.Array,
) -> int:
    rows = stamp_rows(pa.table({"Id": pa.array(ids, pa.string()), **columns}), load_id=load_id, known_from=AT)
    record = LoadRecord(
        load_id, AT.isoformat(), source_count=len(ids), landed_count=len(ids), cursor=cursor, window=("a", "b")
    )
    return lake.commit(table, rows, record)


def test_cursor_and_rows_arrive_in_one_commit(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    assert lake.newest_load("crm__lead") is None
    load(lake, "crm__lead", ["1", "2"], cursor="c1")
    load(lake, "crm__lead", ["3"], load_id="l2", cursor="c2")

    newest = lake.newest_load("crm__lead")

    assert newest is not None
    assert (newest.cursor, newest.window, newest.load_id) == ("c2", ("a", "b"), "l2")
    rows = lake.query("crm__lead", "select Id, _load_id from lake order by Id")
    assert rows is not None and rows.to_pydict() == {"Id": ["1", "2", "3"], "_load_id": ["l1", "l1", "l2"]}


def test_a_column_whose_values_hardly_repeat_gets_no_dictionary(tmp_path: Path) -> None:
    lake, count = Lake(tmp_path / "lake"), 100
    note = [f"note {number}" if number % 5 == 0 else None for number in range(count)]
    load(
        lake,
        "crm__lead",
        [str(number) for number in range(count)],
        note=pa.array(note, pa.string()),
        stage=["new", "won"] * (count // 2),
    )

    (file,) = (tmp_path / "lake" / "crm__lead").glob("*.parquet")
    columns = [pq.ParquetFile(file).metadata.row_group(0).column(number) for number in range(3)]
    assert {each.path_in_schema: each.has_dictionary_page for each in columns} == {
        "Id": False,
        "note": False,
        "stage": True,
    }


def test_counts_that_do_not_add_up_commit_nothing(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    rows = stamp_rows(pa.table({"Id": ["1"]}), load_id="l1", known_from=AT)
    with pytest.raises(StorageError, match="source says 2 rows, but 1 landed"):
        lake.commit("crm__lead", rows, LoadRecord("l1", AT.isoformat(), source_count=2, landed_count=1))
    assert lake.tables() == []


def test_a_file_that_no_commit_names_is_not_seen(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    load(lake, "crm__lead", ["1"])
    before = lake.snapshot()
    table = Path(lake.uri("crm__lead"))
    orphan = next(table.glob("*.parquet"))
    (table / "part-of-a-killed-writer.parquet").write_bytes(orphan.read_bytes())

    assert lake.snapshot() == before
    rows = lake.query("crm__lead", "select count(*) as n from lake")
    assert rows is not None and rows["n"][0].as_py() == 1


def test_a_new_column_is_added_and_reads_null_before(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    load(lake, "crm__lead", ["1"])
    load(lake, "crm__lead", ["2"], load_id="l2", Rating=["Hot"])
    rows = lake.query("crm__lead", "select Rating from lake order by Id")
    assert rows is not None and rows["Rating"].to_pylist() == [None, "Hot"]
    assert lake.count_rows() == {"crm__lead": 2}


def test_a_column_keeps_its_type(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    load(lake, "crm__lead", ["1"], Score=["7"])
    with pytest.raises(StorageError, match="Column Score holds string, the load brings long") as caught:
        load(lake, "crm__lead", ["2"], load_id="l2", Score=pa.array([8]))
    assert "under another name" in caught.value.fix
    rows = lake.query("crm__lead", "select Id, Score from lake")
    assert rows is not None and rows.to_pylist() == [{"Id": "1", "Score": "7"}]


def test_loads_and_cursors_are_there_for_ever(tmp_path: Path) -> None:
    """Delta drops commits older than thirty days when it writes a checkpoint, at every hundredth, unless a setting says otherwise."""
    lake = Lake(tmp_path / "lake")
    for number in range(100):
        load(lake, "crm__lead", [str(number)], load_id=f"l{number}", cursor=f"c{number}")
    log = tmp_path / "lake/crm__lead/_delta_log"
    two_months_ago = time.time() - 60 * 24 * 3600
    for commit in log.glob("*.json"):
        os.utime(commit, (two_months_ago, two_months_ago))
    for number in range(100, 202):
        load(lake, "crm__lead", [str(number)], load_id=f"l{number}", cursor=f"c{number}")
    assert list(log.glob("*.checkpoint.parquet"))
    assert [record.cursor for record in lake.loads("crm__lead")] == [f"c{number}" for number in reversed(range(202))]


def test_a_commit_that_must_be_the_only_one_is_refused_the_second_time(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    rows = stamp_rows(pa.table({"Id": ["1"]}), load_id="l1", known_from=AT)
    record = LoadRecord("l1", AT.isoformat(), source_count=1, landed_count=1)
    lake.commit("ledger", rows, record, once=("close", 1))
    with pytest.raises(StorageError, match="'close' number 1 was committed before"):
        lake.commit("ledger", rows, record, once=("close", 1))


def test_fingerprint_changes_with_what_landed_and_only_with_it(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    load(lake, "crm__lead", ["1"])
    first = lake.snapshot().fingerprint
    assert lake.snapshot().fingerprint == first
    load(lake, "crm__lead", ["2"], load_id="l2")
    assert lake.snapshot().fingerprint != first


def test_snapshot_lines_carry_files_and_columns(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    load(lake, "crm__lead", ["1"])
    (line,) = lake.snapshot().to_ndjson().splitlines()
    table = json.loads(line)
    assert table["table_name"] == "crm__lead" and table["columns"][0] == "Id"
    assert all(Path(file).exists() for file in table["files"])


def test_a_path_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    blocked = tmp_path / "lake"
    blocked.write_text("a file stands where the lake should be")
    with pytest.raises(StorageError) as caught:
        load(Lake(blocked / "below"), "crm__lead", ["1"])
    assert "could not be committed" in caught.value.what and "run again" in caught.value.fix


def test_writing_a_state_file_to_a_full_disk_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from storage.home import write_atomically

    state = tmp_path / "origin.json"
    write_atomically(state, "old")

    def disk_full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", disk_full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(state, "new")
    assert state.read_text() == "old"
