"""Figures that people get wrong, as small organisations: each was asked about in public, and its right value worked out by hand.

All cases share one org, and those with a personnel feed a second: beside a feed, other users are no sales people.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from storage.home import Home
from tests.conftest import locked
from tests.support.small_org import SmallOrg
from warehouse.dbt_build import build

pytestmark = pytest.mark.e2e

# What is asked, in SQL over the marts, and what is right.
Check = tuple[str, object]
Case = Callable[[SmallOrg], list[Check]]
BUILD = ["build", "--exclude", "tag:after_models+", "--exclude-resource-type", "unit_test"]


def rep_month(figure: str, rep: str, month: str) -> str:
    where = f"rep_id = '{rep}' and period_grain = 'month' and period_start = date '{month}-01'"
    return f"select coalesce(sum({figure}), 0) from marts.kpi_rep_period where {where}"


def a_deal_counts_on_its_close_date(org: SmallOrg) -> list[Check]:
    rep = org.user("Backdate")
    org.deal(
        rep,
        "6000.00",
        "2026-04-30",
        ("2026-03-02T15:00:00.000Z", "Negotiation"),
        ("2026-05-03T15:00:00.000Z", "Closed Won"),
    )
    # Marked in the evening of 31 August in New York: the CRM dates it by the day in UTC.
    org.deal(
        rep,
        "70.00",
        "2026-09-01",
        ("2026-08-02T15:00:00.000Z", "Negotiation"),
        ("2026-09-01T02:00:00.000Z", "Closed Won"),
    )
    # Nobody has closed a deal next year: it counts on the day it was marked.
    org.deal(
        rep,
        "800.00",
        "2027-10-01",
        ("2026-09-02T15:00:00.000Z", "Negotiation"),
        ("2026-10-06T15:00:00.000Z", "Closed Won"),
    )
    return [
        (rep_month("bookings", rep, "2026-04"), Decimal(6000)),
        (rep_month("bookings", rep, "2026-05"), 0),
        (rep_month("bookings", rep, "2026-08"), Decimal(70)),
        (rep_month("bookings", rep, "2026-10"), Decimal(800)),
        (f"select max(days_marked_late) from marts.fct_opportunities where rep_id = '{rep}'", 3),
    ]


def a_long_backdated_deal_is_kept_and_named(org: SmallOrg) -> list[Check]:
    rep = org.user("Long Ago")
    deal = org.deal(
        rep,
        "50.00",
        "2026-01-15",
        ("2026-01-02T15:00:00.000Z", "Discovery"),
        ("2026-06-03T15:00:00.000Z", "Closed Won"),
    )
    return [
        (rep_month("bookings", rep, "2026-01"), Decimal(50)),
        (f"select rule from marts.data_errors where record_id = '{deal}'", "closed_long_before_it_was_marked"),
    ]


def a_loaded_history_moves_no_booking(org: SmallOrg) -> list[Check]:
    rep, loaded = org.user("Mia Moved"), "2026-09-15T14:00:00.000Z"
    first = org.deal(rep, "1000.00", "2024-05-10", (loaded, "Closed Won"), created="2024-04-01T14:00:00.000Z")
    org.deal(rep, "2000.00", "2025-03-20", (loaded, "Closed Won"))
    return [
        (rep_month("bookings", rep, "2024-05"), Decimal(1000)),
        (rep_month("bookings", rep, "2025-03"), Decimal(2000)),
        (rep_month("bookings", rep, "2026-09"), 0),
        (f"select days_opportunity_to_close from marts.fct_opportunities where opportunity_id = '{first}'", 39),
        (f"select count(*) from marts.fct_pipeline_daily where opportunity_id = '{first}'", 39),
        (f"select count(*) from marts.data_errors where record_id = '{first}'", 0),
    ]


def a_deal_without_history_is_in_the_pipeline(org: SmallOrg) -> list[Check]:
    rep = org.user("Hugo Still")
    still = org.deal(rep, "4000.00", "2026-12-20", ("2026-06-01T15:00:00.000Z", "Discovery"))
    org.records["OpportunityHistory"] = [
        row for row in org.records["OpportunityHistory"] if row["OpportunityId"] != still
    ]
    org.deal(
        rep, "900.00", "2026-12-20", ("2026-06-01T15:00:00.000Z", "Discovery"), ("2026-07-01T15:00:00.000Z", "Proposal")
    )
    # Deleted since: it was in the pipeline, and counts in no figure.
    org.deal(
        rep,
        "7.00",
        "2026-12-20",
        ("2026-06-01T15:00:00.000Z", "Discovery"),
        IsDeleted=True,
        LastModifiedDate="2026-10-05T15:00:00.000Z",
    )
    day = f"from marts.fct_pipeline_daily where rep_id = '{rep}' and date_day = date '2026-09-30' and is_counted"
    quarter = f"rep_id = '{rep}' and period_grain = 'quarter' and period_start = date '2026-05-01'"
    return [
        (f"select sum(amount_reporting) {day}", Decimal(4900)),
        (f"select open_deals_at_end from marts.kpi_rep_period where {quarter}", 2),
        (rep_month("open_pipeline", rep, "2026-12"), Decimal(4900)),
    ]


def a_deal_parked_in_2099_is_in_the_pipeline(org: SmallOrg) -> list[Check]:
    rep = org.user("Pam Parked")
    org.deal(rep, "7000.00", "2099-12-31", ("2026-05-10T15:00:00.000Z", "Discovery"))
    org.deal(rep, "500.00", "2026-12-15", ("2026-05-10T15:00:00.000Z", "Discovery"))
    years = f"from marts.kpi_rep_period where rep_id = '{rep}' and period_grain = 'year'"
    return [(f"select sum(open_pipeline) {years}", Decimal(7500)), (f"select sum(open_deals) {years}", 2)]


def deals_that_slip_in_silence_are_counted(org: SmallOrg) -> list[Check]:
    rep, busy = org.user("Sid Slip"), org.user("Bea Busy")
    for _ in range(2):
        steps = (
            ("2026-06-10T15:00:00.000Z", "Discovery", "1000.00", "2026-08-20"),
            ("2026-09-10T15:00:00.000Z", "Discovery"),
        )
        org.deal(rep, "1000.00", "2026-12-15", *steps)
    # Lost in the period and taken up again later: it did close.
    org.deal(
        busy,
        "10.00",
        "2026-12-15",
        ("2026-06-10T15:00:00.000Z", "Discovery", "10.00", "2026-08-20"),
        ("2026-08-10T15:00:00.000Z", "Closed Lost", "10.00", "2026-08-20"),
        ("2026-10-10T15:00:00.000Z", "Discovery"),
    )
    august = "and period_grain = 'month' and period_start = date '2026-08-01'"
    return [
        (rep_month("slippage_rate_numerator", rep, "2026-08"), 2),
        (f"select slippage_rate from marts.kpi_rep_period where rep_id = '{rep}' {august}", 1.0),
        (rep_month("open_deals_at_end", rep, "2026-08"), 2),
        (f"select slippage_rate from marts.kpi_rep_period where rep_id = '{busy}' {august}", 0.0),
    ]


def a_downsell_has_no_share_by_amount(org: SmallOrg) -> list[Check]:
    rep = org.user("Dora Downsell")
    org.deal(
        rep,
        "-5000.00",
        "2026-06-10",
        ("2026-05-10T15:00:00.000Z", "Negotiation"),
        ("2026-06-10T15:00:00.000Z", "Closed Won"),
    )
    org.deal(
        rep,
        "3000.00",
        "2026-06-11",
        ("2026-05-10T15:00:00.000Z", "Proposal"),
        ("2026-06-11T15:00:00.000Z", "Closed Lost"),
    )
    june = f"from marts.kpi_rep_period where rep_id = '{rep}' and period_grain = 'month' and period_start = date '2026-06-01'"
    return [
        (f"select bookings {june}", Decimal(-5000)),
        (f"select win_rate_count_closed {june}", 0.5),
        (f"select win_rate_amount_closed {june}", None),
    ]


def a_series_is_its_occurrences(org: SmallOrg) -> list[Check]:
    rep = org.user("Rita Series")
    client = org.add("Contact", "2025-11-03T15:00:00.000Z", OwnerId=rep, CreatedById=rep, IsDeleted=False)
    master = org.meeting(rep, "2026-03-03", 30, WhoId=client, IsRecurrence=True)
    for day in ("03", "10", "17", "24"):
        org.meeting(rep, f"2026-03-{day}", 30, WhoId=client, RecurrenceActivityId=master)
    org.meeting(
        rep,
        "2026-04-07",
        WhoId=client,
        IsRecurrence2=True,
        GroupEventType="3",
        Recurrence2PatternText="RRULE:FREQ=WEEKLY",
    )
    for day in ("07", "14", "21"):
        org.meeting(rep, f"2026-04-{day}", WhoId=client, IsRecurrence2=False)
    return [
        (rep_month("meetings_held", rep, "2026-03"), 4),
        (rep_month("meeting_minutes", rep, "2026-03"), 120),
        (rep_month("meetings_held", rep, "2026-04"), 3),
        (rep_month("meeting_minutes", rep, "2026-04"), 180),
    ]


def a_meeting_of_two_colleagues_is_one(org: SmallOrg) -> list[Check]:
    host, guest, absent = org.user("Hanna Host"), org.user("Gil Guest"), org.user("Dan Declined")
    client = org.add("Contact", "2025-11-03T15:00:00.000Z", OwnerId=host, CreatedById=host, IsDeleted=False)
    held = org.meeting(host, "2026-06-12", WhoId=client, IsGroupEvent=True, GroupEventType="1")
    org.meeting(guest, "2026-06-12", WhoId=client, IsGroupEvent=True, IsChild=True)
    for person, answer in ((client, "Accepted"), (guest, "Accepted"), (absent, "Declined")):
        given = {"EventId": held, "RelationId": person, "IsWhat": False, "Status": answer, "IsDeleted": False}
        org.add("EventRelation", "2026-06-02T15:00:00.000Z", **given)
    return [
        (rep_month("meetings_held", host, "2026-06"), 1),
        (rep_month("meetings_held", guest, "2026-06"), 0),
        (rep_month("meetings_attended", host, "2026-06"), 1),
        (rep_month("meetings_attended", guest, "2026-06"), 1),
        (rep_month("meetings_attended", absent, "2026-06"), 0),
    ]


def whoever_is_invited_is_there(org: SmallOrg) -> list[Check]:
    rep, colleague = org.user("Ines Invite"), org.user("Otto Inside")
    client = org.add("Contact", "2025-11-03T15:00:00.000Z", OwnerId=rep, CreatedById=rep, IsDeleted=False)
    for day, person in (("12", client), ("13", colleague)):
        meeting = org.meeting(rep, f"2026-05-{day}", IsGroupEvent=True)
        org.add(
            "EventRelation",
            "2026-05-02T15:00:00.000Z",
            EventId=meeting,
            RelationId=person,
            IsWhat=False,
            IsDeleted=False,
        )
    return [(rep_month("meetings_held", rep, "2026-05"), 1)]


def a_person_account_is_one_entry(org: SmallOrg) -> list[Check]:
    rep, at = org.user("Paula Private"), "2026-05-05T15:00:00.000Z"
    given = {"OwnerId": rep, "CreatedById": rep, "IsPersonAccount": True, "IsDeleted": False}
    contact = org.add("Contact", at, **given)
    account = org.add("Account", at, PersonContactId=contact, **given)
    org.meeting(rep, "2026-05-12", WhatId=account)
    return [(rep_month("prospect_data_entries", rep, "2026-05"), 1), (rep_month("meetings_held", rep, "2026-05"), 1)]


def a_logged_call_is_a_call_and_one_known_twice_counts_once(org: SmallOrg) -> list[Check]:
    rep = org.user("Lily Logger", Phone="+1 212 555 0177")
    client = org.add(
        "Contact", "2025-11-03T15:00:00.000Z", OwnerId=rep, CreatedById=rep, Phone="+49 (0) 30 1234567", IsDeleted=False
    )

    def log(at: str, kind: str | None, **fields: object) -> None:
        given = {
            "Subject": "Call",
            "Status": "Done",
            "IsClosed": True,
            "OwnerId": rep,
            "CreatedById": rep,
            "WhoId": client,
        }
        calling = {"TaskSubtype": "Call", "CallType": kind, "CallDurationInSeconds": 300, "CompletedDateTime": at}
        org.add("Task", at, IsDeleted=False, **{**given, **calling, **fields})

    for day, kind in (("11", "Outbound"), ("12", "Outbound"), ("13", "Inbound")):
        log(f"2026-05-{day}T15:00:00.000Z", kind)
    log("2026-05-14T15:00:00.000Z", "Outbound", IsClosed=False)
    # Telephony knows this one, too: 200 seconds, logged four minutes later as 300.
    org.call("+12125550177", "+49301234567", "2026-07-14", 200)
    log("2026-07-14T15:04:00.000Z", None)
    return [
        (rep_month("calls_placed", rep, "2026-05"), 2),
        (rep_month("phone_seconds", rep, "2026-05"), 900),
        (rep_month("calls_placed", rep, "2026-07"), 1),
        (rep_month("phone_seconds", rep, "2026-07"), 200),
        (
            f"select distinct contact_id from marts.fct_activities where rep_id = '{rep}' and source = 'telephony'",
            client,
        ),
    ]


def a_number_is_of_whoever_has_it_now(org: SmallOrg) -> list[Check]:
    leaver = org.user("Leo Left", Phone="+1 212 555 0111", IsActive=False)
    heir = org.user("Nora Next", "2026-06-01T12:00:00.000Z", Phone="+1 212 555 0111")
    first, second = (org.user(name, Phone="(212) 555-0199") for name in ("Dan Desk", "Eva Desk"))
    org.call("+12125550111", "+16465550101", "2026-05-11")
    org.call("+12125550111", "+16465550101", "2026-08-11")
    org.call("+12125550199", "+16465550101", "2026-08-12")
    return [
        (rep_month("calls_placed", leaver, "2026-05"), 1),
        (rep_month("calls_placed", heir, "2026-08"), 1),
        (rep_month("calls_placed", leaver, "2026-08"), 0),
        (rep_month("calls_placed", first, "2026-08"), 0),
        (rep_month("calls_placed", second, "2026-08"), 0),
    ]


def a_machine_is_nobody(org: SmallOrg) -> list[Check]:
    rep = org.user("Max Machine", Phone="+1 212 555 0144")
    for day, taken_by in (("11", "human"), ("12", "machine_end_beep"), ("13", None)):
        org.call("+12125550144", "+16465550301", f"2026-08-{day}", answered_by=taken_by)
    return [(rep_month("calls_placed", rep, "2026-08"), 3), (rep_month("calls_connected", rep, "2026-08"), 2)]


def a_lead_is_qualified_by_whoever_owned_it_then(org: SmallOrg) -> list[Check]:
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


def an_overlay_takes_nothing_from_the_owner(org: SmallOrg) -> list[Check]:
    owner, engineer, partner = (org.user(name) for name in ("Oda Owner", "Sven Engineer", "Sara Partner"))
    kinds = [
        org.add(
            "OpportunitySplitType",
            "2019-01-01T12:00:00.000Z",
            DeveloperName=name,
            SplitField="Amount",
            IsTotalValidated=is_whole,
        )
        for name, is_whole in (("Revenue", True), ("Overlay", False))
    ]
    deal = org.deal(
        owner,
        "10000.00",
        "2026-06-10",
        ("2026-05-10T15:00:00.000Z", "Discovery"),
        ("2026-06-10T15:00:00.000Z", "Closed Won"),
    )
    for person, percent, kind in ((owner, 100, kinds[0]), (engineer, 50, kinds[1]), (partner, 30, kinds[1])):
        given = {"OpportunityId": deal, "SplitOwnerId": person, "SplitPercentage": percent, "SplitTypeId": kind}
        org.add("OpportunitySplit", "2026-05-10T16:00:00.000Z", IsDeleted=False, **given)
    credits = f"from marts.fct_opportunity_credits where opportunity_id = '{deal}'"
    return [
        (f"select string_agg(rep_id, ' ') {credits} and is_sharing", owner),
        (f"select count(*) {credits} and not is_sharing", 2),
        (rep_month("credited_amount", owner, "2026-06"), Decimal(10000)),
        (rep_month("credited_amount", engineer, "2026-06"), 0),
    ]


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


def a_former_lead_sells(org: SmallOrg) -> list[Check]:
    former, leading = org.user("Fred Former"), org.user("Lena Leading")
    org.user("Gone Longago", IsActive=False, ManagerId=former)
    junior = org.user("Jo Junior", ManagerId=leading)
    for owner in (former, junior):
        steps = ("2026-09-05T15:00:00.000Z", "Discovery"), ("2026-10-15T15:00:00.000Z", "Closed Won")
        org.deal(owner, "9000.00", "2026-10-15", *steps)
    role = "select role from marts.dim_reps where rep_id ="
    return [
        (f"{role} '{former}'", "rep"),
        (f"{role} '{leading}'", "sales_manager"),
        (f"select is_rep from marts.dim_reps where rep_id = '{org.user('Ann Admin')}'", False),
    ]


def a_field_of_another_type_reads_as_unknown(org: SmallOrg) -> list[Check]:
    rep = org.user("Custer Field")
    given = {"OwnerId": rep, "CreatedById": rep, "Status": "New", "IsConverted": False, "IsDeleted": False}
    lead = org.add("Lead", "2026-05-02T15:00:00.000Z", Web_Visits__c="6 to 20", Campaign__c="Spring webinar", **given)
    deal = org.deal(
        rep, "1000.00", "2026-06-10", ("2026-06-10T15:00:00.000Z", "Closed Won"), Discount_Percent__c="10 %"
    )
    errors = "select string_agg(rule, ' ' order by rule) from marts.data_errors where record_id ="
    return [
        (rep_month("leads_generated", rep, "2026-05"), 1),
        (f"{errors} '{lead}'", "campaign_is_unknown field_does_not_fit"),
        (f"{errors} '{deal}'", "field_does_not_fit"),
        (f"select campaign_id from marts.fct_leads where lead_id = '{lead}'", None),
    ]


def territories_of_a_planned_model_do_not_count(org: SmallOrg) -> list[Check]:
    rep, torn, at = org.user("Tess Territory"), org.user("Toni Torn"), "2026-01-01T12:00:00.000Z"
    models = [org.add("Territory2Model", at, Name=state, State=state) for state in ("Active", "Planning")]
    west, planned = (org.add("Territory2", at, Name="West", Territory2ModelId=model) for model in models)
    south = org.add("Territory2", at, Name="South", Territory2ModelId=models[0])
    for person, territory in ((rep, west), (rep, planned), (torn, west), (torn, south)):
        org.add("UserTerritory2Association", at, UserId=person, Territory2Id=territory, IsActive=True)
    where = "select territory_id from marts.dim_reps where rep_id ="
    return [(f"{where} '{rep}'", west), (f"{where} '{torn}'", "unassigned")]


def whoever_came_back_is_there(org: SmallOrg) -> list[Check]:
    back, stayed, team = (
        org.user("Rena Hired", EmployeeNumber="E1"),
        org.user("Stan Stayed", EmployeeNumber="E2"),
        "Rehired",
    )
    org.employed("E1", "Rena Hired", team, "2024-02-01", "2024-02-01")
    org.employed("E1", "Rena Hired", team, "2025-03-31", "2024-02-01", left="2025-03-31")
    org.employed("E1", "Rena Hired", team, "2026-05-01", "2026-05-01")
    org.employed("E2", "Stan Stayed", team, "2024-02-01", "2024-02-01")
    for owner, amount, month in (
        (back, "30000.00", "2026-09"),
        (stayed, "10000.00", "2026-09"),
        (stayed, "5000.00", "2025-09"),
    ):
        org.deal(
            owner,
            amount,
            f"{month}-10",
            (f"{month}-05T15:00:00.000Z", "Discovery"),
            (f"{month}-10T15:00:00.000Z", "Closed Won"),
        )
    quarter = (
        f"from marts.kpi_team_period where team_id = '{team}' and period_grain = 'quarter' and period_start = date"
    )
    return [
        (f"select is_active from marts.dim_reps where rep_id = '{back}'", True),
        (f"select left_date from marts.dim_reps where rep_id = '{back}'", None),
        (f"select average_quarterly_revenue_per_rep {quarter} '2026-08-01'", 20000.0),
        (f"select average_quarterly_revenue_per_rep_denominator {quarter} '2025-08-01'", 1),
        (rep_month("available_minutes", back, "2026-09"), 21 * 480),
    ]


def two_user_records_are_one_person(org: SmallOrg) -> list[Check]:
    first = org.user("Una Twice", EmployeeNumber="E3", Phone="+1 212 555 0120", IsActive=False)
    second = org.user("Una Twice", "2026-05-01T12:00:00.000Z", EmployeeNumber="E3", Phone="+1 212 555 0120")
    org.employed("E3", "Una Twice", "Twice", "2019-02-01", "2019-02-01")
    for user, amount, month in ((first, "12000.00", "2025-09"), (second, "3000.00", "2026-09")):
        org.deal(
            user,
            amount,
            f"{month}-10",
            (f"{month}-05T15:00:00.000Z", "Discovery"),
            (f"{month}-10T15:00:00.000Z", "Closed Won"),
        )
    org.call("+12125550120", "+16465550201", "2026-09-11")
    return [
        (
            f"select sum(bookings) from marts.kpi_rep_period where rep_id = '{first}' and period_grain = 'year'",
            Decimal(15000),
        ),
        (f"select count(*) from marts.dim_reps where rep_id = '{second}'", 0),
        (rep_month("calls_placed", first, "2026-09"), 1),
    ]


def a_new_personnel_number_is_the_same_person(org: SmallOrg) -> list[Check]:
    rep, team = org.user("Nina Newnumber"), "Renumbered"
    org.employed("E4", "Nina Newnumber", team, "2024-02-01", "2024-02-01")
    org.employed("E4", "Nina Newnumber", team, "2025-03-31", "2024-02-01", left="2025-03-31")
    org.employed("E5", "Nina Newnumber", team, "2026-05-01", "2026-05-01")
    org.deal(
        rep,
        "3000.00",
        "2026-09-10",
        ("2026-08-05T15:00:00.000Z", "Discovery"),
        ("2026-09-10T15:00:00.000Z", "Closed Won"),
    )
    return [
        (f"select count(*) from marts.dim_reps where rep_name = 'Nina Newnumber' and rep_id = '{rep}'", 1),
        (
            f"select sum(bookings) from marts.kpi_team_period where team_id = '{team}' and period_grain = 'month'",
            Decimal(3000),
        ),
    ]


def a_quota_of_a_late_starter_is_prorated(org: SmallOrg) -> list[Check]:
    rep = org.user("Lara Late", EmployeeNumber="E6")
    org.employed("E6", "Lara Late", "Late", "2026-09-16", "2026-09-16")
    org.row("quotas", employee_id="E6", period_start="2026-09-01", quota_amount="10000", currency="USD")
    # September 2026 has 21 business days in New York (Labor Day out), 11 of them from the 16th on.
    return [(rep_month("quota_amount", rep, "2026-09"), Decimal("5238.10"))]


CRM = (
    a_deal_counts_on_its_close_date,
    a_long_backdated_deal_is_kept_and_named,
    a_loaded_history_moves_no_booking,
    a_deal_without_history_is_in_the_pipeline,
    a_deal_parked_in_2099_is_in_the_pipeline,
    deals_that_slip_in_silence_are_counted,
    a_downsell_has_no_share_by_amount,
    a_series_is_its_occurrences,
    a_meeting_of_two_colleagues_is_one,
    whoever_is_invited_is_there,
    a_person_account_is_one_entry,
    a_logged_call_is_a_call_and_one_known_twice_counts_once,
    a_number_is_of_whoever_has_it_now,
    a_machine_is_nobody,
    a_lead_is_qualified_by_whoever_owned_it_then,
    an_overlay_takes_nothing_from_the_owner,
    the_amount_of_a_deal_of_two_leads_counts_once,
    a_campaign_costs_what_the_crm_says_where_no_feed_does,
    a_former_lead_sells,
    a_field_of_another_type_reads_as_unknown,
    territories_of_a_planned_model_do_not_count,
)
STAFFED = (
    whoever_came_back_is_there,
    two_user_records_are_one_person,
    a_new_personnel_number_is_the_same_person,
    a_quota_of_a_late_starter_is_prorated,
)


@pytest.fixture(scope="session")
def answers(
    shared_folder: Path, parsed_dbt: Path
) -> Callable[[str, tuple[Case, ...]], dict[str, list[tuple[str, object, object]]]]:
    """What an org's warehouse answers, case by case; each org is built once for all workers."""

    def ask(name: str, cases: tuple[Case, ...]) -> dict[str, list[tuple[str, object, object]]]:
        org, home = SmallOrg(), Home(shared_folder / f"small_org_{name}")
        checks = {case.__name__: case(org) for case in cases}
        with locked(shared_folder / f"small_org_{name}.lock"):
            if not (home.root / "built").exists():
                home.root.mkdir(parents=True, exist_ok=True)
                shutil.copytree(parsed_dbt, home.dbt, dirs_exist_ok=True)
                org.land(home)
                for _ in build(home, BUILD):
                    pass
                (home.root / "built").touch()
        with duckdb.connect(str(home.warehouse), read_only=True) as opened:
            return {
                case: [(sql, _one(opened.execute(sql).fetchall()), right) for sql, right in asked]
                for case, asked in checks.items()
            }

    return ask


def _one(rows: list[tuple[object, ...]]) -> object:
    return rows[0][0] if len(rows) == 1 and len(rows[0]) == 1 else rows


@pytest.mark.parametrize(("name", "cases"), [("crm", CRM), ("staffed", STAFFED)])
def test_every_figure_of_a_small_org_is_right(
    answers: Callable[[str, tuple[Case, ...]], dict[str, list[tuple[str, object, object]]]],
    name: str,
    cases: tuple[Case, ...],
) -> None:
    wrong = [
        f"{case}: {sql}\n  gives {got!r}, right is {right!r}"
        for case, asked in answers(name, cases).items()
        for sql, got, right in asked
        if got != right
    ]
    assert not wrong, "\n".join(wrong)
