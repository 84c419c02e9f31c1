"""What all plan components share: measure, eligible credits, and what each mechanic must implement.

Each kind of component (how it pays) is a file in `incentives/mechanics/`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from incentives.crediting import DEFAULT_RULE_ID
from incentives.plan_fields import Identifier, Money, PlanModel, Tag
from storage.metric_registry import read_metrics
from storage.operator_files import refuse

# The registry's payable metrics, as a literal so that editors complete them.
if TYPE_CHECKING:
    Measure = str
else:
    Measure = Literal[tuple(metric.name for metric in read_metrics().metrics if metric.payable)]
Row = Mapping[str, Any]
# Place in the plan file, what is questionable there, what to do.
Doubt = tuple[str, str, str]
# Title and text of one step of an explanation.
Step = tuple[str, str]


class Eligibility(PlanModel):
    """Which events a component counts. Tags: `type:…`, `product:…`, `record_type:…`, `process:…`, `field:<name>=…`; values in snake case."""

    all_of: tuple[Tag, ...] = Field(default=(), description="The event has every one of these tags.")
    any_of: tuple[Tag, ...] = Field(default=(), description="The event has at least one of these tags.")
    none_of: tuple[Tag, ...] = Field(default=(), description="The event has none of these tags.")
    amount_at_least: Money | None = Field(
        default=None, description="The whole event's amount, before any split, is at least this."
    )
    amount_below: Money | None = Field(
        default=None, description="The whole event's amount, before any split, is below this."
    )

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if (
            self.amount_at_least is not None
            and self.amount_below is not None
            and self.amount_below <= self.amount_at_least
        ):
            refuse(
                "No amount is at least amount_at_least and below amount_below.",
                "Put amount_below above amount_at_least.",
            )
        if both := sorted((set(self.all_of) | set(self.any_of)) & set(self.none_of)):
            refuse(f"The tag {both[0]} is both asked for and excluded.", "Take it out of one of the two lists.")
        return self


class Component(PlanModel):
    """A part of a plan that pays. Its kind is a subclass in `incentives/mechanics/`."""

    id: Identifier
    name: str | None = Field(default=None, description="What a statement calls it; the id if left out.")
    measure: Measure = Field(
        default="bookings",
        description="bookings: won deals by close date; invoiced: invoices by invoice date; collected: payments by payment date.",
    )
    crediting: Identifier = Field(
        default=DEFAULT_RULE_ID, description="The crediting rule; `owner` gives the whole to the owner."
    )
    eligibility: Eligibility = Eligibility()

    @abstractmethod
    def columns(self) -> Row:
        """The columns of its row in `plans__component` that define how it pays; omitted ones are NULL."""

    @abstractmethod
    def rows(self) -> Mapping[str, Sequence[Row]]:
        """Its rows in other plan tables, by table, without the plan and component columns."""

    @abstractmethod
    def warn(self, place: str) -> Iterator[Doubt]:
        """Report questionable settings before they pay anyone.

        Args:
            place: Its path in the plan file, such as `components[0]`.
        """

    @classmethod
    @abstractmethod
    def explain(cls, line: Row, slices: Sequence[Row]) -> Iterator[Step]:
        """How a line of this kind leads from its credit to its pay.

        Args:
            line: Row of `commission_lines`.
            slices: Its rows of `commission_line_slices`, ordered by tier.
        """
