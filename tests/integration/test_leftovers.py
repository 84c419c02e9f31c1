"""What dead runs leave in Dagster is ended and freed; what lives is left alone; the past does not grow for ever."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from orchestration.embedded import open_instance
from orchestration.history import IDLE_RUNS_KEPT, IDLE_TAG, RUNS_KEPT, drop_old_runs
from orchestration.leftovers import clear_up, free_dead_runs
from orchestration.sensors import dead_runs
from storage.home import Home
from storage.locks import Liveness, find_dead_runs, hold_home, probe_run
from tests.unit.test_storage_locks import next_line, start

Status = dg.DagsterRunStatus


@dg.op
def nothing() -> None: ...


@dg.job
def idle_job() -> None:
    nothing()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def instance(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    for name in ("DAGSTER_HOME", "SALESOPS_EVENT_LOG"):
        monkeypatch.setenv(name, "")  # so that they are put back
    with open_instance(home) as opened:
        yield opened


def make_run(instance: dg.DagsterInstance, status: dg.DagsterRunStatus, tags: dict[str, str] | None = None) -> str:
    run_id = str(uuid.uuid4())
    instance.create_run_for_job(idle_job, run_id=run_id, status=status, tags=tags)
    return run_id


def leave_lock_file(home: Home, run_id: str) -> None:
    """What a killed run leaves: its lock file, held by nobody."""
    (home.locks / "runs").mkdir(parents=True, exist_ok=True)
    (home.locks / "runs" / run_id).touch()


def status_of(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Status.STARTED, Status.FAILURE),
        (Status.STARTING, Status.FAILURE),
        (Status.NOT_STARTED, Status.FAILURE),
        (Status.CANCELING, Status.CANCELED),
        (Status.SUCCESS, Status.SUCCESS),
    ],
    ids=lambda status: status.value,
)
def test_a_dead_run_is_ended(
    home: Home, instance: dg.DagsterInstance, before: dg.DagsterRunStatus, after: dg.DagsterRunStatus
) -> None:
    run_id = make_run(instance, before)
    leave_lock_file(home, run_id)
    free_dead_runs(instance, home)
    assert status_of(instance, run_id) is after
    assert not list((home.locks / "runs").iterdir())


def test_every_slot_is_freed_but_the_askers_and_a_live_run_stays_what_it_is(
    home: Home, instance: dg.DagsterInstance
) -> None:
    dead, waiting, mine = (make_run(instance, Status.STARTED) for _ in range(3))
    leave_lock_file(home, dead)
    log = instance.event_log_storage
    log.set_concurrency_slots("warehouse", 2)
    for run_id in (dead, mine):
        assert log.claim_concurrency_slot("warehouse", run_id, "dbt_marts").is_claimed
    with start(home.root, waiting) as process:
        assert next_line(process) == "holds"
        assert free_dead_runs(instance, home, but=mine) == [dead]
        assert log.get_concurrency_run_ids() == {mine}
        assert status_of(instance, waiting) is Status.STARTED
        process.kill()
    assert free_dead_runs(instance, home, but=mine) == [waiting]


def test_a_run_of_dagsters_lives_until_its_process_is_gone(home: Home, instance: dg.DagsterInstance) -> None:
    """Dagster records success after the executor returns: a run that was waiting for the home must not take this one for dead in between."""
    run_id = make_run(instance, Status.STARTED)
    with start(home.root, run_id, 0, "lives on") as process:
        assert next_line(process) == "holds"
        assert next_line(process) == "held"
        with hold_home(home, "next", wait=False):
            assert free_dead_runs(instance, home, but="next", now=datetime.now(UTC) + timedelta(days=1)) == []
        process.kill()
    assert free_dead_runs(instance, home) == [run_id]


def test_a_run_that_failed_before_dagster_could_note_it_is_ended_by_the_next(
    home: Home, instance: dg.DagsterInstance
) -> None:
    run_id = make_run(instance, Status.STARTED)
    with pytest.raises(OSError, match="No space"), hold_home(home, run_id):
        raise OSError("No space left on device")
    assert find_dead_runs(home) == []  # nothing for `doctor`: it said why it failed
    assert free_dead_runs(instance, home) == [run_id]


def test_a_run_inside_a_block_that_holds_the_home_is_known_to_live(home: Home) -> None:
    with hold_home(home, "erase"):
        with hold_home(home, "rebuild"):
            assert probe_run(home, "rebuild") is Liveness.LIVE
        assert probe_run(home, "rebuild") is Liveness.UNKNOWN
        assert probe_run(home, "erase") is Liveness.LIVE


def test_what_filled_the_disk_goes_before_room_is_asked_for(
    home: Home, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = home.published / "sets" / "dead.partial"
    left.mkdir(parents=True)
    monkeypatch.setattr("orchestration.leftovers.check_room", lambda home, needed: assert_gone(left))
    clear_up(instance, home, but="")


def assert_gone(path: Path) -> None:
    assert not path.exists()


def test_a_run_without_a_lock_file_is_dead_only_after_a_while(home: Home, instance: dg.DagsterInstance) -> None:
    started, launched = make_run(instance, Status.STARTED), make_run(instance, Status.STARTING)
    now = datetime.now(UTC)
    assert free_dead_runs(instance, home, now=now) == []
    assert free_dead_runs(instance, home, now=now + timedelta(minutes=2)) == [started]
    assert free_dead_runs(instance, home, now=now + timedelta(minutes=11)) == [launched]


def test_the_run_that_asks_is_never_its_own_victim(home: Home, instance: dg.DagsterInstance) -> None:
    run_id = make_run(instance, Status.STARTED)
    assert free_dead_runs(instance, home, but=run_id, now=datetime.now(UTC) + timedelta(days=1)) == []


def test_the_sensor_frees_dead_runs_between_runs_and_keeps_off_during_one(
    home: Home, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SALESOPS_HOME", str(home.root))
    run_id = make_run(instance, Status.STARTED)
    leave_lock_file(home, run_id)
    with hold_home(home, "another"):
        assert dead_runs(dg.build_sensor_context(instance=instance)).skip_message == "A run is at work."
    assert status_of(instance, run_id) is Status.STARTED
    assert run_id in str(dead_runs(dg.build_sensor_context(instance=instance)).skip_message)
    assert status_of(instance, run_id) is Status.FAILURE
    assert dead_runs.default_status is dg.DefaultSensorStatus.RUNNING


def test_old_runs_go_with_their_files_and_the_newest_stay(home: Home, instance: dg.DagsterInstance) -> None:
    built = [make_run(instance, Status.SUCCESS) for _ in range(RUNS_KEPT + 2)]
    idle = [make_run(instance, Status.SUCCESS, {IDLE_TAG: "true"}) for _ in range(IDLE_RUNS_KEPT + 3)]
    for run_id in (built[0], idle[0], idle[-1]):
        run = instance.get_run_by_id(run_id)
        assert run is not None
        instance.report_engine_event("An event, so that there is a file.", run)
    files = home.dagster / "history" / "runs"
    assert (files / f"{idle[0]}.db").exists()
    assert drop_old_runs(instance, home) == 5
    assert {run.run_id for run in instance.get_runs()} == {*built[2:], *idle[3:]}
    assert not [path for run_id in (built[0], idle[0]) for path in files.glob(f"{run_id}*")]
    assert (files / f"{idle[-1]}.db").exists()
    assert drop_old_runs(instance, home) == 0
