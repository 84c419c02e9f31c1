"""One object, one window, one load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ingestion.landing import LandingReport, land
from ingestion.salesforce.client import SalesforceClient
from ingestion.salesforce.drift import Drift, find_drift
from ingestion.salesforce.objects import cursor_field, lake_table
from ingestion.salesforce.query import count_window, read_window
from ingestion.salesforce.settings import SalesforceReading
from ingestion.salesforce.soql import Window, read_instant, write_instant
from storage.lake import Lake, LoadRecord

# Records are committed late with an earlier stamp, and clocks differ: each window starts a little before the last one ended.
LOOK_BACK = timedelta(minutes=10)
_FULL_READ_AT = "full_read_at"  # in a load's details: when the object was last read whole, by its cursor's clock


@dataclass(frozen=True)
class Backfill:
    """A window to read again, whatever the cursor says: `[since, until)`; without `since` from the beginning."""

    since: datetime | None
    until: datetime


def ingest_object(
    client: SalesforceClient,
    lake: Lake,
    object_name: str,
    *,
    until: datetime,
    run_id: str,
    allowed_values: Mapping[str, Sequence[str]] | None = None,
    reading: SalesforceReading | None = None,
    backfill: Backfill | None = None,
) -> LandingReport:
    """Land what changed in one object since its last load, deletions included; or a window once more.

    Args:
        client: The signed-in org.
        lake: The lake.
        object_name: As Salesforce spells it.
        until: The run's instant: the window is `[cursor - LOOK_BACK, until)`, without lower bound on the first load.
        run_id: The orchestrator's run.
        allowed_values: `stages` and `lead_statuses` in force, see `contracts.LoadCheck`.
        reading: How Salesforce is read; by default as without `config/salesforce.yml`.
        backfill: Read this window instead, and leave the cursor where it is. Rows are held against the lake's by all their values, so that
            what changed without a stamp comes too.

    Returns:
        What became of the load; one with a notice and no rows where the org lacks the object, or where the budget of requests is used up.

    Raises:
        IngestionError: The object could not be read, its numbers do not add up, or its contract is broken. Nothing landed.
    """
    reading = reading or SalesforceReading()
    table = lake_table(object_name)
    previous = lake.newest_load(table)
    unread = LandingReport(table, cursor=previous.cursor if previous else None)
    is_there = object_name in client.object_names  # asked first: the answer says how much of the budget is spent
    if spent := client.session.budget.describe_spent(reading.api_budget_share):
        return replace(unread, notice=f"{object_name} was not read. {spent}")
    if not is_there:
        return replace(unread, notice=_say_missing(object_name, previous))
    reached = read_instant(previous.cursor) if previous and previous.cursor else None
    stamp = cursor_field(object_name)
    is_whole = backfill is None and reached is not None and _is_due_whole(client, object_name, previous, until, reading)
    if backfill:
        window = Window(stamp, backfill.since, min(backfill.until, until))
    else:
        window = Window(stamp, reached - LOOK_BACK if reached and not is_whole else None, until)
    if window.is_empty or not (expected := count_window(client, object_name, window)):
        return unread
    drift = find_drift(object_name, client.fields(object_name), previous, reading.accepted_types)
    if drift.new_fields and reached is not None and backfill is None and reading.full_read_days:
        is_whole, window = True, Window(stamp, None, until)
        expected = count_window(client, object_name, window)
    forward = write_instant(max(until, reached) if reached else until)
    read_whole_at = (
        write_instant(until) if is_whole or (previous is None and not backfill) else (previous.details.get(_FULL_READ_AT, "") if previous else "")
    )
    with read_window(client, object_name, window, expected) as read:
        report = land(
            lake,
            table,
            read.rows,
            key=["Id"],
            version_column=stamp,
            known_at=until,
            cursor=(previous.cursor if previous else None) if backfill else forward,
            window=(write_instant(window.since) if window.since else None, write_instant(window.until)),
            source_count=read.source_count,
            run_id=run_id,
            allowed_values=allowed_values,
            record_time_column=stamp,
            details={**read.details, **drift.details, _FULL_READ_AT: read_whole_at},
            more_rules=drift.rules,
            compare_values=is_whole or backfill is not None,
            keep_record=is_whole,
        )
    return replace(report, notice=" ".join([*drift.notices, *_say_whole(object_name, is_whole, drift)]))


def _is_due_whole(client: SalesforceClient, object_name: str, previous: LoadRecord | None, until: datetime, reading: SalesforceReading) -> bool:
    """Whether it is time to read the object whole for the sake of its formula fields."""
    if previous is None or not reading.full_read_days:
        return False
    last = previous.details.get(_FULL_READ_AT) or previous.known_at
    return until - read_instant(last) >= timedelta(days=reading.full_read_days) and any(field.is_calculated for field in client.fields(object_name))


def _say_whole(object_name: str, is_whole: bool, drift: Drift) -> list[str]:
    reason = "may have values in its new fields that touched no stamp" if drift.new_fields else "has formula fields"
    return [f"{object_name} {reason} and was read whole."] if is_whole else []


def _say_missing(object_name: str, previous: LoadRecord | None) -> str:
    if previous is None:
        return f"The org has no object {object_name}, or the user may not read it: skipped."
    return (
        f"The org has no object {object_name} any more, or the user may no longer read it: skipped. What landed before stays, and "
        "reading goes on from there when it is back."
    )
