"""Everything Dagster knows about Salesops, on one screen."""

from __future__ import annotations

import orjson
from dagster import (
    AssetSelection,
    DefaultScheduleStatus,
    Definitions,
    ScheduleDefinition,
    define_asset_job,
    definitions,
)

from ingestion.sources.settings import load_settings
from orchestration.assets.landing import LANDING_ASSETS
from orchestration.assets.predictions import predictions
from orchestration.assets.published import make_published_asset
from orchestration.assets.salesforce import salesforce_backfill
from orchestration.assets.snapshot import lake_snapshot
from orchestration.assets.warehouse import SalesopsTranslator, make_warehouse_assets
from orchestration.executor import one_run_executor
from orchestration.lake_upkeep import lake_upkeep, weekly_lake_upkeep
from orchestration.marts import describe_marts
from orchestration.resources import Platform
from orchestration.sensors import dead_runs, drop_folder
from warehouse.manifest import prepare_manifest

salesops_job = define_asset_job(
    "salesops", selection=AssetSelection.all(), description="The main job: from the sources to the published marts."
)
daily = ScheduleDefinition(
    name="daily",
    job=salesops_job,
    cron_schedule="0 6 * * *",
    execution_timezone="America/New_York",
    default_status=DefaultScheduleStatus.STOPPED,
    description="Every morning before the business day.",
)


@definitions
def defs() -> Definitions:
    """The code location."""
    manifest = prepare_manifest(load_settings().home_folder)
    nodes = orjson.loads(manifest.read_bytes())["nodes"]
    translator = SalesopsTranslator()
    marts = [
        translator.get_asset_key(node)
        for node in nodes.values()
        if node["resource_type"] == "model" and node["access"] == "public"
    ]
    return Definitions(
        assets=[
            *LANDING_ASSETS,
            lake_snapshot,
            *make_warehouse_assets(manifest),
            predictions,
            make_published_asset(marts, describe_marts(nodes)),
        ],
        jobs=[salesops_job, salesforce_backfill, lake_upkeep],
        schedules=[daily, weekly_lake_upkeep],
        sensors=[drop_folder, dead_runs],
        resources={"platform": Platform()},
        executor=one_run_executor,
    )
