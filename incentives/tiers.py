"""Tier tables: bounds, rates, closure, their rows, and the check that they cover every amount exactly once."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field

from incentives.plan_fields import Percent, PlanModel
from storage.operator_files import refuse

Closure = Literal["[lo, hi)", "(lo, hi]"]
Scope = Literal["per_deal", "month", "quarter", "year"]
Basis = Literal["amount", "percent_of_quota"]

TIER_TABLE = "plans__tier"


class Tier(PlanModel):
    """One tier. Bounds are amounts, or percents of quota where the component says `basis: percent_of_quota`."""

    lower: Annotated[Decimal, Field(ge=0, max_digits=16, decimal_places=2)] = Field(
        alias="from", description="Where the tier begins."
    )
    upper: Annotated[Decimal, Field(gt=0, max_digits=16, decimal_places=2)] | None = Field(
        default=None, alias="to", description="Where the tier ends; left out in the last one, which has no end."
    )
    percent: Percent = Field(description="What is paid of the part of the amount that lies in this tier.")


def check_tier_table(tiers: tuple[Tier, ...]) -> None:
    """Refuse a table that leaves an amount without a rate or gives it two.

    Raises:
        PydanticCustomError: The table does not begin at 0, has a gap, an overlap or an empty tier, or its last tier
            ends.
    """
    if tiers[0].lower != 0:
        refuse(
            f"The first tier begins at {tiers[0].lower}; what lies below has no rate.",
            "Begin at 0; add a tier with percent: 0 if nothing is paid there.",
        )
    for number, tier in enumerate(tiers, start=1):
        if tier.upper is not None and tier.upper <= tier.lower:
            refuse(
                f"Tier {number} ends at {tier.upper}, not above its beginning {tier.lower}.", "Put `to` above `from`."
            )
    for number, (tier, following) in enumerate(pairwise(tiers), start=1):
        if tier.upper is None:
            refuse(f"Tier {number} has no end, but tier {number + 1} follows.", f"Add to: {following.lower}.")
        if following.lower > tier.upper:
            refuse(
                f"Between tier {number} (to {tier.upper}) and tier {number + 1} (from {following.lower}) is a gap.",
                f"Let tier {number} end where the next begins: to: {following.lower}. The closure says which tier the bound itself is in.",
            )
        if following.lower < tier.upper:
            refuse(
                f"Tier {number} (to {tier.upper}) and tier {number + 1} (from {following.lower}) overlap.",
                f"Let tier {number} end where the next begins: to: {following.lower}.",
            )
    if tiers[-1].upper is not None:
        refuse(
            f"The last tier ends at {tiers[-1].upper}; what lies above has no rate.",
            "Leave out its `to`; add a tier with percent: 0 if nothing is paid above.",
        )


def tier_rows(tiers: tuple[Tier, ...], basis: Basis) -> list[dict[str, Decimal | int | None]]:
    """Rows of `plans__tier`; percent-of-quota bounds become ratios."""
    return [
        {"tier_number": number, "rate": tier.percent / 100, **_bounds(tier, basis)}
        for number, tier in enumerate(tiers, start=1)
    ]


def warn_of_rate(percent: Decimal, place: str) -> Iterator[tuple[str, str, str]]:
    """Warn about a percent above 100: more often 5 written as 500 than intended."""
    if percent > 100:
        yield f"{place}.percent", f"The rate is above 100 %: {percent} %.", "Percents are written as such: 5 is 5 %."


def _bounds(tier: Tier, basis: Basis) -> dict[str, Decimal | None]:
    if basis == "amount":
        return {"lower_amount": tier.lower, "upper_amount": tier.upper}
    return {
        "lower_quota_ratio": tier.lower / 100,
        "upper_quota_ratio": None if tier.upper is None else tier.upper / 100,
    }
