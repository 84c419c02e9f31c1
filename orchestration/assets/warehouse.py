"""Lake → warehouse: the dbt project in two steps, before and after the predictions.

What belongs here: how dbt nodes become assets. What does not: SQL.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject, dbt_assets
from dagster_dbt.asset_utils import get_updated_cli_invocation_params_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from orchestration.resources import Platform
from warehouse.build_plan import record_step
from warehouse.dbt_build import build
from warehouse.dbt_call import DBT_PROJECT
from warehouse.upkeep import drop_stale_relations

POOL = "warehouse"
AFTER_MODELS = "tag:after_models+"
_OWNER, _MART_OWNER = "team:data-engineering", "team:sales-operations"


class SalesopsTranslator(DagsterDbtTranslator):
    """Asset keys equal table names; groups are the layers."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """The table's own name, without schema or source."""
        return dg.AssetKey(dbt_resource_props["name"])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The layer, which is the folder."""
        return Path(dbt_resource_props["original_file_path"]).parts[1]

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str] | None:
        """Sales operations owns the marts, data engineering everything below."""
        return [_MART_OWNER if dbt_resource_props.get("access") == "public" else _OWNER]


def make_warehouse_assets(manifest: Path) -> list[dg.AssetsDefinition]:
    """The two dbt steps of a parsed project."""
    project = DbtProject(project_dir=DBT_PROJECT, profiles_dir=DBT_PROJECT)
    translator = SalesopsTranslator()

    @dbt_assets(
        manifest=manifest,
        project=project,
        dagster_dbt_translator=translator,
        name="dbt_marts",
        exclude=AFTER_MODELS,
        pool=POOL,
    )
    def dbt_marts(context: dg.AssetExecutionContext, platform: Platform) -> Iterator[Any]:
        yield from _build(context, platform, manifest, translator)

    @dbt_assets(
        manifest=manifest,
        project=project,
        dagster_dbt_translator=translator,
        name="dbt_after_models",
        select=AFTER_MODELS,
        pool=POOL,
    )
    def dbt_after_models(context: dg.AssetExecutionContext, platform: Platform) -> Iterator[Any]:
        yield from _build(context, platform, manifest, translator)

    return [dbt_marts, dbt_after_models]


def _build(
    context: dg.AssetExecutionContext, platform: Platform, manifest: Path, translator: DagsterDbtTranslator
) -> Iterator[Any]:
    selection = get_updated_cli_invocation_params_for_context(
        context=context, manifest=_load(manifest), dagster_dbt_translator=translator
    )
    # Unit tests check the SQL, not the data: `make test` runs them, pipeline runs do not.
    for raw in build(platform.home, ["build", "--exclude-resource-type", "unit_test", *selection.selection_args]):
        event = DbtCoreCliEventMessage(raw_event=raw, event_history_metadata={})
        yield from event.to_default_asset_events(
            manifest=selection.manifest,
            dagster_dbt_translator=translator,
            context=context,
            target_path=platform.home.dbt / "target",
        )
    is_built_whole = record_step(platform.home, context.op.name, is_whole=not context.is_subset)
    if is_built_whole and (dropped := drop_stale_relations(platform.home.warehouse, selection.manifest["nodes"])):
        context.log.info(f"Dropped what no model makes any more: {', '.join(dropped)}.")


def _load(manifest: Path) -> dict[str, Any]:
    import orjson

    loaded: dict[str, Any] = orjson.loads(manifest.read_bytes())
    return loaded
