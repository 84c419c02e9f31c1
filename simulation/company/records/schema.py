"""Columns and types of every file of the simulated company: the interface that the local servers read.

Column names are the source's own (Salesforce API names, Twilio fields, feed headers). One row per *record version*; the
state at an instant is, for every record, the newest version with `_visible_from` at or before it.
"""

from __future__ import annotations

import pyarrow as pa

MONEY = pa.decimal128(18, 2)
RATE = pa.decimal128(18, 6)
TIME = pa.timestamp("us")

_TYPES = {
    "s": pa.string(),
    "b": pa.bool_(),
    "i": pa.int64(),
    "m": MONEY,
    "r": RATE,
    "d": pa.date32(),
    "t": TIME,
    "f": pa.float64(),
    "l": pa.list_(pa.string()),
}

_AUDIT = "Id:s IsDeleted:b CreatedDate:t CreatedById:s LastModifiedDate:t LastModifiedById:s SystemModstamp:t"
_AUDIT_KEPT = _AUDIT.replace("IsDeleted:b ", "")
_FIELD_HISTORY = "CreatedById:s CreatedDate:t Field:s DataType:s OldValue:s NewValue:s"

_SALESFORCE = {
    "Organization": "Id:s Name:s TimeZoneSidKey:s FiscalYearStartMonth:i OrganizationType:s CreatedDate:t SystemModstamp:t",
    "User": f"{_AUDIT_KEPT} Username:s Email:s Name:s FirstName:s LastName:s Phone:s EmployeeNumber:s IsActive:b ManagerId:s UserRoleId:s "
    "TimeZoneSidKey:s UserType:s DefaultCurrencyIsoCode:s",
    "UserRole": "Id:s Name:s ParentRoleId:s LastModifiedDate:t LastModifiedById:s SystemModstamp:t",
    "Account": f"{_AUDIT} MasterRecordId:s Name:s Industry:s NumberOfEmployees:i AnnualRevenue:m BillingCountry:s Phone:s OwnerId:s ParentId:s "
    "CurrencyIsoCode:s Type:s",
    "Contact": f"{_AUDIT} MasterRecordId:s AccountId:s FirstName:s LastName:s Name:s Email:s Phone:s Title:s OwnerId:s LeadSource:s",
    "Lead": f"{_AUDIT} MasterRecordId:s FirstName:s LastName:s Name:s Company:s Email:s Phone:s Title:s Industry:s NumberOfEmployees:i Country:s "
    "LeadSource:s Status:s Rating:s OwnerId:s IsConverted:b ConvertedDate:d ConvertedAccountId:s ConvertedContactId:s ConvertedOpportunityId:s "
    "Process__c:s Segment__c:s Campaign__c:s Web_Visits__c:i Disqualified_Reason__c:s",
    "LeadHistory": f"Id:s IsDeleted:b LeadId:s {_FIELD_HISTORY}",
    "AccountHistory": f"Id:s IsDeleted:b AccountId:s {_FIELD_HISTORY}",
    "ContactHistory": f"Id:s IsDeleted:b ContactId:s {_FIELD_HISTORY}",
    "OpportunityFieldHistory": f"Id:s IsDeleted:b OpportunityId:s {_FIELD_HISTORY}",
    "Opportunity": f"{_AUDIT} AccountId:s Name:s StageName:s Amount:m CurrencyIsoCode:s Probability:f CloseDate:d IsClosed:b IsWon:b "
    "ForecastCategoryName:s OwnerId:s LeadSource:s CampaignId:s Type:s ContactId:s Competitor__c:s Loss_Reason__c:s Discount_Percent__c:f "
    "Territory2Id:s LastStageChangeDate:t",
    "OpportunityHistory": "Id:s IsDeleted:b OpportunityId:s CreatedById:s CreatedDate:t StageName:s Amount:m ExpectedRevenue:m CloseDate:d "
    "Probability:f ForecastCategory:s CurrencyIsoCode:s SystemModstamp:t",
    "OpportunityStage": f"{_AUDIT_KEPT} ApiName:s MasterLabel:s SortOrder:i IsActive:b IsClosed:b IsWon:b DefaultProbability:f "
    "ForecastCategoryName:s",
    "OpportunityContactRole": f"{_AUDIT} OpportunityId:s ContactId:s Role:s IsPrimary:b",
    "OpportunityLineItem": f"{_AUDIT} OpportunityId:s Product2Id:s Quantity:f UnitPrice:m ListPrice:m TotalPrice:m CurrencyIsoCode:s",
    "OpportunitySplit": f"{_AUDIT} OpportunityId:s SplitOwnerId:s SplitPercentage:f SplitAmount:m SplitTypeId:s CurrencyIsoCode:s",
    "Product2": f"{_AUDIT} Name:s ProductCode:s Family:s IsActive:b",
    "PricebookEntry": f"{_AUDIT} Product2Id:s UnitPrice:m CurrencyIsoCode:s IsActive:b",
    "Campaign": f"{_AUDIT} Name:s Type:s Status:s StartDate:d EndDate:d BudgetedCost:m ActualCost:m IsActive:b CurrencyIsoCode:s",
    "CampaignMember": f"{_AUDIT} CampaignId:s LeadId:s ContactId:s Status:s HasResponded:b FirstRespondedDate:d",
    "Task": f"{_AUDIT} WhoId:s WhatId:s Subject:s Status:s Priority:s ActivityDate:d TaskSubtype:s OwnerId:s IsClosed:b CompletedDateTime:t",
    "Event": f"{_AUDIT} WhoId:s WhatId:s Subject:s StartDateTime:t EndDateTime:t DurationInMinutes:i OwnerId:s ShowAs:s Cancelled__c:b",
    "CurrencyType": f"{_AUDIT_KEPT} IsoCode:s ConversionRate:r DecimalPlaces:i IsActive:b IsCorporate:b",
    "DatedConversionRate": f"{_AUDIT_KEPT} IsoCode:s StartDate:d NextStartDate:d ConversionRate:r",
    "Territory2": f"{_AUDIT_KEPT} Name:s DeveloperName:s ParentTerritory2Id:s",
    "UserTerritory2Association": "Id:s UserId:s Territory2Id:s IsActive:b RoleInTerritory2:s LastModifiedDate:t LastModifiedById:s SystemModstamp:t",
}

_TELEPHONY = {
    "call": "sid:s parent_call_sid:s account_sid:s from:s to:s from_formatted:s to_formatted:s direction:s status:s start_time:t end_time:t "
    "date_created:t date_updated:t duration:i answered_by:s price:r price_unit:s phone_number_sid:s"
}

_MAIL = {
    "message": "mailbox:s maildir_key:s message_id:s in_reply_to:s references_ids:l from_address:s to_addresses:l cc_addresses:l sent_at:t subject:s "
    "is_auto_reply:b is_bounce:b is_newsletter:b size_bytes:i"
}

_FEEDS = {
    "personnel": "employee_id:s email:s full_name:s effective_date:d role:s team:s manager_employee_id:s territory:s hire_date:d leave_date:d fte:f",
    "absences": "employee_id:s start_date:d end_date:d kind:s",
    "quotas": "employee_id:s period_start:d quota_amount:m currency:s",
    "invoices": "invoice_id:s opportunity_id:s invoice_date:d amount:m currency:s due_date:d",
    "payments": "payment_id:s invoice_id:s payment_date:d amount:m currency:s",
    "campaign_costs": "campaign_id:s cost_date:d amount:m currency:s",
    "product_costs": "product_code:s valid_from:d unit_cost:m currency:s",
}


def _schema(columns: str) -> pa.Schema:
    fields = [column.split(":") for column in columns.split()]
    return pa.schema([(name, _TYPES[code]) for name, code in fields] + [("_visible_from", TIME)])


SCHEMAS: dict[str, pa.Schema] = {
    f"{folder}/{name}": _schema(columns)
    for folder, tables in (("salesforce", _SALESFORCE), ("telephony", _TELEPHONY), ("mail", _MAIL), ("feeds", _FEEDS))
    for name, columns in tables.items()
}
"""Schema by file, e.g. `salesforce/Lead`, `telephony/call`, `feeds/quotas`."""
