"""Who takes part in a plan or stands on a board, and when."""

from __future__ import annotations

from datetime import date
from typing import Self

from pydantic import Field, model_validator

from incentives.plan_fields import Names, PlanModel
from storage.operator_files import refuse


class Participants(PlanModel):
    """One block of participants. Who meets all that a block says takes part; of several blocks one is enough.

    Role and team are those held at the time of the event, not today's.
    """

    everyone: bool = Field(default=False, description="Every rep, whatever the role.")
    roles: Names | None = Field(default=None, description="Roles such as outside_rep, inside_rep, rep.")
    teams: Names | None = Field(default=None, description="Names or ids of teams.")
    reps: Names | None = Field(default=None, description="Rep ids, e-mail addresses or employee ids.")
    from_date: date | None = Field(
        default=None, alias="from", description="First day of the assignment; the plan's own first day if left out."
    )
    to_date: date | None = Field(
        default=None, alias="to", description="Last day of the assignment, included; open if left out."
    )

    @model_validator(mode="after")
    def _names_someone(self) -> Self:
        named = self.roles or self.teams or self.reps
        if not self.everyone and not named:
            refuse("This block names no one.", "Say everyone: true, or list roles, teams or reps.")
        if self.everyone and named:
            refuse("This block says everyone and lists some.", "Drop everyone: true, or drop the lists.")
        if self.from_date and self.to_date and self.to_date < self.from_date:
            refuse(
                f"The assignment ends on {self.to_date}, before it begins on {self.from_date}.",
                "Put `to` on or after `from`.",
            )
        return self
