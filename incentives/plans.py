"""The contents of a plan file. Reference for plan authors: `docs/commission-plans.md`."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from pydantic import Field, model_validator

from incentives.crediting import OWNER_RULE, CreditingRule
from incentives.mechanics import AnyComponent
from incentives.participants import Participants
from incentives.plan_fields import Identifier, Name, PlanModel
from storage.operator_files import refuse

REPORTING_CURRENCY = "reporting"


class Plan(PlanModel):
    """A commission plan: who takes part, how deals are credited, what the credits pay."""

    id: Identifier = Field(description="Unique among all plan files. A new year's plan is a new file with a new id.")
    name: Name
    description: str = ""
    effective_from: date = Field(description="First day whose events the plan pays.")
    effective_to: date | None = Field(
        default=None, description="Last day whose events the plan pays, included; open if left out."
    )
    payout_currency: str = Field(
        default=REPORTING_CURRENCY,
        pattern=r"^(reporting|[A-Z]{3})$",
        description="`reporting` (the organisation's) or three letters equal to it.",
    )
    participants: tuple[Participants, ...] = Field(min_length=1)
    crediting: tuple[CreditingRule, ...] = Field(
        default=(), description="Splits that components name. The rule `owner` is always there."
    )
    components: tuple[AnyComponent, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.effective_to and self.effective_to < self.effective_from:
            refuse(
                f"The plan ends on {self.effective_to}, before it begins on {self.effective_from}.",
                "Put effective_to on or after effective_from.",
            )
        rules = [rule.id for rule in self.crediting]
        for what, ids in (("crediting rules", rules), ("components", [component.id for component in self.components])):
            if twice := next((each for each in ids if ids.count(each) > 1), None):
                refuse(f"Two {what} have the id {twice}.", "Give each its own id; ids are part of the line's name.")
        known = {*rules, OWNER_RULE.id}
        for component in self.components:
            if component.crediting not in known:
                refuse(
                    f"Component {component.id} names the crediting rule {component.crediting}, which the plan does not have.",
                    f"Add it under crediting, or use one of: {', '.join(sorted(known))}.",
                )
        return self

    @property
    def crediting_rules(self) -> tuple[CreditingRule, ...]:
        """The rules that components use, including the built-in `owner` unless the file defines its own."""
        used = {component.crediting for component in self.components}
        own = {rule.id for rule in self.crediting}
        rules = self.crediting if OWNER_RULE.id in own else (OWNER_RULE, *self.crediting)
        return tuple(rule for rule in rules if rule.id in used)


def plan_json_schema() -> dict[str, Any]:
    """The JSON schema of a plan file, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Salesops commission plan",
        **Plan.model_json_schema(),
    }
