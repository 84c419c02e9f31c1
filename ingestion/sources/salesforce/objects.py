"""Which objects are read, in which order, by which stamp, and of which a record that is gone was deleted."""

from __future__ import annotations

from collections.abc import Iterable

from ingestion.contracts.rules import snake_case

# Small reference objects first, so that a refusal shows early; parents before their histories and children.
OBJECTS: tuple[str, ...] = (
    "Organization",
    "UserRole",
    "User",
    "CurrencyType",
    "DatedConversionRate",
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
    "OpportunitySplit",
    "ForecastingQuota",
    "Task",
    "Event",
    "EventRelation",
    "EmailMessage",
)

STAMPS = ("SystemModstamp", "CreatedDate")  # by which windows are cut: the first of them that an object has
_FIELD_HISTORIES = frozenset({"AccountHistory", "ContactHistory", "LeadHistory", "OpportunityFieldHistory"})


def lake_table(object_name: str) -> str:
    """Lake table of an object: `OpportunityFieldHistory` → `salesforce__opportunity_field_history`."""
    return f"salesforce__{snake_case(object_name)}"


def known_stamp(object_name: str) -> str | None:
    """The stamp of a standard object, for which the org need not be asked: `CreatedDate` for field histories, written once, which have no other."""
    if object_name not in OBJECTS:
        return None
    return "CreatedDate" if object_name in _FIELD_HISTORIES else "SystemModstamp"


def is_gone_only_when_deleted(object_name: str, field_names: Iterable[str]) -> bool:
    """Whether a record of the object that the org has no more was deleted by somebody.

    So it is for every object with the field `IsDeleted` (accounts, deals, their lines, roles and splits, leads, members, activities, messages,
    custom objects; archived tasks and events leave `query` only, not the `queryAll` that we read by), except where Salesforce itself drops rows
    by age: histories are kept for 18 to 24 months, tracked changes in feeds for 45 days, and what they tell stays true. An object without the
    field (users, roles, stages, currencies, territories, quotas) has no way to say that a record is deleted, and staging none to read it.
    """
    is_dropped_by_age = object_name.endswith(("History", "Feed")) or object_name in ("FeedItem", "FeedTrackedChange")
    return "IsDeleted" in field_names and not is_dropped_by_age
