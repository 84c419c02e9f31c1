"""The lead score: fitted on the past, judged on what came later, calibrated, explained, silent where it knows too little."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from models_ml.lead_quality import score_leads
from models_ml.lead_quality.evaluation import calibration_line, evaluate, expected_calibration_error
from models_ml.lead_quality.features import (
    FEATURES,
    LABEL,
    Split,
    TooLittleData,
    known_outcomes,
    plan_split,
    sample_leads,
)
from models_ml.lead_quality.model import FittedModel, fit, name_bands, predict, score
from models_ml.registry import EVALUATIONS, LEAD_SCORES
from storage.lake import Lake
from tests.models_sample import HORIZON_DAYS, lead_frame

AS_OF = datetime(2025, 9, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return lead_frame()


@pytest.fixture(scope="module")
def split(frame: pd.DataFrame) -> Split:
    planned = plan_split(known_outcomes(frame, before=pd.Timestamp("2025-09-01")))
    assert isinstance(planned, Split)
    return planned


@pytest.fixture(scope="module")
def model(frame: pd.DataFrame, split: Split) -> FittedModel:
    return fit(frame, judged_from=split.judged_from)


def test_every_fitted_outcome_was_known_before_the_judged_period(
    frame: pd.DataFrame, split: Split, model: FittedModel
) -> None:
    assert split.fitted_from < split.fitted_until < split.judged_from < split.judged_until
    assert (split.judged_from - split.fitted_until).days >= HORIZON_DAYS
    assert model.fitted_until == split.fitted_until
    assert (split.judged_until - AS_OF.date()).days <= -HORIZON_DAYS


def test_what_happened_after_the_judged_period_began_changes_no_score(
    frame: pd.DataFrame, split: Split, model: FittedModel
) -> None:
    later = frame["as_of"] + pd.Timedelta(days=HORIZON_DAYS) > pd.Timestamp(split.judged_from)
    tampered = frame.assign(**{LABEL: frame[LABEL].where(~later, 1.0 - frame[LABEL])})
    again = fit(tampered, judged_from=split.judged_from)
    assert np.array_equal(predict(model, frame), predict(again, frame))


def test_scores_mean_what_they_say_and_come_close_to_the_truth(
    frame: pd.DataFrame, split: Split, model: FittedModel
) -> None:
    metrics = evaluate(model, frame, judged_from=split.judged_from, judged_until=split.judged_until)
    assert metrics["brier"] < metrics["brier_of_base_rate"]
    assert metrics["log_loss"] < metrics["log_loss_of_base_rate"]
    assert 0.7 < metrics["calibration_slope"] < 1.4
    assert metrics["expected_calibration_error"] < 0.03
    young = frame[(frame["as_of"] >= pd.Timestamp(split.judged_from)) & (frame["age_days"] == 1) & frame[LABEL].notna()]
    best = roc_auc_score(young[LABEL], young["true_probability"])
    assert roc_auc_score(young[LABEL], predict(model, young)) > best - 0.04


def test_calibration_measures_see_a_score_that_overstates() -> None:
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.02, 0.5, 20_000)
    outcomes = (rng.random(20_000) < truth).astype(float)
    log_odds = np.log(truth / (1 - truth))
    overstated = 1 / (1 + np.exp(-2 * log_odds))
    assert calibration_line(outcomes, truth)[0] == pytest.approx(1.0, abs=0.06)
    assert calibration_line(outcomes, overstated)[0] == pytest.approx(0.5, abs=0.04)
    assert expected_calibration_error(outcomes, truth) < 0.01 < 0.05 < expected_calibration_error(outcomes, overstated)


def test_unseen_categories_and_missing_numbers_are_scored(frame: pd.DataFrame, model: FittedModel) -> None:
    rows = frame.head(3).assign(
        lead_source="Carrier pigeon", country="Atlantis", web_visits=np.nan, employee_count=np.nan
    )
    scores = score(model, rows)
    assert scores["score"].between(0, 1).all()
    assert scores["lead_id"].tolist() == sorted(rows["lead_id"])


def test_reasons_name_what_moved_the_score(frame: pd.DataFrame, model: FittedModel) -> None:
    row = frame[(frame["age_days"] == 1)].head(1).assign(lead_source="Referral", web_visits=9.0)
    scored = score(model, row).iloc[0]
    reasons = json.loads(scored["top_reasons"])
    assert {reasons[0]["feature"], reasons[1]["feature"]} <= {"lead_source", "web_visits", "age_days"}
    by_feature = {reason["feature"]: reason for reason in reasons}
    assert by_feature["lead_source"]["effect"] > 0
    replaced = predict(model, row.assign(lead_source=model.typical["lead_source"]))[0]
    assert by_feature["lead_source"]["effect"] == pytest.approx(scored["score"] - replaced, abs=1e-4)


def test_bands_are_fixed_probabilities() -> None:
    assert name_bands(np.array([0.3, 0.2999, 0.15, 0.05, 0.0499, 0.0])) == ["A", "B", "B", "C", "D", "D"]


def test_a_large_history_is_sampled_by_whole_leads(monkeypatch: pytest.MonkeyPatch, frame: pd.DataFrame) -> None:
    monkeypatch.setattr("models_ml.lead_quality.features.MAX_FITTED_ROWS", 2000)
    sampled = sample_leads(frame)
    assert 1500 < len(sampled) < 2500
    assert len(sampled) == frame["lead_id"].isin(sampled["lead_id"]).sum()


@pytest.mark.parametrize(
    ("kept", "metric"),
    [
        pytest.param(lambda frame: frame[frame[LABEL] != 1.0], "not_fitted_too_few_wins", id="no wins"),
        pytest.param(lambda frame: frame.iloc[:0], "not_fitted_too_few_wins", id="no leads"),
        pytest.param(
            lambda frame: frame[frame["as_of"] < "2024-04-20"], "not_fitted_history_too_short", id="four months"
        ),
    ],
)
def test_too_little_data_is_a_reason_not_an_error(frame: pd.DataFrame, kept: object, metric: str) -> None:
    planned = plan_split(kept(frame))  # type: ignore[operator]
    assert isinstance(planned, TooLittleData)
    assert planned.metric == metric


def _warehouse(rows: pd.DataFrame) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("create schema predictions")
    connection.register("rows", rows.drop(columns="true_probability"))
    connection.execute("create table predictions.int_lead_features as select * from rows")
    return connection


def test_the_step_writes_scores_and_evaluation_once(
    tmp_path: Path, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, warehouse = Lake(tmp_path / "lake"), _warehouse(frame)
    first = score_leads(warehouse, lake, tmp_path / "models", as_of=AS_OF, run_id="one")
    assert first.rows_written[LEAD_SCORES] == frame["is_scored_now"].sum() > 0
    assert first.rows_written[EVALUATIONS] == len(first.metrics)
    monkeypatch.setattr(
        "models_ml.lead_quality.step._judge_and_fit", lambda *_: pytest.fail("a kept model was fitted again")
    )
    again = score_leads(warehouse, lake, tmp_path / "models", as_of=AS_OF, run_id="two")
    assert again == replace(first, rows_written={LEAD_SCORES: 0, EVALUATIONS: 0})
    dates = lake.query(EVALUATIONS, "select distinct fitted_until < judged_from as is_later from lake")
    assert dates is not None
    assert dates.to_pylist() == [{"is_later": True}]


def test_two_fits_of_the_same_rows_say_the_same(tmp_path: Path, frame: pd.DataFrame) -> None:
    said = []
    for name in ("one", "two"):
        report = score_leads(_warehouse(frame), Lake(tmp_path / name), tmp_path / name, as_of=AS_OF, run_id=name)
        held = Lake(tmp_path / name).query(
            LEAD_SCORES, "select lead_id, score, band, top_reasons, model_hash from lake order by lead_id"
        )
        assert held is not None
        said.append((report.model_hash, held.to_pylist()))
    assert said[0] == said[1]


def test_without_outcomes_the_step_says_why(tmp_path: Path, frame: pd.DataFrame) -> None:
    lake = Lake(tmp_path / "lake")
    report = score_leads(
        _warehouse(frame.assign(**{LABEL: np.nan})), lake, tmp_path / "models", as_of=AS_OF, run_id="r"
    )
    assert "at least 40" in report.note
    assert lake.tables() == [EVALUATIONS]


def test_no_feature_is_the_label_or_a_key() -> None:
    assert not {LABEL, "lead_id", "as_of", "status", "stage", "owner_id"} & set(FEATURES)
