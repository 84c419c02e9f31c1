"""Sources → lake: one asset per lake table, one step per source.

What belongs here: which tables a source lands and what each load reports. What does not: talking to the source or
checking its rows (`ingestion`).
"""

import dagster as dg

from incentives.loading import PLAN_TABLES, load_plans_into_lake
from ingestion.landing import LandingReport
from ingestion.settings import load_settings_into_lake
from ingestion.settings.load import SETTINGS_TABLES
from ingestion.sources.calls.ingest import ingest_call_logs
from ingestion.sources.calls.providers import CALL_TABLES, PROVIDERS
from ingestion.sources.feeds.register import DROPPED_FILE_TABLE
from ingestion.sources.files.canonical import CANONICAL_OBJECTS
from ingestion.sources.files.ingest import ingest_files
from ingestion.sources.files.mapping import load_mapping
from ingestion.sources.mail.ingest import ingest_mail
from ingestion.sources.mail.tables import MESSAGE_TABLE
from orchestration.assets.feeds import FEED_TABLES, feed_tables
from orchestration.assets.loads import (
    Results,
    ResultsOrRefusals,
    make_contracts,
    make_specs,
    report_all,
    report_failure,
)
from orchestration.assets.salesforce import SALESFORCE_TABLES, salesforce_tables
from orchestration.resources import Platform

FILE_TABLES = tuple(CANONICAL_OBJECTS)
LAKE_TABLES = [
    *SETTINGS_TABLES,
    *PLAN_TABLES,
    *SALESFORCE_TABLES,
    *CALL_TABLES,
    MESSAGE_TABLE,
    *FEED_TABLES,
    DROPPED_FILE_TABLE,
    *FILE_TABLES,
]


@dg.multi_asset(
    name="settings", specs=make_specs(SETTINGS_TABLES, "yaml", "Settings in force, from config/: `{table}`.")
)
def settings_tables(context: dg.AssetExecutionContext, platform: Platform) -> Results:
    """config/ → lake, validated, with content hashes."""
    chosen = platform.settings
    mapping = load_mapping(chosen.mapping) if chosen.mapping else None
    reports = load_settings_into_lake(
        platform.lake, chosen.config_dir, known_at=platform.as_of(context), run_id=context.run.run_id, mapping=mapping
    )
    yield from report_all(SETTINGS_TABLES, reports, with_check=False)


@dg.multi_asset(
    name="plans",
    specs=make_specs(PLAN_TABLES, "yaml", "Commission plans and boards in force, from config/: `{table}`."),
)
def plan_tables(context: dg.AssetExecutionContext, platform: Platform) -> Results:
    """config/plans and config/boards → lake, with the hash of each file."""
    config = platform.settings.config_dir
    reports = load_plans_into_lake(
        platform.lake, config / "plans", config / "boards", known_at=platform.as_of(context), run_id=context.run.run_id
    )
    yield from report_all(PLAN_TABLES, [LandingReport(**vars(report)) for report in reports], with_check=False)


@dg.multi_asset(
    name="telephony",
    specs=[
        spec
        for provider in PROVIDERS
        for spec in make_specs([provider.table], provider.name.lower(), f"Calls of {provider.name}, as they came.")
    ],
    check_specs=make_contracts(CALL_TABLES),
)
def call_tables(context: dg.AssetExecutionContext, platform: Platform) -> ResultsOrRefusals:
    """Call logs → lake, for each configured provider. One failing provider does not stop the others."""
    sources = platform.sources()
    yield from report_all([provider.table for provider in PROVIDERS if not provider.is_configured(sources)], [])
    for table, outcome in ingest_call_logs(
        sources, platform.lake, until=platform.as_of(context), run_id=context.run.run_id
    ):
        if isinstance(outcome, LandingReport):
            yield from report_all([table], [outcome])
        else:
            yield from report_failure(context, table, outcome)


@dg.multi_asset(
    name="mail",
    specs=make_specs(
        [MESSAGE_TABLE],
        "mail",
        "Headers of every message in the reps' mailboxes; bodies only where the settings switch them on.",
    ),
    check_specs=make_contracts([MESSAGE_TABLE]),
)
def mail_tables(context: dg.AssetExecutionContext, platform: Platform) -> Results:
    """IMAP accounts, Maildirs and exported mail → lake."""
    sources = platform.sources()
    reports = []
    if sources.maildir or sources.mail_exports or sources.mail_accounts:
        reports = [ingest_mail(sources, platform.lake, known_at=platform.as_of(context), run_id=context.run.run_id)]
    yield from report_all([MESSAGE_TABLE], reports)


@dg.multi_asset(
    name="files",
    specs=make_specs(
        FILE_TABLES,
        "csv",
        "Rows of a mapped export: `{table}`, with its unmapped columns kept.",
        deps=["settings__stage"],
    ),
    check_specs=make_contracts(FILE_TABLES),
)
def file_tables(context: dg.AssetExecutionContext, platform: Platform) -> Results:
    """An export of any other system → lake, mapped by a YAML file."""
    chosen = platform.settings
    reports = []
    if chosen.mapping and chosen.files:
        mapping = load_mapping(chosen.mapping)
        reports = ingest_files(
            platform.lake, mapping, chosen.files, known_at=platform.as_of(context), run_id=context.run.run_id
        )
    yield from report_all(FILE_TABLES, reports)


LANDING_ASSETS = [settings_tables, plan_tables, salesforce_tables, call_tables, mail_tables, feed_tables, file_tables]
