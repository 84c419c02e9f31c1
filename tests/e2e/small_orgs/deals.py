"""Deals: the day they count on, history and record, pipeline, shares, and the people who are credited."""

from __future__ import annotations

from decimal import Decimal

from tests.e2e.small_orgs.asking import Case, Check, rep_month
from tests.support.small_org import SmallOrg


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
        (f"{errors} '{lead}'", "campaign_of_lead_is_unknown field_does_not_fit"),
        (f"{errors} '{deal}'", "field_does_not_fit"),
        (f"select campaign_id from marts.fct_leads where lead_id = '{lead}'", None),
    ]


def a_field_of_your_own_travels_to_the_fact_and_the_tags(org: SmallOrg) -> list[Check]:
    rep = org.user("Fay Field")
    kind = org.add("RecordType", "2019-01-01T12:00:00.000Z", SobjectType="Opportunity", DeveloperName="Renewal")
    steps = ("2026-05-10T15:00:00.000Z", "Discovery"), ("2026-06-10T15:00:00.000Z", "Closed Won")
    mapped = {"Region__c": "EMEA North", "Seats__c": "25", "RecordTypeId": kind}
    deal = org.deal(rep, "1.00", "2026-06-10", *steps, **mapped)
    odd = org.deal(rep, "1.00", "2026-06-10", *steps, Seats__c="a lot")
    fact = "from marts.fct_opportunities where opportunity_id ="
    tags = (
        f"select string_agg(tag, ' ' order by tag) from incentives.int_credit_tags where event_id = 'bookings:{deal}'"
    )
    return [
        (f"select field_region {fact} '{deal}'", "EMEA North"),
        (f"select field_seats {fact} '{deal}'", 25),
        (f"select field_seats {fact} '{odd}'", None),
        (f"select process {fact} '{deal}'", "Renewal"),
        (f"select stated_value from marts.data_errors where record_id = '{odd}'", "Seats__c"),
        (tags, "field:region=emea_north field:seats=25 process:renewal record_type:renewal"),
    ]


CASES: tuple[Case, ...] = (
    a_deal_counts_on_its_close_date,
    a_long_backdated_deal_is_kept_and_named,
    a_loaded_history_moves_no_booking,
    a_deal_without_history_is_in_the_pipeline,
    a_deal_parked_in_2099_is_in_the_pipeline,
    deals_that_slip_in_silence_are_counted,
    a_downsell_has_no_share_by_amount,
    an_overlay_takes_nothing_from_the_owner,
    a_field_of_another_type_reads_as_unknown,
    a_field_of_your_own_travels_to_the_fact_and_the_tags,
)
