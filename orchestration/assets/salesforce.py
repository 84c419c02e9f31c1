"""Salesforce → lake: one asset per object, one step.

What belongs here: which objects a run reads, and how each object's result is reported to Dagster. What does not: how
objects are read, and whether the others continue when one is refused (`ingestion.sources.salesforce`).
"""

from collections.abc import Iterator

import dagster as dg

from ingestion.errors import IngestionError
from ingestion.landing import LandingReport
from ingestion.settings import read_allowed_values
from ingestion.sources.salesforce.client import connect_salesforce
from ingestion.sources.salesforce.config_file import read_salesforce_settings
from ingestion.sources.salesforce.ingest import ingest_objects
from ingestion.sources.salesforce.windows import Backfill
from ingestion.sources.settings import load_settings
from orchestration.assets.loads import (
    ResultsOrRefusals,
    describe_load,
    make_contracts,
    make_specs,
    report_all,
    report_failure,
)
from orchestration.resources import Platform

# Objects named by an operator are assets like the others: config/ is read when the definitions load.
SALESFORCE_TABLES = {each.table: each for each in read_salesforce_settings(load_settings().config_dir).all_objects}


@dg.multi_asset(
    name="salesforce",
    specs=make_specs(
        SALESFORCE_TABLES,
        "salesforce",
        "Every version of the CRM object behind `{table}`, as it came.",
        deps=["settings__stage"],
    ),
    check_specs=make_contracts(SALESFORCE_TABLES),
)
def salesforce_tables(context: dg.AssetExecutionContext, platform: Platform) -> ResultsOrRefusals:
    """CRM objects → lake: deltas by REST, large reads by Bulk 2.0. A refused object does not stop the others, nor publication."""
    if not platform.sources().salesforce_login_url:
        yield from report_all(SALESFORCE_TABLES, [])
        return
    for table, outcome in _read_objects(context, platform, platform.backfill(context)):
        if isinstance(outcome, LandingReport):
            if outcome.notice:
                (context.log.error if outcome.is_undone else context.log.warning)(outcome.notice)
            yield from report_all([table], [outcome])
        else:
            yield from report_failure(context, table, outcome)


@dg.op(
    out=dg.Out(dg.Nothing),
    description="Reads the partition's window of every object again; rows that the lake holds do not land twice.",
)
def read_salesforce_again(
    context: dg.OpExecutionContext, platform: Platform
) -> Iterator[dg.AssetMaterialization | dg.Output[None]]:
    """Re-read one month of every object, ignoring and keeping the cursors.

    A refused object does not stop the others.
    """
    if not platform.sources().salesforce_login_url:
        context.log.warning("No Salesforce is configured: nothing was read.")
        yield dg.Output(None)
        return
    window = context.partition_time_window
    landed = 0
    for table, outcome in _read_objects(context, platform, Backfill(window.start, window.end)):
        if isinstance(outcome, LandingReport):
            landed += outcome.landed
            # An event yielded here survives a failure of the op; `log_event` would lose it.
            yield _describe_backfill(table, outcome, context.partition_key)
        else:
            context.log.error(str(outcome))
    yield dg.Output(None, metadata={"landed": landed, "since": str(window.start), "until": str(window.end)})


def _read_objects(
    context: dg.AssetExecutionContext | dg.OpExecutionContext, platform: Platform, backfill: Backfill | None
) -> Iterator[tuple[str, LandingReport | IngestionError]]:
    """Each lake table with its object's result, read with this platform's settings."""
    return ingest_objects(
        connect_salesforce(platform.sources()),
        platform.lake,
        SALESFORCE_TABLES.values(),
        until=platform.as_of(context),
        run_id=context.run.run_id,
        allowed_values=read_allowed_values(platform.lake),
        reading=read_salesforce_settings(platform.settings.config_dir),
        backfill=backfill,
    )


def _describe_backfill(table: str, report: LandingReport, month: str) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(asset_key=table, description=f"Backfill of {month}", metadata=describe_load(report))


@dg.job(
    partitions_def=dg.MonthlyPartitionsDefinition(start_date="2010-01-01", timezone="UTC", end_offset=1),
    description="Reads months of Salesforce again, as a backfill over partitions: by the stamp of last change, whatever the cursors say.",
)
def salesforce_backfill() -> None:
    """One partition per month."""
    read_salesforce_again()
