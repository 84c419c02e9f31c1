"""`kind: marginal_tiers`: each slice of an amount pays the rate of its tier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Literal, Self

from pydantic import AliasChoices, Field, model_validator

from incentives.components import Component, Doubt, Row, Step
from incentives.tiers import TIER_TABLE, Basis, Closure, Scope, Tier, check_tier_table, tier_rows, warn_of_rate
from incentives.wording import explain_slices, say_money, say_pay
from storage.operator_files import refuse

LARGEST_QUOTA_PERCENT = Decimal(99_999)

_PERIODS = {"month": "the month from", "quarter": "the fiscal quarter from", "year": "the fiscal year from"}


class MarginalTiersComponent(Component):
    """Each slice of the amount at the rate of the tier that it lies in; a deal that crosses a bound is cut at it."""

    kind: Literal["marginal_tiers"]
    basis: Basis = Field(
        default="amount",
        validation_alias=AliasChoices("basis", "on"),
        description="What the bounds are: credited amounts, or percents of the rep's quota.",
    )
    scope: Scope = Field(
        description="per_deal: each credit by itself; month, quarter, year: credits add up over the (fiscal) period."
    )
    closure: Closure = Field(
        default="[lo, hi)",
        description="Which tier a bound belongs to: `[lo, hi)` to the upper one, `(lo, hi]` to the lower one. It decides the tier shown as reached.",
    )
    tiers: tuple[Tier, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _covers_every_amount_once(self) -> Self:
        check_tier_table(self.tiers)
        if self.basis == "percent_of_quota":
            if self.scope == "per_deal":
                refuse(
                    "A quota is for a period, but the scope is per_deal.",
                    "Use scope: month, quarter or year, or basis: amount.",
                )
            if self.tiers[-1].lower > LARGEST_QUOTA_PERCENT:
                refuse(
                    f"A bound lies above {LARGEST_QUOTA_PERCENT} % of quota.",
                    "Bounds are percents here: 100 is the whole quota.",
                )
        return self

    def columns(self) -> Row:
        """How to read its tier table."""
        return {
            "tier_meaning": "marginal",
            "tier_basis": self.basis,
            "tier_scope": self.scope,
            "tier_closure": self.closure,
        }

    def rows(self) -> Mapping[str, Sequence[Row]]:
        """Its tiers."""
        return {TIER_TABLE: tier_rows(self.tiers, self.basis)}

    def warn(self, place: str) -> Iterator[Doubt]:
        """Warn about rates above 100 %, and tiers that no eligible deal reaches."""
        limit = self.eligibility.amount_below
        for number, tier in enumerate(self.tiers):
            yield from warn_of_rate(tier.percent, f"{place}.tiers[{number}]")
            if self.scope == "per_deal" and limit is not None and tier.lower >= limit:
                what = f"The tier from {tier.lower} cannot be reached: deals of {limit} or more are not eligible."
                yield (
                    f"{place}.tiers[{number}]",
                    what,
                    "Take the tier out, raise amount_below, or let the scope be a period.",
                )

    @classmethod
    def explain(cls, line: Row, slices: Sequence[Row]) -> Iterator[Step]:
        """The credit's place in the running total, its slices, its pay."""
        if line["attainment_scope"] in _PERIODS:
            yield "Attainment", _say_attainment(line)
        if line["line_status"] == "no_quota":
            yield "Pay", f"{say_pay(line)}: the tiers are on attainment, and the rep has no quota for the period"
        else:
            yield from explain_slices(line, slices)


def _say_attainment(line: Row) -> str:
    currency = line["credited_currency"]
    before, after = (
        say_money(line["attainment_before_amount"], currency),
        say_money(line["attainment_after_amount"], currency),
    )
    text = f"in {_PERIODS[line['attainment_scope']]} {line['attainment_period_start']} from {before} to {after}"
    if line["quota_amount"] is not None:
        text += f", of a quota of {say_money(line['quota_amount'], currency)}"
    if line["reached_tier_number"] is not None:
        text += f"; reached tier {line['reached_tier_number']}"
    return text
