"""Will an open deal be won, and in which month? One logistic regression over deals × months ahead.

Each open deal on a past day gives one row per following month whose end is known: won in that month or not. The
regression learns the chance from stage, distance to the promised close date, months ahead, age and size. It is
deliberately coarse: a company has a few hundred wins. Identical rows are counted, not repeated, so the fit costs the
same for a thousand deals and for a million.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from models_ml.registry import one_thread
from models_ml.revenue_forecast.inputs import Floats, History, Ints, OpenDeals
from models_ml.revenue_forecast.periods import MONTHS_AHEAD, month_index

PARAMETERS: dict[str, Any] = {"C": 1.0, "max_iter": 500}
MIN_WINS = 20
MIN_DEALS = 60

# A cell is stage × gap × ahead × age × size. Gap: months from the promised close to the month asked about; 0 is "as promised".
GAP_RANGE = (-2, 3)
AHEAD_MOST = 6
AGE_EDGES = (30, 90, 180)
GRID = (GAP_RANGE[1] - GAP_RANGE[0] + 1, AHEAD_MOST + 1, len(AGE_EDGES) + 1, 3)


@dataclass(frozen=True)
class WinTiming:
    """The fitted chances.

    Attributes:
        table: Win chance per cell, from the regression.
        size_edges: The amounts that separate small, medium and large deals, from the fitted deals.
        realised: Won amount ÷ pipeline amount over won deals: discounts and growth until the close.
    """

    table: Floats
    size_edges: tuple[float, float]
    realised: float

    def chances(self, deals: OpenDeals, as_of_date: date) -> Floats:
        """Chance of winning in each of the next `MONTHS_AHEAD` months (current one first); rows sum to at most 1."""
        wide: Floats = self.table[_cells(deals, as_of_date, self.size_edges)]
        capped: Floats = wide / np.maximum(wide.sum(axis=1, keepdims=True), 1.0)
        return capped


def fit_win_timing(history: History, *, known_until: date) -> WinTiming | None:
    """Fit on every earlier instant, with outcomes known by `known_until`; None if too few deals were won."""
    seen = {day: history.pipeline[day] for day in history.instants if day < known_until}
    if not seen:
        return None
    opportunity = np.concatenate([deals.opportunity for deals in seen.values()])
    amount = np.concatenate([deals.amount for deals in seen.values()])
    won_day = np.concatenate([deals.won_day for deals in seen.values()])
    won_amount = np.concatenate([deals.won_amount for deals in seen.values()])
    is_won = (won_day >= 0) & (won_day < known_until.toordinal())
    if len(np.unique(opportunity[is_won])) < MIN_WINS or len(np.unique(opportunity)) < MIN_DEALS:
        return None
    low, high = np.quantile(amount, [1 / 3, 2 / 3])
    edges = (float(low), float(high))
    cell_count = len(history.stages) * int(np.prod(GRID))
    won, lost = np.zeros(cell_count), np.zeros(cell_count)
    for day, deals in seen.items():
        cells = _cells(deals, day, edges)
        month = month_index(day) + np.arange(MONTHS_AHEAD)
        is_known = np.broadcast_to(month < month_index(known_until), cells.shape)
        is_win = (deals.won_month[:, None] == month) & is_known
        won += np.bincount(cells[is_win], minlength=cell_count)
        lost += np.bincount(cells[is_known & ~is_win], minlength=cell_count)
    if not won.any() or not lost.any():
        return None
    described = _describe_cells(history.stages)
    cells = np.concatenate([won.nonzero()[0], lost.nonzero()[0]])
    outcome = np.concatenate([np.ones(np.count_nonzero(won)), np.zeros(np.count_nonzero(lost))]).astype(int)
    weight = np.concatenate([won[won > 0], lost[lost > 0]])
    coding = ColumnTransformer([("cells", OneHotEncoder(handle_unknown="ignore"), list(described.columns))])
    estimator = Pipeline([("coding", coding), ("classifier", LogisticRegression(**PARAMETERS))])
    with one_thread():
        estimator.fit(described.iloc[cells], outcome, classifier__sample_weight=weight)
    asked = float(amount[is_won].sum())
    realised = float(np.clip(won_amount[is_won].sum() / asked, 0.5, 1.5)) if asked > 0 else 1.0
    return WinTiming(estimator.predict_proba(described)[:, 1], edges, realised)


def _cells(deals: OpenDeals, as_of_date: date, size_edges: tuple[float, float]) -> Ints:
    """Cell of each deal (rows) in each month ahead (columns)."""
    ahead = np.arange(MONTHS_AHEAD)
    # Without a promised date, every month counts as long after it: such deals get their own chance, the same for all
    # months.
    promised = np.where(deals.promised_month < 0, -GAP_RANGE[1], deals.promised_month - month_index(as_of_date))
    gap = np.clip(ahead[None, :] - promised[:, None], *GAP_RANGE) - GAP_RANGE[0]
    cells = deals.stage[:, None] * GRID[0] + gap
    cells = cells * GRID[1] + np.minimum(ahead, AHEAD_MOST)[None, :]
    cells = cells * GRID[2] + np.digitize(deals.age_days, AGE_EDGES)[:, None]
    return (cells * GRID[3] + np.digitize(deals.amount, size_edges)[:, None]).astype(np.int64)


def _describe_cells(stages: list[str]) -> pd.DataFrame:
    """Each cell's values as regression features; stage × gap is also a pair: a promise means more in late stages."""
    stage, gap, ahead, age, size = np.unravel_index(np.arange(len(stages) * int(np.prod(GRID))), (len(stages), *GRID))
    return pd.DataFrame(
        {"stage": stage, "gap": gap, "ahead": ahead, "age": age, "size": size, "stage_gap": stage * GRID[0] + gap}
    )
