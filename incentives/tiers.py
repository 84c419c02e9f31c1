"""Tier tables: bounds, rates, closure, and the check that they cover every amount exactly once."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field

from incentives.plan_fields import Percent, PlanModel
from storage.operator_files import refuse

Closure = Literal["[lo, hi)", "(lo, hi]"]


class Tier(PlanModel):
    """One tier. Bounds are amounts, or percents of quota where the component says `on: percent_of_quota`."""

    lower: Annotated[Decimal, Field(ge=0, max_digits=16, decimal_places=2)] = Field(alias="from", description="Where the tier begins.")
    upper: Annotated[Decimal, Field(gt=0, max_digits=16, decimal_places=2)] | None = Field(
        default=None, alias="to", description="Where the tier ends; left out in the last one, which has no end."
    )
    percent: Percent = Field(description="What is paid of the part of the amount that lies in this tier.")


def check_tier_table(tiers: tuple[Tier, ...]) -> None:
    """Refuse a table that leaves an amount without a rate, or gives it two.

    Raises:
        PydanticCustomError: The table does not begin at 0, has a gap, an overlap or an empty tier, or ends.
    """
    if tiers[0].lower != 0:
        refuse(
            f"The first tier begins at {tiers[0].lower}; what lies below has no rate.",
            "Begin at 0; add a tier with percent: 0 if nothing is paid there.",
        )
    for number, tier in enumerate(tiers, start=1):
        if tier.upper is not None and tier.upper <= tier.lower:
            refuse(f"Tier {number} ends at {tier.upper}, not above its beginning {tier.lower}.", "Put `to` above `from`.")
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
