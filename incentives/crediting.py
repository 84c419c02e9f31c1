"""Crediting rules: who is given how much of a deal."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from incentives.plan_fields import Identifier, PlanModel, Weight
from storage.operator_files import refuse

Party = Literal["owner", "sourced_by", "opportunity_splits"]

DEFAULT_RULE_ID = "owner"


class CreditedParty(PlanModel):
    """One party to a split.

    `owner` is who owned the opportunity when it closed; `sourced_by` is the rep of the lead that it came from (the inside rep who handed it
    over); `opportunity_splits` are the people of the CRM's opportunity splits by their percentages, or the owner where it has none.
    """

    party: Party
    weight: Weight = 1


class CreditingRule(PlanModel):
    """A way to split an event's amount among people, by integer weights and exactly to the smallest unit.

    A party that an event does not have (no lead, so no one who sourced it) falls away, and the others share the whole by their weights.
    Where one person stands for two parties the weights add up.
    """

    id: Identifier
    split: tuple[CreditedParty, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _has_each_party_once(self) -> Self:
        parties = [credited.party for credited in self.split]
        for party in parties:
            if parties.count(party) > 1:
                refuse(f"The party {party} is listed twice.", "Keep one entry and give it the sum of the weights.")
        if "owner" in parties and "opportunity_splits" in parties:
            refuse(
                "The split has both owner and opportunity_splits.",
                "Keep one: without splits in the CRM, opportunity_splits is the owner.",
            )
        return self


OWNER_RULE = CreditingRule(id=DEFAULT_RULE_ID, split=(CreditedParty(party="owner"),))
