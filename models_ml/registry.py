"""Storage for models and their predictions.

A prediction is written to the lake once per as-of instant and model hash: a rerun adds nothing, and past predictions
never change. A fitted model is stored as a skops file under its hash; loading one runs no code outside the list below.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from models_ml.errors import ModelError
from storage.append import append_once
from storage.home import move_into_place
from storage.lake import Lake

_log = logging.getLogger(__name__)

LEAD_SCORES = "model__lead_score"
REVENUE_FORECASTS = "model__revenue_forecast"
EVALUATIONS = "model__evaluation"

_INTERVAL_COLUMNS = (
    "mean",
    "median",
    "lo_50",
    "hi_50",
    "lo_80",
    "hi_80",
    "lo_90",
    "hi_90",
    "booked_part",
    "pipeline_part",
    "run_rate_part",
)

# Every prediction table has its key, `as_of` and `model_hash`; `write_predictions` fills in the last two.
SCHEMAS: dict[str, pa.Schema] = {
    LEAD_SCORES: pa.schema(
        [
            ("lead_id", pa.string()),
            ("as_of", pa.timestamp("us")),
            ("model_hash", pa.string()),
            ("score", pa.float64()),
            ("band", pa.string()),
            ("top_reasons", pa.string()),
            ("outcome_horizon_days", pa.int32()),
        ]
    ),
    REVENUE_FORECASTS: pa.schema(
        [
            ("as_of", pa.timestamp("us")),
            ("model_hash", pa.string()),
            ("method", pa.string()),
            ("period_grain", pa.string()),
            ("period_start", pa.date32()),
            ("entity_type", pa.string()),
            ("entity_id", pa.string()),
            *[(name, pa.float64()) for name in _INTERVAL_COLUMNS],
        ]
    ),
    EVALUATIONS: pa.schema(
        [
            ("model_kind", pa.string()),
            ("model_hash", pa.string()),
            ("as_of", pa.timestamp("us")),
            ("metric", pa.string()),
            ("value", pa.float64()),
            ("fitted_from", pa.date32()),
            ("fitted_until", pa.date32()),
            ("judged_from", pa.date32()),
            ("judged_until", pa.date32()),
        ]
    ),
}

# The types in a calibrated classifier, beyond skops' own list of harmless ones. A model file with any other type is
# refused.
TRUSTED_TYPES = frozenset(
    {
        "numpy.dtype",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    }
)


@dataclass(frozen=True)
class Report:
    """The outcome of one modelling step, for the run's metadata.

    Attributes:
        model_kind: `lead_quality` or `revenue_forecast`.
        model_hash: Identity of the model that predicted, or of the data it could not be fitted on.
        rows_written: Rows added per lake table; 0 on a rerun.
        metrics: How the model did on a later period than its fit.
        note: Why nothing was predicted; empty otherwise.
    """

    model_kind: str
    model_hash: str
    rows_written: dict[str, int]
    metrics: dict[str, float] = field(default_factory=dict)
    note: str = ""

    @property
    def metadata(self) -> dict[str, str | int | float]:
        """The same, flat, for an orchestrator's run record; metrics that could not be computed are omitted."""
        counts: dict[str, str | int | float] = {
            f"rows_written_{table}": rows for table, rows in self.rows_written.items()
        }
        measured = {name: round(value, 6) for name, value in self.metrics.items() if isfinite(value)}
        note = {"note": self.note} if self.note else {}
        return {**counts, **measured, **note, "model_hash": self.model_hash}


@contextmanager
def one_thread() -> Iterator[None]:
    """Fit and predict on one thread.

    Parallel sums depend on the number of threads; with one, the same rows give the same model on every machine. It is
    also faster on busy cores, where waiting threads spin.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn, has no types

    with threadpool_limits(limits=1):
        yield


def to_utc_naive(instant: datetime) -> datetime:
    """UTC without a zone, as the lake stores instants; a naive instant is taken as UTC."""
    return instant.astimezone(UTC).replace(tzinfo=None) if instant.tzinfo else instant


def write_predictions(
    lake: Lake, table: str, rows: pd.DataFrame, *, as_of: datetime, model_hash: str, run_id: str
) -> int:
    """Append predictions, unless the lake already holds that as-of and model hash.

    Args:
        lake: Where to write.
        table: One of `SCHEMAS`.
        rows: The table's columns except `as_of` and `model_hash`.
        as_of: The instant the predictions are for; also their known time.
        model_hash: Identity of the model; see `hash_model`.
        run_id: The orchestrator's run, for traceability.

    Returns:
        Rows added: `len(rows)`, or 0 if that as-of and hash were there.
    """
    if rows.empty:
        return 0
    instant = to_utc_naive(as_of)
    content = pa.Table.from_pandas(
        rows.assign(as_of=instant, model_hash=model_hash), schema=SCHEMAS[table], preserve_index=False
    )
    done = append_once(
        lake,
        table,
        content.replace_schema_metadata(None),
        known_at=instant.replace(tzinfo=UTC),
        run_id=run_id,
        key=("as_of", "model_hash"),
        details={"model_hash": model_hash},
    )
    return done.landed


def fingerprint(*frames: pd.DataFrame) -> str:
    """Hash over the values of frames in their row order: equal data, equal hash."""
    digest = hashlib.sha256()
    for frame in frames:
        digest.update(json.dumps([(name, str(kind)) for name, kind in frame.dtypes.items()]).encode())
        digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    return digest.hexdigest()


def hash_model(model_kind: str, *, data: str, parameters: dict[str, Any]) -> str:
    """Identity of a model: SHA-256 over its training data, parameters, our code and the library versions.

    Args:
        model_kind: Name of the package under `models_ml` whose source counts as the code version.
        data: `fingerprint` of all data in the fit.
        parameters: Everything else that determines the fit; JSON-serialisable.
    """
    import numpy
    import sklearn

    digest = hashlib.sha256()
    for path in sorted((Path(__file__).parent / model_kind).glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    identity = {
        "kind": model_kind,
        "data": data,
        "parameters": parameters,
        "sklearn": sklearn.__version__,
        "numpy": numpy.__version__,
    }
    digest.update(json.dumps(identity, sort_keys=True, default=str).encode())
    return digest.hexdigest()


def save_model(models_dir: Path, model_kind: str, model_hash: str, content: dict[str, Any]) -> Path:
    """Store a fitted model under its hash and return its path."""
    import skops.io

    path = models_dir / model_kind / f"{model_hash}.skops"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    skops.io.dump(content, temporary)
    move_into_place(temporary, path)
    return path


def load_model(models_dir: Path, model_kind: str, model_hash: str) -> dict[str, Any] | None:
    """Load a stored model; None if it is missing or damaged, and is then refitted from the same data.

    Raises:
        ModelError: The file holds types that our models do not use.
    """
    import skops.io

    path = models_dir / model_kind / f"{model_hash}.skops"
    if not path.exists():
        return None
    try:
        foreign = sorted(set(skops.io.get_untrusted_types(file=path)) - TRUSTED_TYPES)
        if foreign:
            raise ModelError(
                f"The model file holds types that are not trusted: {', '.join(foreign)}.",
                where=str(path),
                fix="Delete the file: the next run fits the model again from the same data.",
            )
        loaded: dict[str, Any] = skops.io.load(path, trusted=sorted(TRUSTED_TYPES))
        return loaded
    except ModelError:
        raise
    except Exception as error:  # a damaged file raises zip, JSON or pickle-protocol errors, which share no type
        _log.warning("The model %s cannot be read and is fitted again: %s", path, error)
        return None
