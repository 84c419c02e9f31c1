"""The step that orchestration runs: read features, fit or reload, evaluate, score, write."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from models_ml.lead_quality.evaluation import evaluate
from models_ml.lead_quality.features import (
    FEATURES,
    HORIZON,
    LABEL,
    Split,
    TooLittleData,
    known_outcomes,
    plan_split,
    prepare_frame,
)
from models_ml.lead_quality.model import PARAMETERS, FittedModel, fit, score
from models_ml.registry import (
    EVALUATIONS,
    LEAD_SCORES,
    Report,
    fingerprint,
    hash_model,
    load_model,
    save_model,
    to_utc_naive,
    write_predictions,
)
from storage.lake import Lake

MODEL_KIND = "lead_quality"


def score_leads(
    warehouse_connection: duckdb.DuckDBPyConnection, lake: Lake, models_dir: Path, *, as_of: datetime, run_id: str
) -> Report:
    """Evaluate the lead score on a period after its fit, refit on everything known, and score leads open at `as_of`.

    "Known" advances monthly: rows whose outcome horizon had passed when the month began. So the model is fitted once a
    month and loaded from `models_dir` on other days. If too few leads have a known outcome, nothing is scored and one
    evaluation row says why.

    Args:
        warehouse_connection: A warehouse in which dbt built `predictions.int_lead_features`.
        lake: Where scores and evaluation are written; a rerun with the same as-of and data adds nothing.
        models_dir: Where fitted models are stored.
        as_of: The run's instant, UTC.
        run_id: The orchestrator's run, for traceability.
    """
    frame = prepare_frame(warehouse_connection.execute("select * from predictions.int_lead_features").df())
    instant = pd.Timestamp(to_utc_naive(as_of))
    month = instant.normalize().replace(day=1)
    known = known_outcomes(frame, before=month)
    split = plan_split(known)
    if isinstance(split, TooLittleData):
        return _report_too_little(split, frame, lake, as_of=as_of, run_id=run_id)
    data = fingerprint(known[["lead_id", "as_of", HORIZON, LABEL, *FEATURES]])
    model_hash = hash_model(MODEL_KIND, data=data, parameters=PARAMETERS)
    kept = load_model(models_dir, MODEL_KIND, model_hash)
    if kept is None:
        kept = _judge_and_fit(known, split, month)
        save_model(models_dir, MODEL_KIND, model_hash, kept)
    metrics: dict[str, float] = kept["metrics"]
    model = FittedModel(
        **kept["model"], fitted_from=known["as_of"].min().date(), fitted_until=known["as_of"].max().date()
    )
    scores = score(model, frame[frame["is_scored_now"].astype(bool)])
    evaluation = pd.DataFrame(
        [{"model_kind": MODEL_KIND, "metric": name, "value": value, **asdict(split)} for name, value in metrics.items()]
    )
    written = {
        LEAD_SCORES: write_predictions(lake, LEAD_SCORES, scores, as_of=as_of, model_hash=model_hash, run_id=run_id),
        EVALUATIONS: write_predictions(
            lake, EVALUATIONS, evaluation, as_of=as_of, model_hash=model_hash, run_id=run_id
        ),
    }
    return Report(MODEL_KIND, model_hash, written, metrics)


def _judge_and_fit(known: pd.DataFrame, split: Split, month: pd.Timestamp) -> dict[str, Any]:
    """The content stored under the model's hash: the metrics of a fit on the earlier part, and the fit on all of it."""
    judged = fit(known, judged_from=split.judged_from)
    metrics = evaluate(judged, known, judged_from=split.judged_from, judged_until=split.judged_until)
    model = fit(known, judged_from=month.date(), algorithm=judged.algorithm)
    plain = {
        name: getattr(model, name)
        for name in ("estimator", "algorithm", "typical", "base_rate", "outcome_horizon_days")
    }
    return {"model": plain, "metrics": metrics}


def _report_too_little(gap: TooLittleData, frame: pd.DataFrame, lake: Lake, *, as_of: datetime, run_id: str) -> Report:
    model_hash = hash_model(
        MODEL_KIND, data=fingerprint(frame[["lead_id", "as_of", LABEL]]), parameters={"fallback": gap.metric}
    )
    row = {"model_kind": MODEL_KIND, "metric": gap.metric, "value": gap.value}
    row |= dict.fromkeys(("fitted_from", "fitted_until", "judged_from", "judged_until"))
    written = write_predictions(
        lake, EVALUATIONS, pd.DataFrame([row]), as_of=as_of, model_hash=model_hash, run_id=run_id
    )
    return Report(MODEL_KIND, model_hash, {LEAD_SCORES: 0, EVALUATIONS: written}, note=gap.reason)
