"""What the daemon checks between runs: new files, which start a run, and dead runs, which would block others.

What belongs here: when to request a run, and with which key. What does not: which files are new and complete
(`ingestion.sources.feeds`), taking them, and which runs are dead (`orchestration.leftovers`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from ingestion.sources.feeds.drop_folder import DropFolder, look_into, sightings_from_json, sightings_to_json
from ingestion.sources.feeds.register import read_register
from ingestion.sources.files.errors import FileUnreadable
from ingestion.sources.settings import load_settings
from orchestration.assets.feeds import FEEDS_STEP
from orchestration.leftovers import free_dead_runs
from storage.lake import open_lake
from storage.locks import without_children

JOB = "salesops"
DROP_TAG = "salesops/drop"
FIRST_RETRY = timedelta(minutes=5)
LONGEST_RETRY = timedelta(hours=6)
_IN_PROGRESS = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dg.sensor(
    name="drop_folder",
    job_name=JOB,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Starts the main job when new feed files lie complete in the drop folder: unchanged over two looks.",
)
def drop_folder(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Request a run of the main job that takes the new files.

    A lost cursor costs one extra look and takes no file twice.
    """
    settings = load_settings()
    if settings.drop_folder is None:
        return dg.SensorResult(skip_reason="There is no drop folder: set SALESOPS_DROP_DIR.")
    earlier, warned = _read_cursor(context.cursor)
    try:
        seen = look_into(settings.drop_folder, read_register(open_lake(settings)), sightings_from_json(earlier))
    except FileUnreadable as error:
        return dg.SensorResult(skip_reason=str(error))
    complaints = _complain(seen)
    for complaint in complaints:
        if complaint not in warned:
            context.log.warning(complaint)
    sightings = sightings_to_json(seen.sightings)
    cursor = json.dumps([sightings, complaints])
    if not seen.ready:
        growing = f"Not settled yet: {', '.join(seen.unsettled)}." if seen.unsettled else "No new file."
        waiting = [_say_waiting(name, before) for name, before in seen.waiting.items() if before in seen.unsettled]
        return dg.SensorResult(skip_reason=" ".join([growing, *waiting, *complaints]), cursor=cursor)
    run_key, why_not = choose_run_key(context.instance, seen.key, now=datetime.now(UTC))
    if run_key is None:
        return dg.SensorResult(skip_reason=why_not, cursor=cursor)
    config = {"ops": {FEEDS_STEP: {"config": {"seen": sightings}}}}
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=run_key, run_config=config, tags={DROP_TAG: seen.key})], cursor=cursor
    )


@dg.sensor(
    name="dead_runs",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Ends runs whose process is gone and frees their slots, so that queued runs start. Starts no run itself.",
)
def dead_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Clean up as the next run would at its start, because that run may be queued behind the dead one."""
    home = load_settings().home_folder
    with without_children(home) as is_free:
        if not is_free:
            return dg.SkipReason("A run is at work.")
        ended = free_dead_runs(context.instance, home)
    return dg.SkipReason(f"Ended, for their processes are gone: {', '.join(ended)}." if ended else "No dead run.")


def choose_run_key(instance: dg.DagsterInstance, key: str, *, now: datetime) -> tuple[str | None, str]:
    """The key of the run to request, or None and the reason to wait.

    Dagster starts each key once, so after a run that failed before taking the files a new key is needed; otherwise they
    would wait for the next file. Pauses double. A run in progress may be about to take the files; one that seems to
    last longer than any pause was killed.
    """
    in_progress = dg.RunsFilter(job_name=JOB, statuses=_IN_PROGRESS, created_after=now - LONGEST_RETRY)
    if instance.get_runs_count(in_progress):
        return None, "New files wait for the end of the run in progress."
    tried = instance.get_run_records(dg.RunsFilter(tags={DROP_TAG: key}))
    if not tried:
        return key, ""
    pause = min(FIRST_RETRY * 2 ** min(len(tried) - 1, 10), LONGEST_RETRY)
    if now < max(_ended(record) for record in tried) + pause:
        return None, f"The run that was to take the new files did not; another is asked for {pause} after its end."
    return f"{key}:{len(tried)}", ""


def _ended(record: dg.RunRecord) -> datetime:
    return datetime.fromtimestamp(record.end_time, UTC) if record.end_time else record.create_timestamp


def _read_cursor(cursor: str | None) -> tuple[str, Sequence[str]]:
    try:
        sightings, warned = json.loads(cursor or "")
    except (ValueError, TypeError):
        return "{}", ()
    return str(sightings), list(warned)


def _complain(seen: DropFolder) -> list[str]:
    """Warnings for the operator, each given once while it lasts."""
    unknown = [
        f"{name} is left alone: its name begins with no feed's name, or does not end in .csv or .parquet."
        for name in seen.unknown
    ]
    held_up = [_say_waiting(name, before) for name, before in seen.waiting.items() if before in seen.unreadable]
    return [*unknown, *seen.unreadable.values(), *held_up]


def _say_waiting(name: str, before: str) -> str:
    return f"{name} waits for {before}, whose name comes before."
