"""The contents of a board file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from incentives.participants import Participants
from incentives.plan_fields import Identifier, Name, PlanModel
from storage.metric_registry import read_metrics
from storage.operator_files import refuse

REACHED_FIRST = "reached_first"
# The registry's rankable metrics, as a literal so that editors complete them.
_RANKABLE = tuple(metric.name for metric in read_metrics().metrics if metric.rankable)
if TYPE_CHECKING:
    BoardMetric = str
    TieBreaker = str
else:
    BoardMetric = Literal[_RANKABLE]
    TieBreaker = Literal[(*_RANKABLE, REACHED_FIRST)]
MAX_TIE_BREAKERS = 3


class Board(PlanModel):
    """A leaderboard: one metric, one kind of period, who stands on it, and how ties are broken."""

    id: Identifier = Field(description="Unique among all board files.")
    name: Name
    description: str = ""
    metric: BoardMetric = Field(description="Column of kpi_rep_period; the highest value ranks first.")
    period: Literal["day", "week", "month", "quarter", "year"]
    participants: tuple[Participants, ...] = Field(min_length=1)
    tie_breakers: tuple[TieBreaker, ...] = Field(
        default=(),
        max_length=MAX_TIE_BREAKERS,
        description="In this order: another metric (more is better), or reached_first (whose last counted deal closed earlier). "
        "A tie after all of them shares the rank.",
    )

    @model_validator(mode="after")
    def _breaks_ties_by_what_is_known(self) -> Self:
        if REACHED_FIRST in self.tie_breakers and self.metric not in {"bookings", "deals_closed"}:
            refuse(
                f"Who reached {self.metric} first is not recorded.",
                "Use reached_first with the metrics bookings or deals_closed only.",
            )
        if self.metric in self.tie_breakers or len(set(self.tie_breakers)) < len(self.tie_breakers):
            refuse("A tie breaker repeats the metric or another tie breaker.", "List each once.")
        return self


def board_json_schema() -> dict[str, Any]:
    """The JSON schema of a board file, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Salesops leaderboard",
        **Board.model_json_schema(),
    }
