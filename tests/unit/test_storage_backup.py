from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from storage.backup import MANIFEST, back_up, restore
from storage.errors import StorageError
from storage.home import Home
from storage.lake import Lake, LoadRecord, stamp_rows
from storage.upkeep import compact

AT = datetime(2026, 1, 5, 11, tzinfo=UTC)
TABLES = ("crm__lead", "crm__task")


def load(lake: Lake, number: int) -> None:
    for table in TABLES:
        name = f"{table}:{number:06d}"
        rows = stamp_rows(pa.table({"Id": pa.array([f"{number}"], pa.string())}), load_id=name, known_from=AT)
        lake.commit(table, rows, LoadRecord(name, AT.isoformat(), 1, 1, cursor=f"c{number}"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.claim("sources")
    (home.models / "lead_quality").mkdir(parents=True)
    (home.models / "lead_quality" / "h.skops").write_bytes(b"model")
    for number in (1, 2, 3):
        load(Lake(home.lake), number)
    return home


def rows(lake: Lake) -> dict[str, list[object]]:
    return {
        table: found.to_pylist() for table in lake.tables() if (found := lake.query(table, "from lake order by all"))
    }


def test_what_is_restored_is_what_was_there(home: Home, tmp_path: Path) -> None:
    lake, target = Lake(home.lake), tmp_path / "backup"
    (Path(lake.uri("crm__lead")) / "part-orphan.parquet").write_bytes(b"what a killed writer left")
    report = back_up(lake, home, target)
    assert report.tables == 2 and report.copied == report.files
    load(lake, 4)  # what lands after the backup is not in it

    other = Home(tmp_path / "other")
    restore(target, Lake(other.lake), other)

    back = Lake(other.lake)
    assert rows(back) == {table: [row for row in held if row["Id"] != "4"] for table, held in rows(lake).items()}  # type: ignore[index]
    assert [record.cursor for record in back.loads("crm__lead")] == ["c3", "c2", "c1"]
    assert (other.root / "origin.json").read_bytes() == (home.root / "origin.json").read_bytes()
    assert (other.models / "lead_quality" / "h.skops").read_bytes() == b"model"
    assert not list(other.root.rglob("part-orphan.parquet"))
    load(back, 4)  # loads go on where the backup stood
    assert rows(back)["crm__task"] == rows(lake)["crm__task"]


def test_a_second_backup_copies_what_is_new_and_drops_what_is_gone(home: Home, tmp_path: Path) -> None:
    lake, target = Lake(home.lake), tmp_path / "backup"
    back_up(lake, home, target)
    load(lake, 4)
    assert back_up(lake, home, target).copied == 4  # a file and a log entry of each table
    assert back_up(lake, home, target).copied == 0
    compact(lake, ["crm__lead"])
    back_up(lake, home, target)
    assert len(list((target / "lake" / "crm__lead").glob("*.parquet"))) == 1
    other = Home(tmp_path / "other")
    restore(target, Lake(other.lake), other)
    assert rows(Lake(other.lake)) == rows(lake)


def test_loads_and_checkpoints_that_come_during_the_backup_are_not_in_it(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, target = Lake(home.lake), tmp_path / "backup"
    before, picture = rows(lake), lake.snapshot()
    load(lake, 4)
    opened = lake.open("crm__lead")
    assert opened is not None
    opened.create_checkpoint()
    monkeypatch.setattr(lake, "snapshot", lambda: picture)  # as it stood when the backup began
    back_up(lake, home, target)
    other = Home(tmp_path / "other")
    restore(target, Lake(other.lake), other)
    assert rows(Lake(other.lake)) == before


def test_a_checkpoint_is_saved_with_the_log_it_stands_for(home: Home, tmp_path: Path) -> None:
    lake, target = Lake(home.lake), tmp_path / "backup"
    opened = lake.open("crm__lead")
    assert opened is not None
    opened.create_checkpoint()
    load(lake, 4)
    back_up(lake, home, target)
    assert list((target / "lake" / "crm__lead" / "_delta_log").glob("*.checkpoint.parquet"))
    other = Home(tmp_path / "other")
    restore(target, Lake(other.lake), other)
    assert rows(Lake(other.lake)) == rows(lake)


def test_a_damaged_file_restores_nothing(home: Home, tmp_path: Path) -> None:
    target, other = tmp_path / "backup", Home(tmp_path / "other")
    back_up(Lake(home.lake), home, target)
    victim = next((target / "lake" / "crm__task").glob("*.parquet"))
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(bytes(content))
    with pytest.raises(StorageError, match="is damaged") as caught:
        restore(target, Lake(other.lake), other)
    assert str(victim) in caught.value.where and not other.root.exists()


def test_a_home_that_holds_something_is_refused(home: Home, tmp_path: Path) -> None:
    back_up(Lake(home.lake), home, tmp_path / "backup")
    with pytest.raises(StorageError, match="into an empty home"):
        restore(tmp_path / "backup", Lake(home.lake), home)
    with pytest.raises(StorageError, match="into an empty home"):
        restore(tmp_path / "backup", Lake(home.lake), Home(tmp_path / "empty"))


def test_folders_that_are_no_backup_are_refused(home: Home, tmp_path: Path) -> None:
    lake, photos = Lake(home.lake), tmp_path / "photos"
    photos.mkdir()
    (photos / "cat.jpg").write_bytes(b"")
    with pytest.raises(StorageError, match="something else than a backup"):
        back_up(lake, home, photos)
    with pytest.raises(StorageError, match="no finished backup"):
        restore(photos, lake, Home(tmp_path / "other"))

    back_up(lake, home, tmp_path / "backup")
    another = Home(tmp_path / "another")
    another.claim("mapping:else")
    with pytest.raises(StorageError, match="another company's backup"):
        back_up(Lake(another.lake), another, tmp_path / "backup")
    manifest = json.loads((tmp_path / "backup" / MANIFEST).read_text())
    (tmp_path / "backup" / MANIFEST).write_text(json.dumps({**manifest, "format_version": 99}))
    with pytest.raises(StorageError, match="A newer Salesops wrote this backup"):
        restore(tmp_path / "backup", Lake(another.lake), Home(tmp_path / "other"))


def test_a_backup_that_was_killed_goes_on(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake, target = Lake(home.lake), tmp_path / "backup"

    def killed(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("storage.backup.write_atomically", killed)
        with pytest.raises(StorageError, match="No space left on device"):
            back_up(lake, home, target)
    with pytest.raises(StorageError, match="no finished backup"):
        restore(target, Lake(tmp_path / "x"), Home(tmp_path / "other"))
    back_up(lake, home, target)
    restore(target, Lake(Home(tmp_path / "other").lake), Home(tmp_path / "other"))
