"""`kind: flat`: one percent of every credit, or one amount for every event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Literal, Self

from pydantic import Field, model_validator

from incentives.components import Component, Doubt, Row, Step
from incentives.plan_fields import Percent, PositiveMoney
from incentives.tiers import TIER_TABLE, warn_of_rate
from incentives.wording import explain_slices, say_pay
from storage.operator_files import refuse


class FlatComponent(Component):
    """A percent of the credited amount, or a fixed amount for each credited event (not reduced by the split)."""

    kind: Literal["flat"]
    percent: Percent | None = Field(default=None, description="Percent of the credited amount.")
    fixed: PositiveMoney | None = Field(default=None, description="Amount for each event, in the payout currency.")

    @model_validator(mode="after")
    def _pays_one_way(self) -> Self:
        if (self.percent is None) == (self.fixed is None):
            refuse(
                "A flat component pays either a percent or a fixed amount.",
                "Give exactly one of percent and fixed; use two components for both.",
            )
        return self

    def columns(self) -> Row:
        """The fixed amount, or a per-deal tier table."""
        if self.fixed is not None:
            return {"fixed_amount": self.fixed}
        return {
            "tier_meaning": "marginal",
            "tier_basis": "amount",
            "tier_scope": "per_deal",
            "tier_closure": "[lo, hi)",
        }

    def rows(self) -> Mapping[str, Sequence[Row]]:
        """A percent becomes a table with one open-ended tier, so both kinds share one calculation."""
        if self.percent is None:
            return {}
        return {TIER_TABLE: [{"tier_number": 1, "lower_amount": Decimal(0), "rate": self.percent / 100}]}

    def warn(self, place: str) -> Iterator[Doubt]:
        """Warn about a rate above 100 %."""
        if self.percent is not None:
            yield from warn_of_rate(self.percent, place)

    @classmethod
    def explain(cls, line: Row, slices: Sequence[Row]) -> Iterator[Step]:
        """The one slice and its pay, or the fixed amount."""
        if line["fixed_amount"] is not None:
            yield "Pay", f"{say_pay(line)}: a fixed amount for each event"
        else:
            yield from explain_slices(line, slices)
