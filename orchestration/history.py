"""How much of its past the embedded Dagster instance keeps.

Dagster keeps every event of every run forever: 1.2 MB for a run that found nothing new, 3.5 MB for a full one. Assets
keep their latest materialization regardless of what is deleted here.
"""

from __future__ import annotations

import dagster as dg

from storage.home import Home
from storage.locks import Liveness, probe_run

IDLE_TAG = "salesops/idle"  # a run that found nothing new and so built nothing
IDLE_RUNS_KEPT = 10
RUNS_KEPT = 50
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def drop_old_runs(instance: dg.DagsterInstance, home: Home) -> int:
    """Delete finished runs and their events, except the newest idle ones and the newest others; returns how many."""
    ended = instance.get_run_records(dg.RunsFilter(statuses=_ENDED))  # newest first
    idle = [record for record in ended if IDLE_TAG in record.dagster_run.tags]
    others = [record for record in ended if IDLE_TAG not in record.dagster_run.tags]
    old = [record.dagster_run.run_id for record in [*idle[IDLE_RUNS_KEPT:], *others[RUNS_KEPT:]]]
    # A cancelled run's process may briefly outlive the run and still write to its log.
    gone = [run_id for run_id in old if probe_run(home, run_id) is not Liveness.LIVE]
    for run_id in gone:
        instance.delete_run(run_id)
    return len(gone)
