"""The job `lake_upkeep`: compaction and vacuum, once a week.

What belongs here: when the lake is maintained and what is reported. What does not: how (`storage.upkeep`).
"""

import dagster as dg

from orchestration.resources import ONLY_FROM_LAKE_TAG, Platform
from publishing.published_set import read_lake_versions
from storage.upkeep import compact, only_one_upkeep, vacuum
from warehouse.build_plan import versions_in_use


@dg.op(
    out=dg.Out(dg.Nothing),
    description="Small files into large ones, one commit a table; rows, loads and cursors stay as they are.",
)
def compact_lake(context: dg.OpExecutionContext, platform: Platform) -> None:
    """Compact every table."""
    with only_one_upkeep(platform.home):
        done = compact(platform.lake)
    before, after = sum(table.files_before for table in done), sum(table.files_after for table in done)
    context.add_output_metadata({"tables": len(done), "files_before": before, "files_after": after})


@dg.op(
    ins={"compacted": dg.In(dg.Nothing)},
    out=dg.Out(dg.Nothing),
    description="Drops files that no commit names, unless a published set was built from them or they are younger than a week.",
)
def vacuum_lake(context: dg.OpExecutionContext, platform: Platform) -> None:
    """Vacuum every table."""
    with only_one_upkeep(platform.home):
        done = vacuum(platform.lake, versions_in_use(platform.home, read_lake_versions))
    context.add_output_metadata({"tables": len(done), "files_dropped": sum(table.files for table in done)})


@dg.job(
    description="Keeps the lake's files few and large. Readers go on meanwhile; the next run waits.",
    tags={ONLY_FROM_LAKE_TAG: "true"},
)
def lake_upkeep() -> None:
    """Compact, then vacuum."""
    vacuum_lake(compacted=compact_lake())


weekly_lake_upkeep = dg.ScheduleDefinition(
    name="weekly_lake_upkeep",
    job=lake_upkeep,
    cron_schedule="0 3 * * 0",
    execution_timezone="America/New_York",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Every Sunday night.",
)
