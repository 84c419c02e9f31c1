"""Which objects are read, in which order, and what is known about each before the org is asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ingestion.contracts import LakeTable, PersonalRows, Rule
from ingestion.contracts.rules import snake_case
from ingestion.sources.salesforce.rules import DEFAULT, RULES

STAMPS = ("SystemModstamp", "CreatedDate")  # windows are cut by the first of these that an object has
_TABLE_PREFIX = "salesforce__"
# CreatedDate is their only stamp.
_WRITTEN_ONCE = frozenset({"AccountHistory", "ContactHistory", "LeadHistory", "OpportunityFieldHistory"})

# Small reference objects first, so that a refusal shows early; parents before their histories and children.
_READ = (
    "Organization",
    "RecordType",
    "UserRole",
    "Profile",
    "User",
    "Group",
    "CurrencyType",
    "DatedConversionRate",
    "Territory2Model",
    "Territory2",
    "UserTerritory2Association",
    "OpportunityStage",
    "Product2",
    "PricebookEntry",
    "Campaign",
    "Account",
    "AccountHistory",
    "Contact",
    "ContactHistory",
    "Lead",
    "LeadHistory",
    "CampaignMember",
    "Opportunity",
    "OpportunityHistory",
    "OpportunityFieldHistory",
    "OpportunityContactRole",
    "OpportunityLineItem",
    "OpportunitySplitType",
    "OpportunitySplit",
    "OpportunityTeamMember",
    "Quote",
    "Contract",
    "Order",
    "ForecastingQuota",
    "Task",
    "Event",
    "EventRelation",
    "EmailMessage",
)
_PERSONAL = {
    "User": PersonalRows("staff"),
    "Account": PersonalRows("people", ("MasterRecordId", "PersonContactId"), only_where="IsPersonAccount"),
    "Contact": PersonalRows("people", ("MasterRecordId",)),
    "ContactHistory": PersonalRows("about_people", ("ContactId",)),
    "Lead": PersonalRows("people", ("MasterRecordId", "ConvertedContactId")),
    "LeadHistory": PersonalRows("about_people", ("LeadId",)),
    "CampaignMember": PersonalRows("about_people", ("LeadId", "ContactId", "LeadOrContactId")),
    "Task": PersonalRows("about_people", ("WhoId",)),
    "TaskRelation": PersonalRows("about_people", ("RelationId",)),
    "Event": PersonalRows("about_people", ("WhoId",)),
    "EventRelation": PersonalRows("about_people", ("RelationId",)),
    "EmailMessage": PersonalRows("messages"),
}


@dataclass(frozen=True)
class SalesforceObject:
    """One object, built once and passed through every step of its load.

    Attributes:
        name: As Salesforce spells it.
        stamp: Field that its windows are cut by; None where the org must be asked, as for an object that an operator
            named.
        rules: What its rows must satisfy.
        personal: The personal data in its rows; None where they have none.
    """

    name: str
    stamp: str | None = None
    rules: tuple[Rule, ...] = DEFAULT
    personal: PersonalRows | None = None

    @property
    def table(self) -> str:
        """Name of its lake table: `OpportunityFieldHistory` → `salesforce__opportunity_field_history`."""
        return _TABLE_PREFIX + snake_case(self.name)

    @property
    def lake_table(self) -> LakeTable:
        """The lake table, as landing knows it; without a version column until the stamp is known."""
        return LakeTable(self.table, ("Id",), self.stamp, self.stamp, self.rules, self.personal)

    def stamped_by(self, stamp: str) -> SalesforceObject:
        """The same object, its windows cut by this field."""
        return replace(self, stamp=stamp)

    def is_gone_only_when_deleted(self, field_names: Iterable[str]) -> bool:
        """Whether a record that the org no longer has was deleted by somebody.

        That holds for every object with the field `IsDeleted` (accounts, deals, their lines, roles and splits, leads,
        members, activities, messages, custom objects), except where Salesforce itself drops rows by age: it keeps
        histories for 18 to 24 months and tracked changes in feeds for 45 days, and what they say stays true. Archived
        tasks and events leave only `query`, not the `queryAll` that we read by. An object without the field (users,
        roles, stages, currencies, territories, quotas) cannot say that a record is deleted, and staging could not read
        it.

        Args:
            field_names: The fields that the org says it has.
        """
        is_dropped_by_age = self.name.endswith(("History", "Feed")) or self.name in ("FeedItem", "FeedTrackedChange")
        return "IsDeleted" in field_names and not is_dropped_by_age


def _known(name: str) -> SalesforceObject:
    return SalesforceObject(
        name,
        "CreatedDate" if name in _WRITTEN_ONCE else "SystemModstamp",
        RULES.get(name, DEFAULT),
        _PERSONAL.get(name),
    )


OBJECTS: tuple[SalesforceObject, ...] = tuple(map(_known, _READ))
_BY_NAME = {each.name: each for each in OBJECTS}


def find_object(name: str) -> SalesforceObject:
    """The object of this name: a standard one, or one that an operator named, whose stamp only the org knows."""
    return _BY_NAME.get(name) or SalesforceObject(name, personal=_PERSONAL.get(name))


def is_salesforce_table(table_name: str) -> bool:
    """Whether a lake table holds the records of an object."""
    return table_name.startswith(_TABLE_PREFIX)
