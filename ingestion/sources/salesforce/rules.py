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
    percent_text,
    required,
    row_count,
    salesforce_id,
    utc_timestamp_text,
)

KEY = (required("Id"), salesforce_id("Id"))
STAMPED = (
    *KEY,
    required("SystemModstamp"),
    utc_timestamp_text("SystemModstamp"),
    utc_timestamp_text("CreatedDate"),
    utc_timestamp_text("LastModifiedDate"),
    boolean_text("IsDeleted"),
)

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
    return (
        *KEY,
        required(parent),
        required("Field"),
        required("CreatedDate"),
        utc_timestamp_text("CreatedDate"),
        boolean_text("IsDeleted"),
    )


RULES: dict[str, tuple[Rule, ...]] = {
    "Organization": _stamped(
        row_count(at_most=1, fix=_ORGANIZATION_FIX),
        in_set("FiscalYearStartMonth", tuple(str(month) for month in range(1, 13)), "month").warn(),
    ),
    "User": _stamped(required("Name").warn(), boolean_text("IsActive"), salesforce_id("ManagerId").warn()),
    "UserRole": _stamped(required("Name").warn()),
    "Account": _stamped(
        decimal_text("AnnualRevenue").warn(),
        integer_text("NumberOfEmployees").warn(),
        boolean_text("IsPersonAccount"),
    ),
    "AccountHistory": _history("AccountId"),
    "Contact": _stamped(salesforce_id("AccountId").warn(), boolean_text("IsPersonAccount")),
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
        percent_text("Probability").warn(),
        utc_timestamp_text("LastStageChangeDate").warn(),
    ),
    "OpportunityHistory": _stamped(
        required("OpportunityId"),
        required("CreatedDate"),
        required("StageName"),
        one_of("StageName", "stages", fix=_STAGE_FIX),
        decimal_text("Amount"),
        date_text("CloseDate"),
        decimal_text("ExpectedRevenue").warn(),
        percent_text("Probability").warn(),
    ),
    "OpportunityFieldHistory": _history("OpportunityId"),
    "OpportunityStage": _stamped(
        required("ApiName"), one_of("ApiName", "stages", fix=_STAGE_FIX), integer_text("SortOrder").warn()
    ),
    "OpportunityContactRole": _stamped(
        required("OpportunityId"), required("ContactId").warn(), boolean_text("IsPrimary")
    ),
    "OpportunityLineItem": _stamped(
        required("OpportunityId"),
        decimal_text("Quantity", 18, 2),
        decimal_text("TotalPrice"),
        decimal_text("UnitPrice").warn(),
        decimal_text("ListPrice").warn(),
    ),
    "OpportunitySplit": _stamped(
        required("OpportunityId"),
        required("SplitOwnerId"),
        percent_text("SplitPercentage"),
        decimal_text("SplitAmount").warn(),
    ),
    "Product2": _stamped(required("Name").warn(), boolean_text("IsActive")),
    "PricebookEntry": _stamped(required("Product2Id"), decimal_text("UnitPrice"), boolean_text("IsActive")),
    "Campaign": _stamped(
        required("Name").warn(),
        decimal_text("ActualCost"),
        decimal_text("BudgetedCost").warn(),
        date_text("StartDate"),
        date_text("EndDate").warn(),
        boolean_text("IsActive"),
    ),
    "CampaignMember": _stamped(
        required("CampaignId"), boolean_text("HasResponded"), date_text("FirstRespondedDate").warn()
    ),
    "Task": _stamped(
        required("OwnerId").warn(),
        boolean_text("IsClosed"),
        date_text("ActivityDate").warn(),
        utc_timestamp_text("CompletedDateTime").warn(),
        boolean_text("IsRecurrence"),
        boolean_text("IsArchived"),
        integer_text("CallDurationInSeconds").warn(),
    ),
    "Event": _stamped(
        required("OwnerId").warn(),
        required("StartDateTime"),
        utc_timestamp_text("StartDateTime"),
        utc_timestamp_text("EndDateTime"),
        not_before("EndDateTime", "StartDateTime").warn(),
        integer_text("DurationInMinutes").warn(),
        date_text("ActivityDate").warn(),
        date_text("EndDate").warn(),
        *map(
            boolean_text,
            ("IsAllDayEvent", "IsRecurrence", "IsRecurrence2", "IsChild", "IsGroupEvent", "IsArchived"),
        ),
    ),
    "CurrencyType": _stamped(
        required("IsoCode"),
        currency_code("IsoCode"),
        required("ConversionRate"),
        not_negative_text("ConversionRate", 18, 10),
        integer_text("DecimalPlaces").warn(),
        boolean_text("IsActive"),
        boolean_text("IsCorporate"),
    ),
    "DatedConversionRate": _stamped(
        required("IsoCode"),
        required("ConversionRate"),
        not_negative_text("ConversionRate", 18, 10),
        date_text("NextStartDate").warn(),
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
    "EventRelation": _stamped(
        required("EventId"), required("RelationId").warn(), *map(boolean_text, ("IsParent", "IsInvitee", "IsWhat"))
    ),
    "EmailMessage": _stamped(utc_timestamp_text("MessageDate"), boolean_text("Incoming")),
    "RecordType": _stamped(required("DeveloperName").warn(), boolean_text("IsActive")),
    "Profile": _stamped(required("Name").warn()),
    "Group": _stamped(required("Type").warn()),
    "Territory2Model": _stamped(
        required("State").warn(), *map(utc_timestamp_text, ("ActivatedDate", "DeactivatedDate"))
    ),
    "OpportunitySplitType": _stamped(boolean_text("IsTotalValidated"), boolean_text("IsActive")),
    "OpportunityTeamMember": _stamped(required("OpportunityId"), required("UserId").warn()),
    "Quote": _stamped(date_text("ExpirationDate").warn(), decimal_text("TotalPrice").warn()),
    "Contract": _stamped(date_text("StartDate").warn(), date_text("EndDate").warn()),
    "Order": _stamped(date_text("EffectiveDate").warn(), decimal_text("TotalAmount").warn()),
    "Territory2": _stamped(required("Name").warn()),
    "UserTerritory2Association": _stamped(required("UserId"), required("Territory2Id"), boolean_text("IsActive")),
}

# An object that an operator names has one stamp or the other. Its windows are cut by it, so no row comes without it.
DEFAULT = (
    *KEY,
    *(
        rule
        for stamp in ("SystemModstamp", "CreatedDate")
        for rule in (required(stamp).where_there(), utc_timestamp_text(stamp))
    ),
)
