"""The gate between lake and warehouse: what this run's build reads, or that there is nothing to build."""

from collections.abc import Iterator

import dagster as dg

from orchestration.assets.landing import LAKE_TABLES
from orchestration.assets.loads import OWNERS
from orchestration.history import IDLE_TAG
from orchestration.marts import read_marts
from orchestration.resources import Platform
from publishing.policy import make_policy
from publishing.published_set import read_current_manifest
from storage.room import bytes_for_build, check_room
from warehouse.build_plan import is_published, plan_build, record_plan
from warehouse.manifest import prepare_manifest

REBUILD_TAG = "salesops/rebuild"


@dg.multi_asset(
    name="lake_snapshot",
    specs=[
        dg.AssetSpec(
            "lake_snapshot",
            description="The committed files of every lake table that this run's build reads, and its as-of instant.",
            kinds={"deltalake"},
            group_name="lake",
            owners=OWNERS,
            deps=LAKE_TABLES,
            skippable=True,
        )
    ],
)
def lake_snapshot(context: dg.AssetExecutionContext, platform: Platform) -> Iterator[dg.MaterializeResult[None]]:
    """Record one consistent lake snapshot. If it is already published, yield nothing, which skips all later steps."""
    # Made here, so that a wrong setting stops the run before it builds anything.
    policy = make_policy(platform.settings, read_marts(prepare_manifest(platform.home)))
    plan = plan_build(platform.lake, platform.as_of(context), policy=policy.identity)
    current = read_current_manifest(platform.home)
    if (
        is_published(platform.home, plan, published=current.fingerprint if current else None)
        and REBUILD_TAG not in context.run.tags
    ):
        context.log.info("Nothing new since the published set: no build.")
        context.instance.add_run_tags(context.run.run_id, {IDLE_TAG: "true"})
        return
    check_room(platform.home, bytes_for_build(platform.home))
    crm_url = platform.settings.salesforce_login_url
    record_plan(platform.home, platform.lake, plan, context.run.run_id, crm_url=crm_url and crm_url.rstrip("/"))
    yield dg.MaterializeResult(
        metadata={
            "as_of": plan.as_of.isoformat(),
            "business_day": str(plan.business_day),
            "fingerprint": plan.fingerprint,
            "tables": len(plan.snapshot.tables),
        }
    )
