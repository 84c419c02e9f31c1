"""Canonical feeds → lake: one asset per feed, and one for the results of the dropped files.

What belongs here: what a run reports about both. What does not: which files are taken, and row rules (`ingestion`).
"""

import dagster as dg

from ingestion.errors import combine_errors
from ingestion.sources.feeds.catalogue import FEEDS
from ingestion.sources.feeds.config_file import read_feed_settings
from ingestion.sources.feeds.deliveries import ingest_deliveries
from ingestion.sources.feeds.drop_folder import sightings_from_json
from ingestion.sources.feeds.drops import DropReport
from ingestion.sources.feeds.register import DROPPED_FILE_TABLE
from orchestration.assets.loads import Results, make_contracts, make_specs, report_all
from orchestration.resources import Platform

FEEDS_STEP = "feeds"
FEED_TABLES = {feed.table: feed for feed in FEEDS}
NOTHING_REFUSED = "nothing_refused"


class DropConfig(dg.Config):
    """What the sensor saw in the drop folder, as JSON.

    None if it did not start the run, which then looks twice itself.
    """

    seen: str | None = None


def report_drops(report: DropReport) -> dg.MaterializeResult[None]:
    """Report the dropped files: each refusal with its reason, once, in the run that refused it."""
    refused = {f"refused/{entry.file}": entry.reason for entry in report.refused}
    check = dg.AssetCheckResult(
        asset_key=DROPPED_FILE_TABLE,
        check_name=NOTHING_REFUSED,
        passed=not (refused or report.unreadable),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={**refused, **{f"unreadable/{name}": why for name, why in report.unreadable.items()}},
    )
    taken, repeated = (
        [entry.file for entry in report.entries if entry.outcome == outcome] for outcome in ("taken", "repeated")
    )
    names = {
        "taken": taken,
        "repeated": repeated,
        "unsettled": report.unsettled,
        "waiting": report.waiting,
        "unknown": report.unknown,
    }
    notes = {f"note/{name}": note for name, note in report.notes.items()}
    metadata = {**{name: ", ".join(files) for name, files in names.items()}, **refused, **notes}
    return dg.MaterializeResult(asset_key=DROPPED_FILE_TABLE, metadata=metadata, check_results=[check])


@dg.multi_asset(
    name=FEEDS_STEP,
    specs=[
        *make_specs(FEED_TABLES, "csv", "Rows of the canonical feed behind `{table}`, as they came."),
        *make_specs(
            [DROPPED_FILE_TABLE],
            "csv",
            "Every file of the drop folder that was taken or refused, with its hash: `{table}`.",
        ),
    ],
    check_specs=[
        *make_contracts(FEED_TABLES),
        dg.AssetCheckSpec(
            NOTHING_REFUSED, asset=DROPPED_FILE_TABLE, description="No file of the drop folder was refused by this run."
        ),
    ],
)
def feed_tables(context: dg.AssetExecutionContext, config: DropConfig, platform: Platform) -> Results:
    """Canonical feeds → lake: the feeds folder, then the drop folder. A refused file does not stop the others."""
    earlier = sightings_from_json(config.seen) if config.seen else None
    delivered = ingest_deliveries(
        platform.sources(),
        platform.lake,
        known_at=platform.as_of(context),
        run_id=context.run.run_id,
        reading=read_feed_settings(platform.settings.config_dir),
        earlier=earlier,
    )
    for entry in delivered.drops.refused:
        context.log.warning(f"{entry.file} was refused and stays where it is. {entry.reason}")
    for notice in delivered.drops.notes.values():
        context.log.warning(notice)
    untouched = delivered.failures.keys() - delivered.reports.keys()
    yield from report_all([table for table in FEED_TABLES if table not in untouched], delivered.reports.values())
    if DROPPED_FILE_TABLE not in delivered.failures:
        yield report_drops(delivered.drops)
    for error in dict.fromkeys(delivered.failures.values()):
        context.log.error(str(error))
    if delivered.failures:
        raise combine_errors(list(delivered.failures.values()))
