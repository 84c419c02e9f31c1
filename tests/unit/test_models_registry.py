"""What the models said is written once per as-of and model hash, and a model file can hold nothing but a model."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models_ml.errors import ModelError
from models_ml.registry import (
    EVALUATIONS,
    LEAD_SCORES,
    fingerprint,
    hash_model,
    load_model,
    save_model,
    write_predictions,
)
from storage.lake import Lake

MONDAY = datetime(2026, 1, 5, 11, tzinfo=UTC)
TUESDAY = datetime(2026, 1, 6, 11, tzinfo=UTC)


def _scores(*lead_ids: str) -> pd.DataFrame:
    return pd.DataFrame(
        {"lead_id": lead_ids, "score": 0.2, "band": "B", "top_reasons": "[]", "outcome_horizon_days": 90}
    )


def test_a_rerun_adds_nothing_and_another_day_or_model_does(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    said = [(MONDAY, "m1", 2), (MONDAY, "m1", 0), (TUESDAY, "m1", 2), (TUESDAY, "m2", 2), (MONDAY, "m1", 0)]
    for as_of, model_hash, added in said:
        assert (
            write_predictions(lake, LEAD_SCORES, _scores("a", "b"), as_of=as_of, model_hash=model_hash, run_id="r")
            == added
        )
    held = lake.query(
        LEAD_SCORES, "select count(*), count(distinct (lead_id, as_of, model_hash)), max(_known_from) from lake"
    )
    assert held is not None
    assert [column[0].as_py() for column in held.columns] == [6, 6, TUESDAY.replace(tzinfo=None)]


def test_loads_of_one_instant_sort_in_the_order_they_were_said(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    for model_hash in ("zz", "aa"):
        write_predictions(lake, LEAD_SCORES, _scores("a"), as_of=MONDAY, model_hash=model_hash, run_id="r")
    held = lake.query(LEAD_SCORES, "select model_hash from lake order by _load_id desc limit 1")
    assert held is not None
    assert held.column(0)[0].as_py() == "aa"


def test_missing_dates_of_an_evaluation_are_kept_as_missing(tmp_path: Path) -> None:
    row = {"model_kind": "k", "metric": "not_fitted_too_few_wins", "value": 3.0}
    row |= dict.fromkeys(("fitted_from", "fitted_until", "judged_from", "judged_until"))
    write_predictions(Lake(tmp_path), EVALUATIONS, pd.DataFrame([row]), as_of=MONDAY, model_hash="m", run_id="r")
    held = Lake(tmp_path).query(EVALUATIONS, "select metric, judged_from from lake")
    assert held is not None
    assert held.to_pylist() == [{"metric": "not_fitted_too_few_wins", "judged_from": None}]


def test_the_hash_follows_data_and_parameters_only() -> None:
    frame = pd.DataFrame(
        {"lead_id": ["a", "b"], "touches": [1.0, np.nan], "day": pd.to_datetime([date(2026, 1, 1), None])}
    )
    changed = frame.assign(touches=[2.0, np.nan])

    def hash_of(data: pd.DataFrame, **parameters: int) -> str:
        return hash_model("lead_quality", data=fingerprint(data), parameters=parameters)

    assert hash_of(frame, seed=1) == hash_of(frame.copy(), seed=1)
    assert (
        len(
            {
                hash_of(frame, seed=1),
                hash_of(frame, seed=2),
                hash_of(changed, seed=1),
                hash_of(frame.rename(columns={"touches": "calls"}), seed=1),
            }
        )
        == 4
    )


def test_a_model_is_read_back_and_an_unknown_hash_is_none(tmp_path: Path) -> None:
    save_model(tmp_path, "lead_quality", "h", {"coefficients": np.array([1.0, 2.0]), "name": "logistic"})
    loaded = load_model(tmp_path, "lead_quality", "h")
    assert loaded is not None
    assert loaded["coefficients"].tolist() == [1.0, 2.0]
    assert load_model(tmp_path, "lead_quality", "other") is None


def test_a_model_file_with_a_foreign_type_is_refused(tmp_path: Path) -> None:
    save_model(tmp_path, "lead_quality", "h", {"trap": Lake(tmp_path)})
    with pytest.raises(ModelError, match=r"not trusted: .*storage\.lake\.Lake"):
        load_model(tmp_path, "lead_quality", "h")


def test_a_damaged_model_file_is_no_model(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save_model(tmp_path, "lead_quality", "h", {"a": 1}).write_bytes(b"half a file")
    assert load_model(tmp_path, "lead_quality", "h") is None
    assert "fitted again" in caplog.text
