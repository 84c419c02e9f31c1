"""Warehouse → published set."""

import dagster as dg

from orchestration.assets.warehouse import POOL
from orchestration.resources import Platform
from publishing.marts import Marts
from publishing.policy import make_policy
from publishing.published_set import publish
from warehouse.build_plan import read_recorded_plan, require_whole_build


def make_published_asset(keys: list[dg.AssetKey], marts: Marts) -> dg.AssetsDefinition:
    """The last asset of a run; it depends on every mart.

    Args:
        keys: The marts' asset keys.
        marts: How each is published.
    """

    @dg.asset(
        name="published_set",
        deps=keys,
        pool=POOL,
        group_name="publishing",
        kinds={"duckdb", "parquet"},
        owners=["team:data-engineering"],
        description="What BI tools read: the marts of this run as one DuckDB file and as Parquet, personal data hashed, swapped in one step.",
    )
    def published_set(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult[None]:
        plan = read_recorded_plan(platform.home)
        require_whole_build(platform.home, plan)
        manifest = publish(
            platform.home,
            run_id=context.run.run_id,
            as_of=plan.as_of,
            fingerprint=plan.fingerprint,
            lake_versions=plan.lake_versions,
            marts=marts,
            policy=make_policy(platform.settings, marts),
        )
        return dg.MaterializeResult(
            metadata={"marts": len(manifest.row_counts), "rows": sum(manifest.row_counts.values())}
        )

    return published_set
