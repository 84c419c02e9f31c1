"""A load's files when its commit fails: never a commit without its files, never the same load twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from storage import lake_writer
from storage.errors import StorageError
from storage.lake import Lake, LoadRecord, stamp_rows

TABLE = "crm__lead"
AT = datetime(2026, 1, 5, 11, tzinfo=UTC)


def load(lake: Lake, number: int) -> int:
    rows = stamp_rows(pa.table({"Id": [str(number)]}), load_id=f"l{number}", known_from=AT)
    return lake.commit(
        TABLE, rows, LoadRecord(f"l{number}", AT.isoformat(), source_count=1, landed_count=1, cursor=f"c{number}")
    )


def held(lake: Lake) -> list[str]:
    rows = lake.query(TABLE, "select Id from lake order by 1")
    return [] if rows is None else rows.column("Id").to_pylist()


def go_wrong(monkeypatch: pytest.MonkeyPatch, error: BaseException, *, is_committed: bool) -> Callable[[], None]:
    """Let the next commit to the log end in an error, before or after it was made; calling what is returned ends that."""

    def instead_of(commit: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> None:
            if is_committed:
                commit(*arguments, **named)
            raise error

        return run

    monkeypatch.setattr(DeltaTable, "create_write_transaction", instead_of(DeltaTable.create_write_transaction))
    monkeypatch.setattr(
        lake_writer, "create_table_with_add_actions", instead_of(lake_writer.create_table_with_add_actions)
    )
    return monkeypatch.undo


@pytest.mark.parametrize("earlier", [[], ["1"]], ids=["first load", "later load"])
def test_a_load_that_was_committed_all_the_same_has_landed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, earlier: list[str]
) -> None:
    lake = Lake(tmp_path)
    for _ in earlier:
        load(lake, 1)
    mend = go_wrong(monkeypatch, OSError("no room for the checkpoint"), is_committed=True)
    assert load(lake, 2) == len(earlier)
    mend()
    assert held(lake) == [*earlier, "2"]
    load(lake, 3)
    assert [record.cursor for record in lake.loads(TABLE)][:2] == ["c3", "c2"]


@pytest.mark.parametrize("earlier", [[], ["1"]], ids=["first load", "later load"])
@pytest.mark.parametrize("is_committed", [True, False])
def test_an_interrupt_during_the_commit_takes_no_file_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, earlier: list[str], is_committed: bool
) -> None:
    lake = Lake(tmp_path)
    for _ in earlier:
        load(lake, 1)
    mend = go_wrong(monkeypatch, KeyboardInterrupt(), is_committed=is_committed)
    with pytest.raises(KeyboardInterrupt):
        load(lake, 2)
    mend()
    assert held(lake) == [*earlier, *(["2"] if is_committed else [])]


def test_a_load_that_was_not_committed_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Lake(tmp_path)
    load(lake, 1)
    before = {path.name for path in (tmp_path / TABLE).iterdir()}
    mend = go_wrong(monkeypatch, OSError("no room"), is_committed=False)
    with pytest.raises(StorageError, match="no room"):
        load(lake, 2)
    mend()
    assert (held(lake), {path.name for path in (tmp_path / TABLE).iterdir()}) == (["1"], before)


def test_a_disk_without_room_for_the_checkpoint_costs_nothing(tmp_path: Path) -> None:
    """Delta makes one at every hundredth commit, after it; its size is the only one here that is beyond the limit."""
    filling = f"""
import resource, signal
from pathlib import Path
from storage.lake import Lake
from tests.unit.test_storage_lake_writer import TABLE, load
lake = Lake(Path({str(tmp_path)!r}))
for number in range(99):
    load(lake, number)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (6000, most))
load(lake, 99)
"""
    done = subprocess.run([sys.executable, "-c", filling], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lake = Lake(tmp_path)
    assert not list((tmp_path / TABLE / "_delta_log").glob("*.checkpoint.parquet"))  # there was no room, then
    assert len(held(lake)) == 100
    load(lake, 100)
    assert len(held(lake)) == 101
