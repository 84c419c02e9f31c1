"""Run the main job in this process, on its own Dagster instance under the home folder.

What belongs here: what `dagster` does for a deployment, for a single command. What does not: what is printed (`cli`).
"""

from __future__ import annotations

import json
import logging
import os
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime

import dagster as dg

from orchestration.assets.snapshot import REBUILD_TAG
from orchestration.causes import find_cause
from orchestration.leftovers import clear_up
from orchestration.notices import Notice, read_notices
from orchestration.resources import AS_OF_TAG, ONLY_FROM_LAKE_TAG, SINCE_TAG, UNTIL_TAG
from storage.home import Home, write_atomically
from storage.interrupts import interrupt_this_process, on_interrupt
from storage.locks import hold_home
from storage.settings import PROJECT_ROOT

_LOOK_SECONDS = 0.3
_CANCELLED = [dg.DagsterRunStatus.CANCELING, dg.DagsterRunStatus.CANCELED]


@dataclass
class RunOutcome:
    """The outcome of a run: its id, whether it built, and the seconds each finished step took."""

    run_id: str
    built: bool
    step_seconds: dict[str, float] = field(default_factory=dict)


def open_instance(home: Home) -> dg.DagsterInstance:
    """The embedded instance: `SALESOPS_HOME/dagster` with a copy of the project's dagster.yaml."""
    home.dagster.mkdir(parents=True, exist_ok=True)
    ours, copied = (PROJECT_ROOT / "dagster.yaml").read_text(encoding="utf-8"), home.dagster / "dagster.yaml"
    if not copied.exists() or copied.read_text(encoding="utf-8") != ours:
        write_atomically(copied, ours)
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    os.environ["SALESOPS_EVENT_LOG"] = str(home.dagster / "history" / "runs")
    return dg.DagsterInstance.get()


def load_job(home: Home) -> dg.JobDefinition:
    """The code location's job `salesops`; reparses the dbt project if it changed.

    Raises:
        WarehouseBuildError: The dbt project does not parse.
    """
    from orchestration.definitions import defs

    return defs().resolve_job_def("salesops")


def run_job(
    home: Home,
    job: dg.JobDefinition,
    *,
    run_id: str | None = None,
    as_of: datetime | None,
    rebuild: bool,
    on_step: Callable[[str], None],
    window: tuple[datetime | None, datetime | None] = (None, None),
    only_from_lake: bool = False,
    on_notice: Callable[[Notice], None] = lambda notice: None,
) -> RunOutcome:
    """Execute the job `salesops` in this process, as the home's only active run.

    Args:
        home: The home folder.
        job: The result of `load_job`.
        run_id: The run's id, under which the caller may already hold the home; a new one by default.
        as_of: The run's as-of instant; None lets the platform choose (the simulated clock).
        rebuild: Build even if nothing landed.
        on_step: Called with the name of each step that starts.
        window: `[since, until)` of Salesforce to re-read; nothing is re-read without `since`.
        only_from_lake: Query no source: build and publish what the lake holds.
        on_notice: Called at the end with each of the run's notices, even if it failed.

    Raises:
        DiskFull: There is no room for a run.
        SalesopsError: The first error of a step, as raised.
    """
    tags = {AS_OF_TAG: as_of.isoformat()} if as_of else {}
    if rebuild:
        tags[REBUILD_TAG] = "true"
    if only_from_lake:
        tags[ONLY_FROM_LAKE_TAG] = "true"
    tags |= {name: instant.isoformat() for name, instant in zip((SINCE_TAG, UNTIL_TAG), window, strict=True) if instant}
    built_from_lake = (dg.AssetSelection.all() - dg.AssetSelection.groups("lake")) | dg.AssetSelection.assets(
        "lake_snapshot"
    )
    selection = built_from_lake.resolve(job.asset_layer.asset_graph) if only_from_lake else None
    run_id = run_id or new_run_id()
    # If the gate stays shut, no check reports a result; Dagster would warn about each, though nothing is wrong.
    logging.getLogger("dagster._core.execution.plan.active").setLevel(logging.ERROR)
    with hold_home(home, run_id), open_instance(home) as instance:
        clear_up(instance, home, but=run_id)
        watching = threading.Event()
        watcher = threading.Thread(target=_report_steps, args=(instance, run_id, watching, on_step), name="progress")
        watcher.start()
        try:
            quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
            with _cancelled_when_interrupted(instance, run_id):
                result = job.execute_in_process(
                    instance=instance,
                    run_id=run_id,
                    tags=tags,
                    run_config=quiet,
                    asset_selection=list(selection) if selection else None,
                )
        except Exception as error:
            raise find_cause(error, home) from error
        finally:
            watching.set()
            watcher.join()
            with suppress(Exception):  # a full disk may block this read; that must not hide why the run failed
                for notice in read_notices(instance, run_id):
                    on_notice(notice)
        stats = instance.get_run_step_stats(run_id)
    seconds = {step.step_key: step.end_time - step.start_time for step in stats if step.end_time and step.start_time}
    write_atomically(home.root / "step_seconds.json", json.dumps(seconds, indent=1) + "\n")
    return RunOutcome(
        run_id,
        built="published_set" in {event.step_key for event in result.all_events if event.is_step_success},
        step_seconds=seconds,
    )


def new_run_id() -> str:
    """A new run id in Dagster's own format."""
    return str(uuid.uuid4())


@contextmanager
def _cancelled_when_interrupted(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """Have Dagster mark an interrupted run as cancelled; without a cancel request it would mark it as failed."""

    def ask_for_its_end() -> None:
        run = instance.get_run_by_id(run_id)
        if run and not run.is_finished and run.status not in _CANCELLED:
            instance.report_run_canceling(run)

    try:
        with on_interrupt(ask_for_its_end):
            yield
    except Exception:
        raise
    except BaseException:
        with suppress(Exception):  # if this fails, the next run ends it
            run = instance.get_run_by_id(run_id)
            if run and run.status != dg.DagsterRunStatus.CANCELED:
                instance.report_run_canceled(run)
        raise


def _report_steps(
    instance: dg.DagsterInstance, run_id: str, stop: threading.Event, on_step: Callable[[str], None]
) -> None:
    """Poll the event log for started steps (the in-process executor has no callback).

    A cancel in the UI acts like Ctrl-C.
    """
    cursor: str | None = None
    is_cancelled = False
    while True:
        last_look = stop.is_set()
        with suppress(Exception):  # a full disk: the run meets and reports it too
            connection = instance.get_records_for_run(run_id, cursor=cursor, of_type=dg.DagsterEventType.STEP_START)
            cursor = connection.cursor
            for record in connection.records:
                if step := record.event_log_entry.step_key:
                    on_step(step)
            run = instance.get_run_by_id(run_id)
            if run and run.status == dg.DagsterRunStatus.CANCELING and not (is_cancelled or last_look):
                is_cancelled = True
                interrupt_this_process()
        if last_look:
            return
        stop.wait(_LOOK_SECONDS)
