"""Warehouse → predictions → lake: model predictions, stored as they were made.

What belongs here: when models run and what they report. What does not: features (dbt) and fitting (`models_ml`).
"""

from collections.abc import Iterator

import dagster as dg

from orchestration.assets.warehouse import POOL
from orchestration.resources import Platform
from storage.warehouse import open_warehouse
from warehouse.build_plan import record_predictions

_DESCRIPTIONS = {
    "model__lead_score": "Probability that a lead is won within the horizon, per lead, as-of and model.",
    "model__revenue_forecast": "Revenue of a period with intervals, per as-of, period, entity and model.",
    "model__evaluation": "How each fitted model did on a later period than it was fitted on.",
}
_FEATURES = [
    "int_lead_features",
    "int_revenue_features",
    "int_bookings_daily",
    "int_forecast_roster",
    "int_feature_instants",
]


@dg.multi_asset(
    name="predictions",
    specs=[
        dg.AssetSpec(
            table,
            description=description,
            kinds={"scikitlearn", "deltalake"},
            group_name="predictions",
            owners=["team:data-science"],
            deps=_FEATURES,
        )
        for table, description in _DESCRIPTIONS.items()
    ],
    pool=POOL,
)
def predictions(context: dg.AssetExecutionContext, platform: Platform) -> Iterator[dg.MaterializeResult[None]]:
    """Fit, evaluate, score and forecast; a rerun with the same data adds nothing."""
    from models_ml.lead_quality import score_leads
    from models_ml.revenue_forecast import forecast_revenue

    as_of, run_id, models = platform.as_of(context), context.run.run_id, platform.home.models
    with open_warehouse(platform.home) as warehouse:
        leads = score_leads(warehouse, platform.lake, models, as_of=as_of, run_id=run_id)
        revenue = forecast_revenue(warehouse, platform.lake, models, as_of=as_of, run_id=run_id)
    record_predictions(platform.home, platform.lake)
    yield dg.MaterializeResult(asset_key="model__lead_score", metadata=leads.metadata)
    yield dg.MaterializeResult(asset_key="model__revenue_forecast", metadata=revenue.metadata)
    yield dg.MaterializeResult(asset_key="model__evaluation")
