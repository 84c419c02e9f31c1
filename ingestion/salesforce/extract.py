"""One object, one window, one load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from ingestion.landing import LandingReport, land
from ingestion.salesforce.client import SalesforceClient
from ingestion.salesforce.objects import cursor_field, lake_table
from ingestion.salesforce.query import count_window, read_window
from ingestion.salesforce.soql import Window, read_instant, write_instant
from storage.lake import Lake

# Records are committed late with an earlier stamp, and clocks differ: each window starts a little before the last one ended.
LOOK_BACK = timedelta(minutes=10)


def ingest_object(
    client: SalesforceClient,
    lake: Lake,
    object_name: str,
    *,
    until: datetime,
    run_id: str,
    allowed_values: Mapping[str, Sequence[str]] | None = None,
) -> LandingReport:
    """Land what changed in one object since its last load, deletions included.

    Args:
        client: The signed-in org.
        lake: The lake.
        object_name: As Salesforce spells it.
        until: The run's instant: the window is `[cursor - LOOK_BACK, until)`, without lower bound on the first load.
        run_id: The orchestrator's run.
        allowed_values: `stages` and `lead_statuses` in force, see `contracts.check`.

    Returns:
        What became of the load; one with a notice and no rows where the org lacks the object.

    Raises:
        IngestionError: The object could not be read, its numbers do not add up, or its contract is broken. Nothing landed.
    """
    table = lake_table(object_name)
    if object_name not in client.object_names:
        return LandingReport(table, notice=f"The org has no object {object_name}, or the user may not read it: skipped.")
    previous = lake.newest_load(table)
    reached = read_instant(previous.cursor) if previous and previous.cursor else None
    stamp = cursor_field(object_name)
    window = Window(stamp, reached - LOOK_BACK if reached else None, until)
    if (window.since and window.since >= until) or not (expected := count_window(client, object_name, window)):
        return LandingReport(table, cursor=previous.cursor if previous else None)
    read = read_window(client, object_name, window, expected)
    return land(
        lake,
        table,
        read.rows,
        key=["Id"],
        version_column=stamp,
        known_at=until,
        cursor=write_instant(max(until, reached) if reached else until),
        window=(write_instant(window.since) if window.since else None, write_instant(until)),
        source_count=read.source_count,
        run_id=run_id,
        allowed_values=allowed_values,
        record_time_column=stamp,
        details=read.details,
    )
