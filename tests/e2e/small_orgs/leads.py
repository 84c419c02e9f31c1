"""Leads, accounts and campaigns."""

from __future__ import annotations

from decimal import Decimal

from tests.e2e.small_orgs.asking import Case, Check, rep_month
from tests.support.small_org import SmallOrg


def a_person_account_is_one_entry(org: SmallOrg) -> list[Check]:
    rep, at = org.user("Paula Private"), "2026-05-05T15:00:00.000Z"
    given = {"OwnerId": rep, "CreatedById": rep, "IsPersonAccount": True, "IsDeleted": False}
    contact = org.add("Contact", at, **given)
    account = org.add("Account", at, PersonContactId=contact, **given)
    org.meeting(rep, "2026-05-12", WhatId=account)
    return [(rep_month("prospect_data_entries", rep, "2026-05"), 1), (rep_month("meetings_held", rep, "2026-05"), 1)]


def a_lead_is_qualified_for_its_owner_at_the_time(org: SmallOrg) -> list[Check]:
    first, second = org.user("Quinn Qualified"), org.user("Otis Owner")
    given = {"CreatedById": first, "OwnerId": second, "Status": "Qualified", "IsConverted": False, "IsDeleted": False}
    lead = org.add("Lead", "2026-05-02T15:00:00.000Z", **given)
    for at, field, old, new in (
        ("2026-05-10T15:00:00.000Z", "Status", "Working", "Qualified"),
        ("2026-06-10T15:00:00.000Z", "Owner", first, second),
    ):
        org.add(
            "LeadHistory", at, LeadId=lead, Field=field, OldValue=old, NewValue=new, CreatedById=first, IsDeleted=False
        )
    return [(rep_month("leads_qualified", first, "2026-05"), 1), (rep_month("leads_qualified", second, "2026-05"), 0)]


def the_amount_of_a_deal_of_two_leads_counts_once(org: SmallOrg) -> list[Check]:
    rep = org.user("Tom Two")
    deal = org.deal(
        rep,
        "10000.00",
        "2026-06-15",
        ("2026-05-20T15:00:00.000Z", "Discovery"),
        ("2026-06-15T15:00:00.000Z", "Closed Won"),
    )
    for day in ("01", "02"):
        given = {"OwnerId": rep, "CreatedById": rep, "LeadSource": "A fair", "Status": "Converted", "IsConverted": True}
        converted = {"ConvertedDate": "2026-05-20", "ConvertedOpportunityId": deal, "IsDeleted": False}
        org.add("Lead", f"2026-05-{day}T15:00:00.000Z", **given, **converted)
    cohort = "from marts.kpi_lead_cohort where lead_source = 'A fair'"
    return [(f"select sum(won_amount) {cohort}", Decimal(10000)), (f"select sum(leads_won) {cohort}", 2)]


def a_campaign_costs_what_the_crm_says_where_no_feed_does(org: SmallOrg) -> list[Check]:
    rep, at = org.user("Cora Campaign"), "2026-03-01T15:00:00.000Z"
    given = {"StartDate": "2026-03-02", "EndDate": "2026-03-03", "IsActive": True, "IsDeleted": False}
    paid = org.add("Campaign", at, Name="Spring fair", ActualCost="5000.00", **given)
    unknown = org.add("Campaign", at, Name="Word of mouth", **given)
    for campaign in (paid, unknown):
        steps = ("2026-03-05T15:00:00.000Z", "Discovery"), ("2026-06-15T15:00:00.000Z", "Closed Won")
        org.deal(rep, "20000.00", "2026-06-15", *steps, CampaignId=campaign)
    row = "from marts.kpi_campaign where campaign_id"
    return [
        (f"select cost_amount {row} = '{paid}'", Decimal(5000)),
        (f"select cost_source {row} = '{paid}'", "crm"),
        (f"select return_ratio {row} = '{paid}'", 3.0),
        (f"select cost_amount {row} = '{unknown}'", None),
    ]


CASES: tuple[Case, ...] = (
    a_person_account_is_one_entry,
    a_lead_is_qualified_for_its_owner_at_the_time,
    the_amount_of_a_deal_of_two_leads_counts_once,
    a_campaign_costs_what_the_crm_says_where_no_feed_does,
)
