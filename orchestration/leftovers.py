"""What dead runs left: in Dagster their status, their slots in pools, their place in the queue; in the home their half-written files.

A process that is killed cannot say that its run has ended. Dagster would count the run as in progress for ever, and nothing queued would start.
What belongs here: finding such runs and saying what they are. What does not: whose process lives (`storage.locks`).
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import dagster as dg

from orchestration.history import drop_old_runs
from publishing.published_set import remove_unfinished_sets
from storage.home import Home
from storage.locks import Liveness, forget_dead_runs, probe_run
from storage.room import LEAST_BYTES, check_room
from warehouse.manifest import drop_old_manifests
from warehouse.upkeep import remove_broken_warehouse

# Runs that a process is at work on, or was.
_IN_PROGRESS = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
# A run of this program takes its lock within a second of its start. One that has none much later was killed before that, or by an older version.
_LONGEST_WITHOUT_LOCK = timedelta(minutes=1)
# Dagster launches a run some time before its process is there; run monitoring ends those that never come.
_LONGEST_LAUNCH = timedelta(minutes=10)
_LONGEST_WRITE = timedelta(minutes=10)


def clear_up(instance: dg.DagsterInstance, home: Home, *, but: str) -> None:
    """What a run does first, once it holds the home: end dead runs, drop what they left half-written, drop what is old.

    Args:
        instance: The home's Dagster instance.
        home: The home folder.
        but: The run that begins.

    Raises:
        DiskFull: There is no room for a run.
    """
    now = datetime.now(UTC)
    remove_unfinished_sets(home)
    remove_broken_warehouse(home)
    _remove_temporary_files(home, now)
    check_room(home, LEAST_BYTES)  # after what a dead run filled it with is gone
    free_dead_runs(instance, home, but=but, now=now)
    drop_old_manifests(home, now)
    drop_old_runs(instance, home)


def free_dead_runs(
    instance: dg.DagsterInstance, home: Home, *, but: str = "", now: datetime | None = None
) -> list[str]:
    """End the runs whose process is gone, and free every slot in a pool: no other run is at work, and one that waits holds none yet.

    Args:
        instance: The home's Dagster instance.
        home: The home folder; no other run, and nothing that a dead run started, may be at work on it.
        but: The run that asks.
        now: For tests; the clock otherwise.

    Returns:
        The runs that were ended.
    """
    now = now or datetime.now(UTC)
    dead = [
        record
        for record in instance.get_run_records(dg.RunsFilter(statuses=_IN_PROGRESS))
        if _is_dead(home, record, but, now)
    ]
    for record in dead:
        run = record.dagster_run
        if run.status == dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, message="The run was cancelled, and its process has ended.")
        else:
            instance.report_run_failed(
                run, message="The run's process ended without a word: it was killed, or the machine stopped."
            )
    for run_id in instance.event_log_storage.get_concurrency_run_ids() - {but}:
        instance.event_log_storage.free_concurrency_slots_for_run(run_id)
    forget_dead_runs(home)
    return [record.dagster_run.run_id for record in dead]


def _remove_temporary_files(home: Home, now: datetime) -> None:
    """Files under a temporary name that nobody is writing any more."""
    patterns = (".*.tmp", ".write-probe-*", "*/.*.tmp", "simulation/endpoints-*.json", "models/*/*.tmp")
    for path in (path for pattern in patterns for path in home.root.glob(pattern)):
        with suppress(FileNotFoundError):
            if now.timestamp() - path.lstat().st_mtime > _LONGEST_WRITE.total_seconds():
                path.unlink()


def _is_dead(home: Home, record: dg.RunRecord, but: str, now: datetime) -> bool:
    run = record.dagster_run
    if run.run_id == but:
        return False
    alive = probe_run(home, run.run_id)
    if alive is not Liveness.UNKNOWN:
        return alive is Liveness.DEAD
    silent = now - record.update_timestamp
    if run.status == dg.DagsterRunStatus.STARTED:
        return silent > _LONGEST_WITHOUT_LOCK
    return silent > _LONGEST_LAUNCH
