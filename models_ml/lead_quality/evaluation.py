"""Evaluate the scores on leads and instants later than any in the fit."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from models_ml.lead_quality.features import LABEL
from models_ml.lead_quality.model import FittedModel, Floats, predict

CALIBRATION_BINS = 10


def evaluate(model: FittedModel, frame: pd.DataFrame, *, judged_from: date, judged_until: date) -> dict[str, float]:
    """Evaluate a model on labelled rows whose as-of is in the judged period (both ends included).

    Returns:
        auc; auc_first_week (as-ofs within a week of creation, comparable between leads); brier and log_loss, also of a
        constant score equal to the fitted base rate; calibration_slope and calibration_intercept (1 and 0 when
        perfectly calibrated); expected_calibration_error; mean_score and base_rate; row and win counts.
    """
    as_of = frame["as_of"]
    end = pd.Timestamp(judged_until) + pd.Timedelta(days=1)
    is_judged = (as_of >= pd.Timestamp(judged_from)) & (as_of < end) & frame[LABEL].notna()
    rows = frame[is_judged]
    outcomes = rows[LABEL].to_numpy(dtype=float)
    scores = predict(model, rows)
    constant = np.full(len(rows), model.base_rate)
    slope, intercept = calibration_line(outcomes, scores)
    is_first_week = rows["age_days"].to_numpy() <= 7
    return {
        "auc": _auc(outcomes, scores),
        "auc_first_week": _auc(outcomes[is_first_week], scores[is_first_week]),
        "brier": float(brier_score_loss(outcomes, scores)),
        "brier_of_base_rate": float(brier_score_loss(outcomes, constant)),
        "log_loss": float(log_loss(outcomes, scores, labels=[0, 1])),
        "log_loss_of_base_rate": float(log_loss(outcomes, constant, labels=[0, 1])),
        "calibration_slope": slope,
        "calibration_intercept": intercept,
        "expected_calibration_error": expected_calibration_error(outcomes, scores),
        "mean_score": float(scores.mean()),
        "base_rate": float(outcomes.mean()),
        "base_rate_fitted": model.base_rate,
        "judged_rows": float(len(rows)),
        "judged_wins": float(outcomes.sum()),
    }


def calibration_line(outcomes: Floats, scores: Floats) -> tuple[float, float]:
    """Slope and intercept of the outcome's log odds on the score's (Cox 1958): 1 and 0 if perfectly calibrated."""
    clipped = np.clip(scores, 1e-6, 1 - 1e-6)
    log_odds = np.log(clipped / (1 - clipped)).reshape(-1, 1)
    if len(np.unique(outcomes)) < 2:
        return float("nan"), float("nan")
    line = LogisticRegression(C=np.inf).fit(log_odds, outcomes.astype(int))
    return float(line.coef_[0, 0]), float(line.intercept_[0])


def expected_calibration_error(outcomes: Floats, scores: Floats) -> float:
    """Mean distance between score and win share over ten equally filled bins of the score (Naeini et al. 2015)."""
    order = np.argsort(scores, kind="stable")
    bins = [part for part in np.array_split(order, CALIBRATION_BINS) if len(part)]
    return float(sum(len(part) * abs(scores[part].mean() - outcomes[part].mean()) for part in bins) / len(scores))


def _auc(outcomes: Floats, scores: Floats) -> float:
    return float(roc_auc_score(outcomes, scores)) if len(np.unique(outcomes)) == 2 else float("nan")
