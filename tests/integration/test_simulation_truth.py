"""The tally is counted from the generator's events; here the same figures are counted again from the records, in another way, and must agree."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import duckdb
import pytest

from simulation.company import Company, create_company
from simulation.truth import tally

VERSIONS = {
    "lead": "salesforce/Lead", "opportunity": "salesforce/Opportunity", "event": "salesforce/Event", "dated_rate": "salesforce/DatedConversionRate",
    "field_history": "salesforce/OpportunityFieldHistory", "crm_user": "salesforce/User",
}  # fmt: skip
PLAIN = {
    "call": "telephony/call",
    "message": "mail/message",
    "personnel": "feeds/personnel",
    "invoice": "feeds/invoices",
    "payment": "feeds/payments",
}
LOCAL = "((({}) at time zone 'UTC') at time zone 'America/New_York')::date"

COUNTED_AGAIN = {
    "leads_generated": f"select CreatedById as rep, {LOCAL.format('CreatedDate')} as day, 1 as value from lead where not IsDeleted",
    "deals_created": f"""
        select coalesce(first_owner.OldValue, OwnerId), {LOCAL.format("CreatedDate")}, 1 from opportunity
        left join (select OpportunityId, min_by(OldValue, CreatedDate) as OldValue from field_history where Field = 'Owner' group by 1) as first_owner
            on first_owner.OpportunityId = opportunity.Id
        where not IsDeleted""",
    "deals_closed": "select closer, CloseDate, 1 from closed where IsWon",
    "deals_lost": "select closer, CloseDate, 1 from closed where not IsWon",
    "bookings": """
        select closer, CloseDate, in_dollars(Amount, ConversionRate)
        from closed join dated_rate on IsoCode = CurrencyIsoCode and CloseDate >= StartDate and CloseDate < NextStartDate where IsWon""",
    "calls_placed": f"select rep, {LOCAL.format('start_time')}, 1 from placed where direction = 'outbound-api'",
    "calls_connected": f"select rep, {LOCAL.format('start_time')}, 1 from placed where direction = 'outbound-api' and talked_to_a_person",
    "phone_seconds": f"select rep, {LOCAL.format('start_time')}, talked from placed",
    "emails_sent": f"select Id, {LOCAL.format('sent_at')}, 1 from sent join crm_user on Email = from_address",
    "meetings_held": f"select OwnerId, {LOCAL.format('StartDateTime')}, 1 from event "
    "where not IsDeleted and not Cancelled__c and WhoId is not null and EndDateTime <= $as_of",
    "invoiced": """
        select closer, invoice_date, in_dollars(invoice.amount, ConversionRate)
        from invoice join closed on closed.Id = opportunity_id
        join dated_rate on IsoCode = invoice.currency and invoice_date >= StartDate and invoice_date < NextStartDate""",
    "collected": """
        select closer, payment_date, in_dollars(payment.amount, ConversionRate)
        from payment join invoice using (invoice_id) join closed on closed.Id = opportunity_id
        join dated_rate on IsoCode = payment.currency and payment_date >= StartDate and payment_date < NextStartDate""",
}

PREPARED = """
create temp table closed as
    select opportunity.*, coalesce(later.OldValue, OwnerId) as closer
    from opportunity
    left join (
        select change.OpportunityId, min_by(change.OldValue, change.CreatedDate) as OldValue
        from field_history as change join opportunity on opportunity.Id = change.OpportunityId
        where change.Field = 'Owner' and change.CreatedDate > opportunity.LastStageChangeDate group by 1
    ) as later on later.OpportunityId = opportunity.Id
    where IsClosed and not IsDeleted;
create temp table line as select Id as rep, '+1' || regexp_replace(Phone, '[^0-9]', '', 'g') as number from crm_user where Phone is not null;
create temp table placed as
    select call.*, line.rep, greatest(call.duration, coalesce(date_diff('second', call.start_time, leg.start_time) + leg.duration, 0)) as talked,
        call.status = 'completed' and call.answered_by is distinct from 'machine_start' as talked_to_a_person
    from call left join call as leg on leg.parent_call_sid = call.sid
    join line on line.number = case when call.direction = 'inbound' then call."to" else call."from" end
    where call.parent_call_sid is null;
create temp table sent as
    select distinct on (message_id) * from message
    where not is_auto_reply and from_address like '%@northlight.example'
        and len(list_filter(list_concat(to_addresses, cc_addresses), lambda address: address not like '%@northlight.example')) > 0;
"""


def in_dollars(amount: str, rate: str) -> str:
    return str((Decimal(amount) / Decimal(rate)).quantize(Decimal("0.01"), ROUND_HALF_UP))


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return create_company(tmp_path_factory.mktemp("simulation"), "tiny", seed=11)


@pytest.fixture(scope="module", params=[0, 97], ids=["at first", "97 days on"])
def moment(request: pytest.FixtureRequest, company: Company) -> datetime:
    return company.now + timedelta(days=request.param)


@pytest.fixture(scope="module")
def records(company: Company, moment: datetime) -> Iterator[duckdb.DuckDBPyConnection]:
    """The systems as they stand at the moment."""
    with duckdb.connect() as connection:
        naive = moment.replace(tzinfo=None)
        for name, path in (VERSIONS | PLAIN).items():
            newest = (
                "qualify row_number() over (partition by Id order by SystemModstamp desc) = 1"
                if name in VERSIONS and name != "field_history"
                else ""
            )
            connection.execute(
                f"create temp table {name} as select * from '{company.folder / path}.parquet' where _visible_from <= ? {newest}",
                [naive],
            )
        connection.execute(PREPARED)
        connection.create_function("exact_dollars", in_dollars, ["VARCHAR", "VARCHAR"], "VARCHAR")
        connection.execute(
            "create macro in_dollars(amount, rate) as exact_dollars(amount::varchar, rate::varchar)::decimal(28, 2)"
        )
        yield connection


@pytest.mark.parametrize("metric", COUNTED_AGAIN)
def test_company_total_agrees_with_records(
    metric: str, company: Company, moment: datetime, records: duckdb.DuckDBPyConnection
) -> None:
    parameters = {"as_of": moment.replace(tzinfo=None)} if "$as_of" in COUNTED_AGAIN[metric] else {}
    again = records.execute(
        f"with found(rep, day, value) as ({COUNTED_AGAIN[metric]}) select date_trunc('month', day)::date, sum(value) from found group by 1",
        parameters,
    )
    counted = {month: value for month, value in again.fetchall() if value}
    truth = {
        row["period_start"]: row["value"]
        for row in tally(company.simulation_dir, moment).to_pylist()
        if row["entity_type"] == "company" and row["metric"] == metric
    }
    assert truth and counted == truth


@pytest.mark.parametrize("metric", [name for name in COUNTED_AGAIN if name != "leads_generated"])
def test_team_totals_agree_with_records(
    metric: str, company: Company, moment: datetime, records: duckdb.DuckDBPyConnection
) -> None:
    parameters = {"as_of": moment.replace(tzinfo=None)} if "$as_of" in COUNTED_AGAIN[metric] else {}
    again = records.execute(
        f"""with found(rep, day, value) as ({COUNTED_AGAIN[metric]}),
        held as (select crm_user.Id as rep, effective_date, team from personnel join crm_user on EmployeeNumber = employee_id)
        select team, date_trunc('month', day)::date, sum(value)
        from found asof join held on held.rep = found.rep and found.day >= held.effective_date group by 1, 2""",
        parameters,
    )
    counted = {(team, month): value for team, month, value in again.fetchall() if value}
    truth = {
        (row["entity_id"], row["period_start"]): row["value"]
        for row in tally(company.simulation_dir, moment).to_pylist()
        if row["entity_type"] == "team" and row["metric"] == metric
    }
    assert truth and counted == truth


def test_entities_add_up(company: Company) -> None:
    rows = tally(company.simulation_dir, company.now).to_pylist()
    for metric in ("bookings", "calls_placed", "deals_lost"):
        by_type = {
            kind: sum(row["value"] for row in rows if row["metric"] == metric and row["entity_type"] == kind)
            for kind in ("company", "rep", "team", "territory")
        }
        assert len(set(by_type.values())) == 1, (metric, by_type)


def test_lead_quality_is_worth_learning(tmp_path: Path) -> None:
    """The true likelihood tells converted from other leads clearly, but not perfectly."""
    company = create_company(tmp_path, "tiny", seed=3)
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"""select likelihood, lead.IsConverted from '{company.simulation_dir}/truth/lead.parquet' as truth join
                '{company.folder}/salesforce/Lead.parquet' as lead
            on lead.Id = lead_id where not is_duplicate qualify row_number() over (partition by Id order by SystemModstamp desc) = 1"""
        ).fetchall()
    good = [score for score, converted in rows if converted]
    bad = [score for score, converted in rows if not converted]
    wins = sum((one > other) + 0.5 * (one == other) for one in good for other in bad)
    assert 0.70 < wins / (len(good) * len(bad)) < 0.85


def test_naive_moment_is_utc(company: Company) -> None:
    moment = datetime(2025, 6, 1, 12, tzinfo=UTC)
    assert tally(company.simulation_dir, moment).equals(tally(company.simulation_dir, moment.replace(tzinfo=None)))
