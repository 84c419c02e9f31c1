"""Which objects are read, in which order, and by which stamp."""

from __future__ import annotations

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

_FIELD_HISTORIES = frozenset({"AccountHistory", "ContactHistory", "LeadHistory", "OpportunityFieldHistory"})


def lake_table(object_name: str) -> str:
    """Lake table of an object: `OpportunityFieldHistory` → `salesforce__opportunity_field_history`."""
    return f"salesforce__{snake_case(object_name)}"


def cursor_field(object_name: str) -> str:
    """The stamp that windows are cut by: `SystemModstamp`, or `CreatedDate` for field histories, which are written once and have no other."""
    return "CreatedDate" if object_name in _FIELD_HISTORIES or object_name.endswith("__History") else "SystemModstamp"
