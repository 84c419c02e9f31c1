"""`salesops lake …` as a user types it, and the job that keeps the lake up."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from ingestion.landing import Delivery, land
from ingestion.sources.salesforce.objects import find_object
from storage.home import Home
from storage.lake import Lake, LoadRecord, stamp_rows
from storage.locks import hold_home

AT = datetime(2026, 1, 5, 11, tzinfo=UTC)
TABLE = "crm__lead"


def start(home: Home, *arguments: str) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "SALESOPS_HOME": str(home.root),
        "NO_COLOR": "1",
        "COLUMNS": "200",
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-c", "from cli.main import main; main()", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def lake(home: Home, *arguments: str) -> subprocess.CompletedProcess[str]:
    with start(home, "lake", *arguments) as process:
        out, error = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, out, error)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.claim("simulation:tiny:7")
    for number in range(1, 4):
        name = f"{TABLE}:{number:06d}:20260105T110000Z"
        broken = pa.array([None, "Id_required;Status_known", "Id_required"], pa.string())
        rows = stamp_rows(
            pa.table({"Id": pa.array([f"{number}", None, None], pa.string())}),
            load_id=name,
            known_from=AT,
            broken_rules=broken,
        )
        record = LoadRecord(
            name,
            AT.isoformat(),
            5,
            1,
            2,
            2,
            4,
            cursor=f"c{number}",
            window=(f"c{number - 1}", None),
            run_id="run-7",
            details={"api": "bulk"},
        )
        Lake(home.lake).commit(TABLE, rows, record)
    return home


def test_loads_and_one_load_are_shown(home: Home) -> None:
    newest = lake(home, "loads")
    assert newest.returncode == 0, newest.stderr
    assert f"{TABLE}:000003" in newest.stdout and f"{TABLE}:000002" not in newest.stdout
    listed = lake(home, "loads", TABLE)
    assert listed.returncode == 0 and all(f"{TABLE}:00000{number}" in listed.stdout for number in (1, 2, 3))

    shown = lake(home, "show", f"{TABLE}:000002:20260105T110000Z")
    assert shown.returncode == 0, shown.stderr
    cells = [[cell.strip() for cell in line.strip("│ ").split("│")] for line in shown.stdout.splitlines()]
    for expected in (
        ["run", "run-7"],
        ["source count", "5"],
        ["landed", "1"],
        ["set aside", "2"],
        ["unchanged", "2"],
        ["marked deleted", "4"],
        ["window", "from c1 until the end"],
        ["cursor", "c2"],
        ["detail: api", "bulk"],
        ["rule broken: Id_required", "2 rows"],
        ["rule broken: Status_known", "1 rows"],
    ):
        assert expected in cells, expected


def test_what_does_not_exist_is_named_and_ends_with_1(home: Home) -> None:
    for arguments, expected in (
        (("loads", "crm__led"), "no table crm__led"),
        (("show", "crm__lead:000009"), "'crm__lead:000009'"),
        (("compact", "crm__led"), "no table crm__led"),
        (("vacuum", "crm__led"), "no table crm__led"),
        (("restore", "nowhere"), "no finished backup"),
    ):
        done = lake(home, *arguments)
        assert done.returncode == 1 and expected in done.stderr and "What to do" in done.stderr, (
            arguments,
            done.stderr,
        )
        assert "Traceback" not in done.stderr
    assert lake(home, "vacuum", "--keep-hours", "0").returncode == 2


def test_compact_vacuum_backup_and_restore(home: Home, tmp_path: Path) -> None:
    compacted = lake(home, "compact")
    assert compacted.returncode == 0 and "3 files before, 1 now" in compacted.stdout, (
        compacted.stdout + compacted.stderr
    )
    vacuumed = lake(home, "vacuum", "--dry-run")
    assert vacuumed.returncode == 0 and "0 files would be dropped" in vacuumed.stdout, vacuumed.stdout + vacuumed.stderr
    saved = lake(home, "backup", str(tmp_path / "backup"))
    assert saved.returncode == 0 and "1 tables" in saved.stdout, saved.stderr
    other = Home(tmp_path / "other")
    back = lake(other, "restore", str(tmp_path / "backup"))
    assert back.returncode == 0, back.stderr
    assert Lake(other.lake).count_rows() == {TABLE: 9}
    again = lake(other, "restore", str(tmp_path / "backup"))
    assert again.returncode == 1 and "empty home" in again.stderr


def test_a_restore_does_not_begin_beside_a_run(home: Home, tmp_path: Path) -> None:
    assert lake(home, "backup", str(tmp_path / "backup")).returncode == 0
    other = Home(tmp_path / "other")
    with hold_home(other, "run-8"):
        refused = lake(other, "restore", str(tmp_path / "backup"))
    assert refused.returncode == 75 and "run run-8" in refused.stderr, refused.stderr
    assert Lake(other.lake).tables() == []
    assert lake(other, "restore", str(tmp_path / "backup")).returncode == 0


def test_a_replay_waits_for_the_run_at_work(tmp_path: Path) -> None:
    home = Home(tmp_path)
    rows = pa.table(
        {
            "Id": ["too short"],
            "Name": ["Product"],
            "CreatedDate": ["2026-01-01T00:00:00.000Z"],
            "SystemModstamp": ["2026-01-02T00:00:00.000Z"],
        }
    )
    window = (None, AT.isoformat())
    delivery = Delivery(rows, rows.num_rows, cursor="c", window=window)
    landed = land(Lake(home.lake), find_object("Product2").lake_table, delivery, known_at=AT, run_id="r")
    assert landed.set_aside == 1
    with hold_home(home, "run-9"):
        process = start(home, "quarantine", "replay")
        assert process.stdout is not None
        assert "Waits for run run-9" in process.stdout.readline()
        assert process.poll() is None
    with process:
        out, error = process.communicate(timeout=60)
    assert process.returncode == 0 and "salesforce__product2: 0 rows came back, 1 still break a rule." in out, error


def test_the_job_keeps_the_lake_up(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALESOPS_HOME", str(home.root))
    monkeypatch.setenv("SALESOPS_SIMULATION_SIZE", "tiny")
    from orchestration.lake_upkeep import lake_upkeep, weekly_lake_upkeep
    from orchestration.resources import Platform

    fingerprint = Lake(home.lake).snapshot().fingerprint
    done = lake_upkeep.execute_in_process(resources={"platform": Platform()})
    assert done.success
    assert len(Lake(home.lake).snapshot().tables[0].files) == 1
    assert Lake(home.lake).snapshot().fingerprint == fingerprint
    assert weekly_lake_upkeep.default_status is dg.DefaultScheduleStatus.STOPPED
