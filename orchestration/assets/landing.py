"""Sources → lake: one asset per lake table, one step per source.

What belongs here: which tables a source lands and what each load reports. What does not: talking to the source, or judging its rows (`ingestion`).
"""

from collections.abc import Iterable, Iterator

import dagster as dg

from incentives.loading import PLAN_TABLES, load_plans_into_lake
from ingestion.calls import CALL_TABLES, PROVIDERS
from ingestion.email import MESSAGE_TABLE, ingest_maildir
from ingestion.feeds import FEEDS, ingest_feed
from ingestion.files import CANONICAL_OBJECTS, ingest_files, load_mapping
from ingestion.landing import LandingReport
from ingestion.salesforce import OBJECTS, connect_salesforce, ingest_object, lake_table
from ingestion.settings import load_settings_into_lake, read_allowed_values
from ingestion.settings.load import SETTINGS_TABLES
from orchestration.resources import Platform

OWNERS = ["team:data-engineering"]
CONTRACT = "contract"

SALESFORCE_TABLES = {lake_table(name): name for name in OBJECTS}
FILE_TABLES = tuple(CANONICAL_OBJECTS)
FEED_TABLES = {feed.table: feed for feed in FEEDS}
LAKE_TABLES = [*SETTINGS_TABLES, *PLAN_TABLES, *SALESFORCE_TABLES, *CALL_TABLES, MESSAGE_TABLE, *FEED_TABLES, *FILE_TABLES]

Results = Iterator[dg.MaterializeResult[None]]


def _specs(tables: Iterable[str], kind: str, description: str, deps: Iterable[str] = ()) -> list[dg.AssetSpec]:
    return [
        dg.AssetSpec(table, description=description.format(table=table), kinds={kind, "deltalake"}, group_name="lake", owners=OWNERS, deps=list(deps))
        for table in tables
    ]


def _contracts(tables: Iterable[str]) -> list[dg.AssetCheckSpec]:
    return [dg.AssetCheckSpec(CONTRACT, asset=table, description="Rows of this load that broke no rule of their contract.") for table in tables]


def report_load(report: LandingReport, *, with_check: bool = True) -> dg.MaterializeResult[None]:
    """One load as Dagster shows it: counts, cursor, and the contract as an asset check."""
    check = dg.AssetCheckResult(
        asset_key=report.table,
        check_name=CONTRACT,
        passed=report.set_aside == 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"set_aside": report.set_aside, **{f"rule/{name}": count for name, count in report.rules.items()}},
    )
    return dg.MaterializeResult(
        asset_key=report.table,
        metadata={
            "landed": report.landed,
            "set_aside": report.set_aside,
            "unchanged": report.unchanged,
            "cursor": report.cursor or "",
            "notice": report.notice,
        },
        check_results=[check] if with_check else [],
    )


def _report_all(tables: Iterable[str], reports: Iterable[LandingReport], *, with_check: bool = True) -> Results:
    """Each table's load; a table that this run has no source for reports an empty one, so that what follows goes on."""
    by_table = {report.table: report for report in reports}
    for table in tables:
        yield report_load(by_table.get(table, LandingReport(table, notice="no source configured")), with_check=with_check)


@dg.multi_asset(name="settings", specs=_specs(SETTINGS_TABLES, "yaml", "Settings in force, from config/: `{table}`."))
def settings_tables(context: dg.AssetExecutionContext, platform: Platform) -> Results:
    """config/ → lake, validated, with content hashes."""
    chosen = platform.settings
    mapping = load_mapping(chosen.mapping) if chosen.mapping else None
    reports = load_settings_into_lake(platform.lake, chosen.config_dir, known_at=platform.as_of(context), run_id=context.run.run_id, mapping=mapping)
    yield from _report_all(SETTINGS_TABLES, reports, with_check=False)


@dg.multi_asset(name="plans", specs=_specs(PLAN_TABLES, "yaml", "Commission plans and boards in force, from config/: `{table}`."))
def plan_tables(context: dg.AssetExecutionContext, platform: Platform) -> Results:
    """config/plans and config/boards → lake, with the hash of each file."""
    config = platform.settings.config_dir
    reports = load_plans_into_lake(platform.lake, config / "plans", config / "boards", known_at=platform.as_of(context), run_id=context.run.run_id)
    yield from _report_all(PLAN_TABLES, [LandingReport(**vars(report)) for report in reports], with_check=False)


@dg.multi_asset(
    name="salesforce",
    specs=_specs(SALESFORCE_TABLES, "salesforce", "Every version of the CRM object behind `{table}`, as it came.", deps=["settings__stage"]),
    check_specs=_contracts(SALESFORCE_TABLES),
)
def salesforce_tables(context: dg.AssetExecutionContext, platform: Platform) -> Results:
    """CRM objects → lake: deltas by REST, large reads by Bulk 2.0."""
    sources = platform.sources()
    if not sources.salesforce_login_url:
        yield from _report_all(SALESFORCE_TABLES, [])
        return
    client = connect_salesforce(sources)
    allowed = read_allowed_values(platform.lake)
    for table, name in SALESFORCE_TABLES.items():
        report = ingest_object(client, platform.lake, name, until=platform.as_of(context), run_id=context.run.run_id, allowed_values=allowed)
        yield from _report_all([table], [report])


@dg.multi_asset(
    name="telephony",
    specs=[spec for provider in PROVIDERS for spec in _specs([provider.table], provider.name.lower(), f"Calls of {provider.name}, as they came.")],
    check_specs=_contracts(CALL_TABLES),
)
def call_tables(context: dg.AssetExecutionContext, platform: Platform) -> Results:
    """Call logs → lake, each provider that is configured."""
    sources = platform.sources()
    for provider in PROVIDERS:
        reports = []
        if provider.is_configured(sources):
            reports = [provider.ingest(sources, platform.lake, until=platform.as_of(context), run_id=context.run.run_id)]
        yield from _report_all([provider.table], reports)


@dg.multi_asset(
    name="mail",
    specs=_specs([MESSAGE_TABLE], "maildir", "Headers of every message in the reps' mailboxes; bodies are never stored."),
    check_specs=_contracts([MESSAGE_TABLE]),
)
def mail_tables(context: dg.AssetExecutionContext, platform: Platform) -> Results:
    """Maildirs → lake."""
    sources = platform.sources()
    reports = []
    if sources.maildir:
        reports = [ingest_maildir(sources.maildir, platform.lake, known_at=platform.as_of(context), run_id=context.run.run_id)]
    yield from _report_all([MESSAGE_TABLE], reports)


@dg.multi_asset(
    name="feeds",
    specs=_specs(FEED_TABLES, "csv", "Rows of the canonical feed behind `{table}`, as they came."),
    check_specs=_contracts(FEED_TABLES),
)
def feed_tables(context: dg.AssetExecutionContext, platform: Platform) -> Results:
    """Canonical CSV feeds → lake."""
    sources = platform.sources()
    reports = []
    if sources.feeds_dir:
        known_at, run_id = platform.as_of(context), context.run.run_id
        reports = [ingest_feed(platform.lake, feed, sources.feeds_dir, known_at=known_at, run_id=run_id) for feed in FEEDS]
    yield from _report_all(FEED_TABLES, reports)


@dg.multi_asset(
    name="files",
    specs=_specs(FILE_TABLES, "csv", "Rows of a mapped export: `{table}`, with its unmapped columns kept.", deps=["settings__stage"]),
    check_specs=_contracts(FILE_TABLES),
)
def file_tables(context: dg.AssetExecutionContext, platform: Platform) -> Results:
    """An export of any other system, mapped by a YAML file → lake."""
    chosen = platform.settings
    reports = []
    if chosen.mapping and chosen.files:
        mapping = load_mapping(chosen.mapping)
        reports = ingest_files(platform.lake, mapping, chosen.files, known_at=platform.as_of(context), run_id=context.run.run_id)
    yield from _report_all(FILE_TABLES, reports)


LANDING_ASSETS = [settings_tables, plan_tables, salesforce_tables, call_tables, mail_tables, feed_tables, file_tables]
