"""Fitting and scoring: one pipeline per candidate, chosen on later leads, calibrated across folds of leads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from models_ml.errors import ModelError
from models_ml.lead_quality.features import CATEGORICAL, FEATURES, HORIZON, LABEL, NUMERIC, known_outcomes, sample_leads
from models_ml.registry import one_thread

# Fixed probability bands: quartiles would give the best leads of a bad month an A.
BANDS = (("A", 0.30), ("B", 0.15), ("C", 0.05), ("D", 0.0))
CALIBRATION_FOLDS = 3
REASONS_SHOWN = 3
PARAMETERS: dict[str, Any] = {
    "logistic": {"C": 0.3, "max_iter": 400},
    "boosting": {
        "max_iter": 80,
        "learning_rate": 0.08,
        "max_leaf_nodes": 12,
        "min_samples_leaf": 60,
        "l2_regularization": 5.0,
        "random_state": 0,
    },
    "calibration": {"method": "sigmoid", "folds": CALIBRATION_FOLDS},
}

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FittedModel:
    """A calibrated score.

    Attributes:
        estimator: Transforms, classifier and calibration in one.
        algorithm: The candidate that did better on later leads: `logistic` or `boosting`.
        typical: Per feature, the value that reasons are measured against (median, or the most frequent).
        base_rate: Share of wins in the fitted rows.
        fitted_from: First as-of in the fit.
        fitted_until: Last as-of in the fit; its outcome was known before `judged_from`.
        outcome_horizon_days: Days after the as-of within which a win counts.
    """

    estimator: Any
    algorithm: str
    typical: dict[str, Any]
    base_rate: float
    fitted_from: date
    fitted_until: date
    outcome_horizon_days: int


def fit(frame: pd.DataFrame, *, judged_from: date, algorithm: str | None = None) -> FittedModel:
    """Fit a calibrated score on data known before `judged_from`.

    Args:
        frame: Prepared rows of `int_lead_features`, one per lead and as-of; see `features.prepare_frame`.
        judged_from: Start of the judged period. Rows whose outcome was not known by then are left out.
        algorithm: `logistic` or `boosting`; None chooses, using the most recently created leads in the fit.

    Raises:
        ModelError: The remaining rows have only one outcome; `features.plan_split` detects this beforehand.
    """
    rows = sample_leads(known_outcomes(frame, before=pd.Timestamp(judged_from)))
    if rows[LABEL].nunique() < 2:
        what = "All leads known by the start of the judged period ended alike."
        raise ModelError(what, where=f"judged_from {judged_from}", fix="Judge from later.")
    with one_thread():
        algorithm = algorithm or _choose(rows)
    folds = list(GroupKFold(CALIBRATION_FOLDS).split(rows, groups=rows["lead_id"]))
    estimator = CalibratedClassifierCV(
        _pipeline(algorithm), method=PARAMETERS["calibration"]["method"], cv=folds, ensemble=False
    )
    with one_thread():
        estimator.fit(rows[list(FEATURES)], rows[LABEL].astype(int))
    estimator.cv = None  # the folds are row numbers: useless after the fit, and most of the file
    typical: dict[str, Any] = {name: str(rows[name].mode().iloc[0]) for name in CATEGORICAL}
    typical |= {name: float(rows[name].median()) if rows[name].notna().any() else float("nan") for name in NUMERIC}
    return FittedModel(
        estimator=estimator,
        algorithm=algorithm,
        typical=typical,
        base_rate=float(rows[LABEL].mean()),
        fitted_from=rows["as_of"].min().date(),
        fitted_until=rows["as_of"].max().date(),
        outcome_horizon_days=int(rows[HORIZON].iloc[0]),
    )


def predict(model: FittedModel, frame: pd.DataFrame) -> Floats:
    """Probability of a win within the horizon, per row."""
    with one_thread():
        probabilities: Floats = model.estimator.predict_proba(frame[list(FEATURES)])[:, 1]
    return probabilities


def score(model: FittedModel, frame: pd.DataFrame) -> pd.DataFrame:
    """Score leads as of one instant.

    Args:
        model: From `fit`.
        frame: Prepared rows, one per lead.

    Returns:
        One row per lead, ordered by lead: lead_id, score (0–1), band (A–D), top_reasons (JSON list of feature, value,
        typical value and effect on the score), outcome_horizon_days.
    """
    ordered = frame.sort_values("lead_id", kind="stable").reset_index(drop=True)
    scores = predict(model, ordered) if len(ordered) else np.empty(0)
    return pd.DataFrame(
        {
            "lead_id": ordered["lead_id"],
            "score": scores,
            "band": name_bands(scores),
            "top_reasons": _explain(model, ordered, scores),
            "outcome_horizon_days": model.outcome_horizon_days,
        }
    )


def name_bands(scores: Floats) -> list[str]:
    """The fixed probability band of each score: A ≥ 30 %, B ≥ 15 %, C ≥ 5 %, else D."""
    return [next(band for band, least in BANDS if value >= least) for value in scores]


def _pipeline(algorithm: str) -> Pipeline:
    categories = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=20, sparse_output=False)
    if algorithm == "boosting":
        # Trees separate -1 from real counts. An all-empty column (touches, in a file export) must not break the fit.
        filled = SimpleImputer(strategy="constant", fill_value=-1.0, keep_empty_features=True)
        columns = ColumnTransformer([("categories", categories, list(CATEGORICAL)), ("numbers", filled, list(NUMERIC))])
        return Pipeline(
            [
                ("columns", columns),
                ("classifier", HistGradientBoostingClassifier(early_stopping=False, **PARAMETERS["boosting"])),
            ]
        )
    # Counts, sizes and waits are skewed, so take logs. A missing first touch is informative in itself, hence the
    # indicator.
    numbers = Pipeline(
        [
            ("log", FunctionTransformer(np.log1p, feature_names_out="one-to-one")),
            ("impute", SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)),
            ("scale", StandardScaler()),
        ]
    )
    columns = ColumnTransformer([("categories", categories, list(CATEGORICAL)), ("numbers", numbers, list(NUMERIC))])
    return Pipeline([("columns", columns), ("classifier", LogisticRegression(**PARAMETERS["logistic"]))])


def _choose(rows: pd.DataFrame) -> str:
    """The candidate with the lower log loss on the 30 % of leads created last; no lead is on both sides."""
    created = rows["as_of"].to_numpy(dtype="datetime64[D]") - rows["age_days"].to_numpy(dtype=float).astype(
        "timedelta64[D]"
    )
    is_later = created > np.sort(created)[int(0.7 * len(created))]
    is_later |= rows["lead_id"].isin(rows["lead_id"][is_later]).to_numpy()
    earlier, later = rows[~is_later], rows[is_later]
    if earlier[LABEL].sum() < 10 or later[LABEL].sum() < 10:
        return "logistic"
    losses = {}
    for algorithm in ("logistic", "boosting"):
        candidate = _pipeline(algorithm).fit(earlier[list(FEATURES)], earlier[LABEL].astype(int))
        losses[algorithm] = log_loss(later[LABEL], candidate.predict_proba(later[list(FEATURES)])[:, 1])
    # Boosting must be clearly better: one percent is within the noise of a few hundred wins.
    return "boosting" if losses["boosting"] < 0.99 * losses["logistic"] else "logistic"


def _explain(model: FittedModel, frame: pd.DataFrame, scores: Floats) -> list[str]:
    """Per lead, the features whose replacement by the typical value, one at a time, moves its score most."""
    if frame.empty:
        return []
    effects = np.column_stack(
        [scores - predict(model, frame.assign(**{name: model.typical[name]})) for name in FEATURES]
    )
    effects = effects.round(4)
    order = np.argsort(-np.abs(effects), axis=1, kind="stable")[:, :REASONS_SHOWN]
    values = {name: frame[name].to_numpy() for name in FEATURES}
    texts = []
    for row, columns in enumerate(order):
        reasons = []
        for column in columns:
            if effects[row, column]:
                name = FEATURES[column]
                reasons.append(
                    {
                        "feature": name,
                        "value": _plain(values[name][row]),
                        "typical": _plain(model.typical[name]),
                        "effect": float(effects[row, column]),
                    }
                )
        texts.append(json.dumps(reasons))
    return texts


def _plain(value: Any) -> str | float | None:
    if isinstance(value, str):
        return value
    return None if np.isnan(value) else round(float(value), 2)
