"""The components of a plan: what is measured, which credits count, and what is paid for them."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from incentives.crediting import DEFAULT_RULE_ID
from incentives.plan_fields import Identifier, Money, Percent, PlanModel, PositiveMoney, Tag
from incentives.tiers import Closure, Tier, check_tier_table
from storage.operator_files import refuse

Measure = Literal["bookings", "invoiced", "collected"]
Scope = Literal["per_deal", "month", "quarter", "year"]
Basis = Literal["amount", "percent_of_quota"]

LARGEST_QUOTA_PERCENT = Decimal(99_999)


class Eligibility(PlanModel):
    """Which events a component counts. Tags: `type:<opportunity type>`, `product:<product name>`, lower case with underscores."""

    all_of: tuple[Tag, ...] = Field(default=(), description="The event has every one of these tags.")
    any_of: tuple[Tag, ...] = Field(default=(), description="The event has at least one of these tags.")
    none_of: tuple[Tag, ...] = Field(default=(), description="The event has none of these tags.")
    amount_at_least: Money | None = Field(default=None, description="The whole event's amount, before any split, is at least this.")
    amount_below: Money | None = Field(default=None, description="The whole event's amount, before any split, is below this.")

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if self.amount_at_least is not None and self.amount_below is not None and self.amount_below <= self.amount_at_least:
            refuse("No amount is at least amount_at_least and below amount_below.", "Put amount_below above amount_at_least.")
        if both := sorted((set(self.all_of) | set(self.any_of)) & set(self.none_of)):
            refuse(f"The tag {both[0]} is both asked for and excluded.", "Take it out of one of the two lists.")
        return self


class _Component(PlanModel):
    id: Identifier
    name: str | None = Field(default=None, description="What a statement calls it; the id if left out.")
    measure: Measure = Field(
        default="bookings",
        description="bookings: won deals by close date; invoiced: invoices by invoice date; collected: payments by payment date.",
    )
    crediting: Identifier = Field(default=DEFAULT_RULE_ID, description="The crediting rule; `owner` gives the whole to the owner.")
    eligibility: Eligibility = Eligibility()


class FlatComponent(_Component):
    """A percent of the credited amount, or a fixed amount for each credited event (not reduced by the split)."""

    kind: Literal["flat"]
    percent: Percent | None = Field(default=None, description="Percent of the credited amount.")
    fixed: PositiveMoney | None = Field(default=None, description="Amount for each event, in the payout currency.")

    @model_validator(mode="after")
    def _pays_one_way(self) -> Self:
        if (self.percent is None) == (self.fixed is None):
            refuse("A flat component pays either a percent or a fixed amount.", "Give exactly one of percent and fixed; use two components for both.")
        return self


class MarginalTiersComponent(_Component):
    """Each slice of the amount at the rate of the tier that it lies in; a deal that crosses a bound is cut at it."""

    kind: Literal["marginal_tiers"]
    on: Basis = Field(default="amount", description="What the bounds are: credited amounts, or percents of the rep's quota.")
    scope: Scope = Field(description="per_deal: each credit by itself; month, quarter, year: credits add up over the (fiscal) period.")
    closure: Closure = Field(
        default="[lo, hi)",
        description="Which tier a bound belongs to: `[lo, hi)` to the upper one, `(lo, hi]` to the lower one. It decides the tier shown as reached.",
    )
    tiers: tuple[Tier, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _covers_every_amount_once(self) -> Self:
        check_tier_table(self.tiers)
        if self.on == "percent_of_quota":
            if self.scope == "per_deal":
                refuse("A quota is for a period, but the scope is per_deal.", "Use scope: month, quarter or year, or on: amount.")
            if self.tiers[-1].lower > LARGEST_QUOTA_PERCENT:
                refuse(f"A bound lies above {LARGEST_QUOTA_PERCENT} % of quota.", "Bounds are percents here: 100 is the whole quota.")
        return self


def _check_kind(component: Any) -> Any:
    if isinstance(component, dict) and "kind" not in component:
        refuse("The field kind is missing.", "Add kind: flat or kind: marginal_tiers.")
    return component


Component = Annotated[FlatComponent | MarginalTiersComponent, Field(discriminator="kind"), BeforeValidator(_check_kind)]
