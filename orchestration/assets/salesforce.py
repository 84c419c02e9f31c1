"""Salesforce → lake: one asset per object, one step.

What belongs here: which objects a run reads, and what becomes of the others when one cannot be read. What does not: how one is read
(`ingestion.salesforce`).
"""

from collections.abc import Iterator

import dagster as dg

from ingestion.errors import ContractBroken, IngestionError, LoadsFailed, SignInError, SourceUnreachable
from ingestion.salesforce import OBJECTS, Backfill, connect_salesforce, ingest_object, lake_table, read_salesforce_settings
from ingestion.settings import read_allowed_values
from orchestration.assets.loads import make_contracts, make_specs, report_all, report_refusal
from orchestration.resources import Platform
from storage.settings import load_settings

# Objects that an operator names are assets like the others: config/ is read when the definitions are loaded.
SALESFORCE_TABLES = {lake_table(name): name for name in (*OBJECTS, *read_salesforce_settings(load_settings().config_dir).objects)}


@dg.multi_asset(
    name="salesforce",
    specs=make_specs(SALESFORCE_TABLES, "salesforce", "Every version of the CRM object behind `{table}`, as it came.", deps=["settings__stage"]),
    check_specs=make_contracts(SALESFORCE_TABLES),
)
def salesforce_tables(context: dg.AssetExecutionContext, platform: Platform) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """CRM objects → lake: deltas by REST, large reads by Bulk 2.0. An object that is refused does not keep the others from landing."""
    sources = platform.sources()
    if not sources.salesforce_login_url:
        yield from report_all(SALESFORCE_TABLES, [])
        return
    client = connect_salesforce(sources)
    allowed, reading, backfill = (
        read_allowed_values(platform.lake),
        read_salesforce_settings(platform.settings.config_dir),
        platform.backfill(context),
    )
    until, run_id = platform.as_of(context), context.run.run_id
    refused: list[IngestionError] = []
    for table, name in SALESFORCE_TABLES.items():
        try:
            report = ingest_object(
                client, platform.lake, name, until=until, run_id=run_id, allowed_values=allowed, reading=reading, backfill=backfill
            )
        except (SignInError, SourceUnreachable):
            raise  # it will not be better for the next object
        except IngestionError as error:
            refused.append(error)
            if isinstance(error, ContractBroken):
                yield report_refusal(table, error.violations)
            continue
        if report.notice:
            context.log.warning(report.notice)
        yield from report_all([table], [report])
    if refused:
        raise refused[0] if len(refused) == 1 else LoadsFailed(refused)


@dg.op(out=dg.Out(dg.Nothing), description="Reads the partition's window of every object again; rows that the lake holds do not land twice.")
def read_salesforce_again(context: dg.OpExecutionContext, platform: Platform) -> None:
    """One month of every object, whatever the cursors say; the cursors stay."""
    sources = platform.sources()
    if not sources.salesforce_login_url:
        context.log.warning("No Salesforce is configured: nothing was read.")
        return
    client, window = connect_salesforce(sources), context.partition_time_window
    allowed, reading = read_allowed_values(platform.lake), read_salesforce_settings(platform.settings.config_dir)
    backfill = Backfill(window.start, window.end)
    landed = 0
    for table, name in SALESFORCE_TABLES.items():
        report = ingest_object(
            client,
            platform.lake,
            name,
            until=platform.as_of(context),
            run_id=context.run.run_id,
            allowed_values=allowed,
            reading=reading,
            backfill=backfill,
        )
        landed += report.landed
        metadata: dict[str, dg.MetadataValue | int | str] = {
            "landed": report.landed,
            "unchanged": report.unchanged,
            "set_aside": report.set_aside,
            "notice": report.notice,
        }
        context.log_event(dg.AssetMaterialization(asset_key=table, description=f"Backfill of {context.partition_key}", metadata=metadata))
    context.add_output_metadata({"landed": landed, "since": str(backfill.since), "until": str(backfill.until)})


@dg.job(
    partitions_def=dg.MonthlyPartitionsDefinition(start_date="2010-01-01", timezone="UTC", end_offset=1),
    description="Reads months of Salesforce again, as a backfill over partitions: by the stamp of last change, whatever the cursors say.",
)
def salesforce_backfill() -> None:
    """One partition is a month."""
    read_salesforce_again()
