"""Lead, LeadHistory, CampaignMember, Account, Contact and their histories."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulation.company.business_time import Ints
from simulation.company.records.columns import constant, dates, flags, joined, money, text_of, times, words
from simulation.company.records.directory_text import DirectoryText
from simulation.company.records.history import TrackedField, audit_columns, field_history, user_ids
from simulation.company.records.ids import salesforce_ids
from simulation.company.records.writer import RecordWriter
from simulation.company.region import Region
from simulation.company.steps import NEVER
from simulation.company.vocabulary import (
    CONVERTED,
    COUNTRIES,
    COUNTRY_CURRENCY,
    CURRENCIES,
    DISQUALIFIED_REASONS,
    INDUSTRIES,
    LEAD_STATUSES,
    PROCESSES,
    RATINGS,
    SEGMENTS,
    SOURCES,
    TITLES,
)  # fmt: skip


def deal_of_lead(region: Region) -> Ints:
    """Deal number by lead number (-1: none)."""
    result = np.full(len(region.leads), -1)
    rows = np.flatnonzero(region.deals.lead >= 0)
    result[region.deals.lead[rows]] = rows
    return result


def write_leads(region: Region, text: DirectoryText, writer: RecordWriter) -> None:
    """Write every version of every lead, and its history."""
    leads, steps, base = region.leads, region.lead_lives.steps, region.first_serial
    entity, state = steps.entity, steps.state
    code = region.directory.persons + entity
    is_converted = state["is_converted"] == 1
    converted_day = region.calendar.day(np.where(is_converted, region.lead_lives.converted[entity], 0))
    first, last = text.first_name.take(pa.array(code)), text.last_name.take(pa.array(code))
    email = text.email.take(pa.array(code))
    shouted = pa.array(leads.identity[entity] % 9 == 4)
    status = words(LEAD_STATUSES, state["status"])
    owner = user_ids(region, state["owner"])
    columns = audit_columns("Lead", region, steps, base + entity) | {
        "MasterRecordId": salesforce_ids(
            "Lead", np.where(state["is_merged"] == 1, base + region.lead_lives.master[entity], -1)
        ),
        "FirstName": first,
        "LastName": last,
        "Name": joined(first, " ", last),
        "Company": text.company.take(pa.array(entity)),
        "Email": pc.if_else(shouted, pc.utf8_capitalize(email), email),
        "Phone": text.written_phone.take(pa.array(code)),
        "Title": words(TITLES, leads.title[entity]),
        "Industry": words(INDUSTRIES, state["industry"]),
        "NumberOfEmployees": pa.array(state["employees"]),
        "Country": words(COUNTRIES, leads.country[entity]),
        "LeadSource": words(SOURCES, leads.source[entity]),
        "Status": status,
        "Rating": words(RATINGS, leads.rating[entity]),
        "OwnerId": owner,
        "IsConverted": flags(is_converted),
        "ConvertedDate": dates(converted_day, ~is_converted),
        "ConvertedAccountId": salesforce_ids("Account", np.where(is_converted, base + entity, -1)),
        "ConvertedContactId": salesforce_ids("Contact", np.where(is_converted, base + 2 * entity, -1)),
        "ConvertedOpportunityId": salesforce_ids(
            "Opportunity", np.where(is_converted, base + deal_of_lead(region)[entity], -1)
        ),
        "Process__c": words(PROCESSES, leads.process[entity]),
        "Segment__c": words(SEGMENTS, leads.segment[entity]),
        "Campaign__c": salesforce_ids("Campaign", leads.campaign[entity]),
        "Web_Visits__c": pa.array(leads.web_visits[entity]),
        "Disqualified_Reason__c": words(DISQUALIFIED_REASONS, state["reason"]),
    }
    writer.write("salesforce/Lead", columns)
    tracked = {
        "Owner": TrackedField(steps.changed["owner"], owner, "EntityId"),
        "Status": TrackedField(steps.changed["status"], status, "DynamicEnum"),
        "Industry": TrackedField(steps.changed["industry"], words(INDUSTRIES, state["industry"]), "DynamicEnum"),
        "NumberOfEmployees": TrackedField(steps.changed["employees"], text_of(state["employees"]), "Integer"),
    }
    converted_now = steps.changed["status"] & (state["status"] == CONVERTED)
    writer.write(
        "salesforce/LeadHistory",
        field_history("LeadHistory", "LeadId", columns["Id"], region, steps, tracked, converted_now),
    )
    _write_campaign_members(region, writer)


def _write_campaign_members(region: Region, writer: RecordWriter) -> None:
    leads, calendar = region.leads, region.calendar
    exists = region.lead_lives.steps.first_at(len(leads)) < NEVER
    rows = np.flatnonzero((leads.campaign >= 0) & exists)
    created = leads.created_at[rows] + 2
    user = user_ids(region, leads.creator[rows])
    responded = leads.process[rows] == 1
    writer.write(
        "salesforce/CampaignMember",
        {
            "Id": salesforce_ids("CampaignMember", region.first_serial + rows),
            "IsDeleted": constant(False, len(rows)),
            "CreatedDate": times(created),
            "CreatedById": user,
            "LastModifiedDate": times(created),
            "LastModifiedById": user,
            "SystemModstamp": times(created),
            "CampaignId": salesforce_ids("Campaign", leads.campaign[rows]),
            "LeadId": salesforce_ids("Lead", region.first_serial + rows),
            "Status": words(["Sent", "Responded"], responded.astype(np.int64)),
            "HasResponded": flags(responded),
            "FirstRespondedDate": dates(calendar.day(created), ~responded),
            "_visible_from": times(created),
        },
    )


def write_customers(region: Region, text: DirectoryText, writer: RecordWriter) -> None:
    """Write every version of every account and contact, and their histories."""
    _write_accounts(region, text, writer)
    _write_contacts(region, text, writer)


def _write_accounts(region: Region, text: DirectoryText, writer: RecordWriter) -> None:
    leads, customers, base = region.leads, region.customers, region.first_serial
    steps = customers.accounts
    state = steps.state
    master, parent = customers.account_master[steps.entity], customers.parent[steps.entity]
    lead = np.where(master >= 0, master, steps.entity)
    owner, industry = user_ids(region, state["owner"]), words(INDUSTRIES, state["industry"])
    columns = audit_columns("Account", region, steps, base + steps.entity) | {
        "MasterRecordId": salesforce_ids(
            "Account", np.where((state["is_deleted"] == 1) & (master >= 0), base + master, -1)
        ),
        "Name": pc.if_else(
            pa.array(master >= 0), joined(text.company.take(pa.array(lead)), " Inc."), text.company.take(pa.array(lead))
        ),
        "Industry": industry,
        "NumberOfEmployees": pa.array(state["employees"]),
        "AnnualRevenue": money(state["employees"] * 14_000_000 + lead % 97 * 100_000),
        "BillingCountry": words(COUNTRIES, leads.country[lead]),
        "Phone": text.written_phone.take(pa.array(region.directory.persons + lead)),
        "OwnerId": owner,
        "ParentId": salesforce_ids("Account", np.where(parent >= 0, base + parent, -1)),
        "CurrencyIsoCode": words(CURRENCIES, np.array(COUNTRY_CURRENCY)[leads.country[lead]]),
        "Type": words(["Prospect", "Customer"], state["is_customer"]),
    }
    writer.write("salesforce/Account", columns)
    tracked = {
        "Owner": TrackedField(steps.changed["owner"], owner, "EntityId"),
        "Industry": TrackedField(steps.changed["industry"], industry, "DynamicEnum"),
        "NumberOfEmployees": TrackedField(steps.changed["employees"], text_of(state["employees"]), "Integer"),
    }
    writer.write(
        "salesforce/AccountHistory", field_history("AccountHistory", "AccountId", columns["Id"], region, steps, tracked)
    )


def _write_contacts(region: Region, text: DirectoryText, writer: RecordWriter) -> None:
    leads, customers, base = region.leads, region.customers, region.first_serial
    steps = customers.contacts
    state, count = steps.state, len(leads)
    master = customers.contact_master[steps.entity]
    twin = steps.entity - 2 * count  # duplicate accounts are numbered after all leads, ordered by their contacts
    original = np.where(master >= 0, master, steps.entity)
    lead = original // 2
    code = region.directory.persons + lead + np.where(original % 2 == 1, count, 0)
    first, last = text.first_name.take(pa.array(code)), text.last_name.take(pa.array(code))
    owner, title = user_ids(region, state["owner"]), words(TITLES, state["title"])
    columns = audit_columns("Contact", region, steps, base + steps.entity) | {
        "MasterRecordId": salesforce_ids(
            "Contact", np.where((state["is_deleted"] == 1) & (master >= 0), base + master, -1)
        ),
        "AccountId": salesforce_ids("Account", base + np.where(master >= 0, count + twin, lead)),
        "FirstName": first,
        "LastName": last,
        "Name": joined(first, " ", last),
        "Email": text.email.take(pa.array(code)),
        "Phone": text.written_phone.take(pa.array(code)),
        "Title": title,
        "OwnerId": owner,
        "LeadSource": words(SOURCES, np.where(original % 2 == 0, leads.source[lead], -1)),
    }
    writer.write("salesforce/Contact", columns)
    tracked = {
        "Owner": TrackedField(steps.changed["owner"], owner, "EntityId"),
        "Title": TrackedField(steps.changed["title"], title, "Text"),
    }
    writer.write(
        "salesforce/ContactHistory", field_history("ContactHistory", "ContactId", columns["Id"], region, steps, tracked)
    )
