"""The rules on every Salesforce object.

Unreadable keys and stamps quarantine a row. Names that only the operator can explain (an unknown stage) refuse the
load. What is odd but harmless (an event that ends before it starts) warns: the figure that needs it reports it as a
data error.
"""

from __future__ import annotations

from ingestion.contracts.rules import (
    Rule,
    boolean_text,
    currency_code,
    date_text,
    decimal_text,
    in_set,
    integer_text,
    not_before,
    not_negative_text,
    one_of,
    required,
    row_count,
    salesforce_id,
    timestamp_text,
)

KEY = (required("Id"), salesforce_id("Id"))
STAMPED = (*KEY, required("SystemModstamp"), timestamp_text("SystemModstamp"), timestamp_text("CreatedDate"))

_STAGE_FIX = (
    "Add a line to config/stages.yml with the stage it stands for, such as `- {name: …, stage: proposal, order: 4, "
    "category: open, qualified: true, probability: 0.50}`; until then its opportunities count in no stage."
)
_ORGANIZATION_FIX = "An org is one organization: check SALESOPS_SALESFORCE_LOGIN_URL, and that nothing stands between it and Salesforce."
_STATUS_FIX = (
    "Add a line to config/lead_statuses.yml with the status it stands for, such as `- {name: …, status: working}`; "
    "until then the lead's status reads as unknown."
)


def _stamped(*rules: Rule) -> tuple[Rule, ...]:
    return STAMPED + rules


def _history(parent: str) -> tuple[Rule, ...]:
    return (*KEY, required(parent), required("Field"), required("CreatedDate"), timestamp_text("CreatedDate"))


RULES: dict[str, tuple[Rule, ...]] = {
    "Organization": _stamped(
        row_count(at_most=1, fix=_ORGANIZATION_FIX),
        in_set("FiscalYearStartMonth", tuple(str(month) for month in range(1, 13)), "month").warn(),
    ),
    "User": _stamped(required("Name").warn(), boolean_text("IsActive"), salesforce_id("ManagerId").warn()),
    "UserRole": _stamped(required("Name").warn()),
    "Account": _stamped(decimal_text("AnnualRevenue").warn(), integer_text("NumberOfEmployees").warn()),
    "AccountHistory": _history("AccountId"),
    "Contact": _stamped(salesforce_id("AccountId").warn()),
    "ContactHistory": _history("ContactId"),
    "Lead": _stamped(
        required("CreatedDate"),
        required("OwnerId"),
        boolean_text("IsConverted"),
        integer_text("NumberOfEmployees").warn(),
        date_text("ConvertedDate").warn(),
        one_of("Status", "lead_statuses", fix=_STATUS_FIX),
    ),
    "LeadHistory": _history("LeadId"),
    "Opportunity": _stamped(
        required("CreatedDate"),
        required("StageName"),
        one_of("StageName", "stages", fix=_STAGE_FIX),
        decimal_text("Amount"),
        currency_code("CurrencyIsoCode"),
        required("CloseDate"),
        date_text("CloseDate"),
        boolean_text("IsClosed"),
        boolean_text("IsWon"),
    ),
    "OpportunityHistory": _stamped(
        required("OpportunityId"),
        required("CreatedDate"),
        required("StageName"),
        one_of("StageName", "stages", fix=_STAGE_FIX),
        decimal_text("Amount"),
        date_text("CloseDate"),
    ),
    "OpportunityFieldHistory": _history("OpportunityId"),
    "OpportunityStage": _stamped(
        required("ApiName"), one_of("ApiName", "stages", fix=_STAGE_FIX), integer_text("SortOrder").warn()
    ),
    "OpportunityContactRole": _stamped(required("OpportunityId"), required("ContactId").warn()),
    "OpportunityLineItem": _stamped(required("OpportunityId"), decimal_text("Quantity"), decimal_text("TotalPrice")),
    "OpportunitySplit": _stamped(required("OpportunityId"), required("SplitOwnerId"), decimal_text("SplitPercentage")),
    "Product2": _stamped(required("Name").warn()),
    "PricebookEntry": _stamped(required("Product2Id"), decimal_text("UnitPrice")),
    "Campaign": _stamped(required("Name").warn(), decimal_text("ActualCost"), date_text("StartDate")),
    "CampaignMember": _stamped(required("CampaignId")),
    "Task": _stamped(required("OwnerId").warn(), boolean_text("IsClosed"), date_text("ActivityDate").warn()),
    "Event": _stamped(
        required("OwnerId").warn(),
        required("StartDateTime"),
        timestamp_text("StartDateTime"),
        timestamp_text("EndDateTime"),
        not_before("EndDateTime", "StartDateTime").warn(),
        boolean_text("Cancelled__c").warn(),
    ),
    "CurrencyType": _stamped(
        required("IsoCode"), currency_code("IsoCode"), required("ConversionRate"), not_negative_text("ConversionRate")
    ),
    "DatedConversionRate": _stamped(
        required("IsoCode"),
        required("ConversionRate"),
        not_negative_text("ConversionRate"),
        required("StartDate"),
        date_text("StartDate"),
    ),
    "ForecastingQuota": _stamped(
        required("QuotaOwnerId"),
        required("StartDate"),
        date_text("StartDate"),
        decimal_text("QuotaAmount"),
        decimal_text("QuotaQuantity"),
    ),
    "EventRelation": _stamped(required("EventId"), required("RelationId").warn()),
    "EmailMessage": _stamped(timestamp_text("MessageDate"), boolean_text("Incoming")),
    "Territory2": _stamped(required("Name").warn()),
    "UserTerritory2Association": _stamped(required("UserId"), required("Territory2Id")),
}

# An object that an operator names has one stamp or the other. Its windows are cut by it, so no row comes without it.
DEFAULT = (
    *KEY,
    *(
        rule
        for stamp in ("SystemModstamp", "CreatedDate")
        for rule in (required(stamp).where_there(), timestamp_text(stamp))
    ),
)
