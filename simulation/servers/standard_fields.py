"""Types of Salesforce standard fields that neither name nor column type reveals, taken from recorded describes."""

from __future__ import annotations

from collections.abc import Mapping

PICKLISTS = frozenset(
    [
        "Status",
        "LeadSource",
        "Industry",
        "Rating",
        "StageName",
        "ForecastCategory",
        "ForecastCategoryName",
        "Type",
        "CurrencyIsoCode",
        "DefaultCurrencyIsoCode",
        "IsoCode",
        "Role",
        "Priority",
        "TaskSubtype",
        "ShowAs",
        "UserType",
        "OrganizationType",
        "TimeZoneSidKey",
        "Family",
        "RoleInTerritory2",
        "Field",
        "DataType",
        "Process__c",
        "Segment__c",
        "Competitor__c",
        "Loss_Reason__c",
        "Disqualified_Reason__c",
    ]
)
CURRENCIES = frozenset(
    [
        "Amount",
        "ExpectedRevenue",
        "AnnualRevenue",
        "UnitPrice",
        "ListPrice",
        "TotalPrice",
        "SplitAmount",
        "BudgetedCost",
        "ActualCost",
    ]
)
PERCENTS = frozenset(["Probability", "DefaultProbability", "SplitPercentage", "Discount_Percent__c"])
REFERENCES: Mapping[str, tuple[str, ...]] = {
    "OwnerId": ("User",),
    "CreatedById": ("User",),
    "LastModifiedById": ("User",),
    "ManagerId": ("User",),
    "SplitOwnerId": ("User",),
    "SplitTypeId": ("OpportunitySplitType",),
    "WhoId": ("Contact", "Lead"),
    "WhatId": ("Account", "Opportunity"),
    "ConvertedAccountId": ("Account",),
    "ConvertedContactId": ("Contact",),
    "ConvertedOpportunityId": ("Opportunity",),
    "ParentRoleId": ("UserRole",),
    "ParentTerritory2Id": ("Territory2",),
    "Campaign__c": ("Campaign",),
}
"""What a reference points to, where its name without `Id` does not say so."""

REFERENCES_OF: Mapping[str, tuple[str, ...]] = {
    "Lead.OwnerId": ("Group", "User"),
    "Event.OwnerId": ("Calendar", "User"),
    "Task.OwnerId": ("Group", "User"),
}
"""The same for a field of one object."""

LENGTHS: Mapping[str, int] = {
    "FirstName": 40,
    "LastName": 80,
    "Title": 128,
    "Country": 80,
    "BillingCountry": 80,
    "Role": 40,
    "ShowAs": 40,
    "Account.Industry": 40,
    "Account.Type": 40,
    "Contact.Name": 121,
    "Lead.Name": 121,
    "Opportunity.Name": 120,
}
"""Characters that a text field holds, where not as many as others of its type."""

WHOLE_NUMBERS = frozenset(["AnnualRevenue", "Probability"])
"""Amounts and percentages without digits after the point."""

STAMPS = frozenset(["Id", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp"])
_CONVERSION = frozenset(["ConvertedDate", "ConvertedAccountId", "ConvertedContactId", "ConvertedOpportunityId"])
SET_BY_SYSTEM = STAMPS | _CONVERSION | {"IsDeleted", "MasterRecordId", "IsClosed", "IsWon", "LastStageChangeDate"}
NEVER_EMPTY = STAMPS | {"OwnerId", "Name", "LastName", "StageName", "CloseDate", "Lead.Company", "Lead.Status"}
NEVER_EMPTY |= {"OpportunityContactRole.OpportunityId", "OpportunityContactRole.ContactId"}
WITHOUT_RELATIONSHIP = frozenset(["Opportunity.ContactId"])
PERSONS = frozenset(["Contact", "Lead", "User"])
"""Objects whose name is put together from its parts."""
