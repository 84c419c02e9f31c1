"""Leftovers of dead runs: status, pool slots and queue places in Dagster, half-written files in the home.

A killed process cannot report that its run has ended. Dagster would count the run as in progress forever, and nothing
queued would start. What belongs here: finding such runs and reporting them. What does not: whether a process is alive
(`storage.locks`).
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

# Runs that have, or had, a process working on them.
_IN_PROGRESS = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
# Our runs take their lock within a second of starting. One still without it much later was killed before, or is an
# older version's.
_LONGEST_WITHOUT_LOCK = timedelta(minutes=1)
# Dagster launches a run some time before its process exists; run monitoring ends launches that never start.
_LONGEST_LAUNCH = timedelta(minutes=10)
_LONGEST_WRITE = timedelta(minutes=10)


def clear_up(instance: dg.DagsterInstance, home: Home, *, but: str) -> None:
    """The first thing a run does once it holds the home: end dead runs, delete half-written files, delete old data.

    Args:
        instance: The home's Dagster instance.
        home: The home folder.
        but: The starting run.

    Raises:
        DiskFull: There is no room for a run.
    """
    now = datetime.now(UTC)
    remove_unfinished_sets(home)
    remove_broken_warehouse(home)
    _remove_temporary_files(home, now)
    check_room(home, LEAST_BYTES)  # after deleting what a dead run filled it with
    free_dead_runs(instance, home, but=but, now=now)
    drop_old_manifests(home, now)
    drop_old_runs(instance, home)


def free_dead_runs(
    instance: dg.DagsterInstance, home: Home, *, but: str = "", now: datetime | None = None
) -> list[str]:
    """End runs whose process is gone and free all pool slots: no other run is active, and waiting runs hold none yet.

    Args:
        instance: The home's Dagster instance.
        home: The home folder; no other run, and no child of a dead run, may be active on it.
        but: The run that asks.
        now: For tests; the clock by default.

    Returns:
        The ids of the ended runs.
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
    """Delete files with temporary names that nobody is writing any more."""
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
