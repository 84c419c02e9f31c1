"""The simulated company: the same for the same seed, consistent like the systems it stands for, and rich in what happens in real ones."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from simulation.company import Company, create_company
from simulation.company.records.schema import SCHEMAS
from simulation.company.sizes import SIZES
from simulation.errors import SimulationError


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return create_company(tmp_path_factory.mktemp("simulation"), "tiny", seed=7)


@pytest.fixture(scope="module")
def versions(company: Company) -> Iterator[duckdb.DuckDBPyConnection]:
    """All record versions, as views named like the files; `seen_<table>` holds those visible at first."""
    with duckdb.connect() as connection:
        for name in SCHEMAS:
            table, seen = name.replace("/", "_").lower(), name.split("/")[1].lower()
            connection.execute(f"create view {table} as select * from '{company.folder}/{name}.parquet'")
            connection.execute(
                f"create view seen_{seen} as select * from {table} where _visible_from <= timestamp '{company.now:%Y-%m-%d %H:%M:%S}'"
            )
        yield connection


def digest(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def test_same_seed_gives_same_bytes(company: Company, tmp_path: Path) -> None:
    create_company(tmp_path / "again", "tiny", seed=7)
    create_company(tmp_path / "other", "tiny", seed=8)
    assert digest(tmp_path / "again") == digest(company.simulation_dir)
    assert (
        digest(tmp_path / "other")["company/salesforce/Lead.parquet"]
        != digest(company.simulation_dir)["company/salesforce/Lead.parquet"]
    )


def test_regions_share_no_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SIZES, "twin", replace(SIZES["tiny"], name="twin", regions=2, leads=120))
    company = create_company(tmp_path, "twin", seed=7)
    for name, key in (
        ("Lead", "Id"),
        ("Opportunity", "Id"),
        ("User", "Id"),
        ("Event", "Id"),
        ("OpportunityFieldHistory", "Id"),
        ("User", "Email"),
    ):
        table = pq.read_table(company.folder / f"salesforce/{name}.parquet", columns=[key, "CreatedDate"])
        assert len(set(table[key].to_pylist())) == len(set(zip(*table.to_pydict().values(), strict=True))), name
    calls = pq.read_table(company.folder / "telephony/call.parquet", columns=["sid"])
    assert len(set(calls["sid"].to_pylist())) == calls.num_rows


def test_making_it_again_returns_at_once_and_keeps_the_clock(tmp_path: Path) -> None:
    first = create_company(tmp_path, "tiny", seed=1)
    first.advance(3)
    before = digest(tmp_path)
    again = create_company(tmp_path, "tiny", seed=1)
    assert again.now == first.now and digest(tmp_path) == before


def test_another_company_is_not_overwritten(company: Company) -> None:
    with pytest.raises(SimulationError, match="seed 7"):
        create_company(company.simulation_dir, "tiny", seed=99)


def test_clock_goes_day_by_day_or_at_once(tmp_path: Path) -> None:
    company = create_company(tmp_path, "tiny", seed=1)
    start = company.now
    before = digest(company.folder)
    company.advance(1)
    company.advance(1)
    assert (company.now - start).days == 2 and digest(company.folder) == before
    assert Company.load(tmp_path).now == company.now


@pytest.mark.parametrize("days", [-1, 10_000], ids=["back", "beyond the horizon"])
def test_clock_refuses(company: Company, days: int) -> None:
    before = company.now
    with pytest.raises(SimulationError):
        company.advance(days)
    assert company.now == before


def test_unknown_size_is_named(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="huge"):
        create_company(tmp_path, "huge", seed=1)


def test_missing_company_says_so(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="no simulated company"):
        Company.load(tmp_path)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_file_has_rows_of_its_schema(company: Company, name: str) -> None:
    table = pq.read_table(company.folder / f"{name}.parquet")
    assert table.schema.equals(SCHEMAS[name])
    assert table.num_rows > 0 and table["_visible_from"].null_count == 0


KEYED = [name for name in SCHEMAS if "Id" in SCHEMAS[name].names and "SystemModstamp" in SCHEMAS[name].names]


@pytest.mark.parametrize("name", KEYED)
def test_versions_of_a_record_are_in_order(versions: duckdb.DuckDBPyConnection, name: str) -> None:
    table = name.replace("/", "_").lower()
    assert count(versions, f"select count(*) - count(distinct (Id, SystemModstamp)) from {table}") == 0
    assert (
        count(versions, f"select count(*) from {table} where length(Id) <> 18 or _visible_from < SystemModstamp") == 0
    )
    if "LastModifiedDate" in SCHEMAS[name].names and "CreatedDate" in SCHEMAS[name].names:
        assert (
            count(
                versions,
                f"select count(*) from {table} where not (CreatedDate <= LastModifiedDate and LastModifiedDate <= SystemModstamp)",
            )
            == 0
        )
        assert (
            count(
                versions,
                f"select count(*) from (select Id from {table} group by Id having count(distinct CreatedDate) > 1)",
            )
            == 0
        )


@pytest.mark.parametrize(
    "name", [name for name in SCHEMAS if name.endswith("History") and name != "salesforce/OpportunityHistory"]
)
def test_field_history_ids_are_unique(versions: duckdb.DuckDBPyConnection, name: str) -> None:
    assert count(versions, f"select count(*) - count(distinct Id) from {name.replace('/', '_').lower()}") == 0


REFERENCES = [
    ("Lead", "OwnerId", "User"),
    ("Lead", "MasterRecordId", "Lead"),
    ("Lead", "ConvertedAccountId", "Account"),
    ("Lead", "ConvertedContactId", "Contact"),
    ("Lead", "ConvertedOpportunityId", "Opportunity"),
    ("Lead", "Campaign__c", "Campaign"),
    ("Account", "OwnerId", "User"),
    ("Account", "ParentId", "Account"),
    ("Account", "MasterRecordId", "Account"),
    ("Contact", "AccountId", "Account"),
    ("Contact", "MasterRecordId", "Contact"),
    ("Opportunity", "AccountId", "Account"),
    ("Opportunity", "ContactId", "Contact"),
    ("Opportunity", "OwnerId", "User"),
    ("Opportunity", "CampaignId", "Campaign"),
    ("Opportunity", "Territory2Id", "Territory2"),
    ("OpportunityHistory", "OpportunityId", "Opportunity"),
    ("OpportunityLineItem", "OpportunityId", "Opportunity"),
    ("OpportunityLineItem", "Product2Id", "Product2"),
    ("OpportunityContactRole", "ContactId", "Contact"),
    ("OpportunitySplit", "SplitOwnerId", "User"),
    ("OpportunitySplit", "OpportunityId", "Opportunity"),
    ("CampaignMember", "LeadId", "Lead"),
    ("Event", "OwnerId", "User"),
    ("Event", "WhatId", "Opportunity"),
    ("Task", "WhatId", "Opportunity"),
    ("LeadHistory", "LeadId", "Lead"),
    ("OpportunityFieldHistory", "OpportunityId", "Opportunity"),
    ("User", "ManagerId", "User"),
    ("User", "UserRoleId", "UserRole"),
    ("UserTerritory2Association", "UserId", "User"),
    ("PricebookEntry", "Product2Id", "Product2"),
]


@pytest.mark.parametrize(("table", "column", "target"), REFERENCES, ids=lambda value: value)
def test_references_lead_somewhere(versions: duckdb.DuckDBPyConnection, table: str, column: str, target: str) -> None:
    """Every id refers to a record that exists when the reference is made (give or take ten minutes for what is committed late)."""
    lost = f"""select count(*) from salesforce_{table.lower()} as record where {column} is not null and not exists (
        select 1 from salesforce_{target.lower()} as target where target.Id = record.{column} and target._visible_from <=
            record._visible_from + interval 12 minute)"""
    assert count(versions, lost) == 0
    assert count(versions, f"select count(*) from salesforce_{table.lower()} where {column} is not null") > 0


def test_who_is_a_lead_or_a_contact(versions: duckdb.DuckDBPyConnection) -> None:
    for table in ("event", "task"):
        lost = f"""select count(*) from salesforce_{table} where WhoId is not null
            and WhoId not in (select Id from salesforce_lead union all select Id from salesforce_contact)"""
        assert count(versions, lost) == 0


def test_stage_decides_probability_and_outcome(versions: duckdb.DuckDBPyConnection) -> None:
    wrong = """select count(*) from salesforce_opportunity join salesforce_opportunitystage as stage on stage.ApiName = StageName
        where Probability <> DefaultProbability or salesforce_opportunity.IsClosed <> stage.IsClosed
            or salesforce_opportunity.IsWon <> stage.IsWon or salesforce_opportunity.ForecastCategoryName <> stage.ForecastCategoryName"""
    assert count(versions, wrong) == 0
    assert (
        count(
            versions,
            "select count(*) from salesforce_opportunity where StageName not in (select ApiName from salesforce_opportunitystage)",
        )
        == 0
    )


def test_close_date_is_new_yorks_day_of_the_close(versions: duckdb.DuckDBPyConnection) -> None:
    days = """select count(*) from salesforce_opportunity where IsClosed
        and CloseDate {} ((LastStageChangeDate at time zone 'UTC') at time zone 'America/New_York')::date"""
    assert count(versions, days.format("<>")) == 0
    assert (
        count(
            versions,
            "select count(*) from salesforce_opportunity where IsClosed and CloseDate <> LastStageChangeDate::date",
        )
        > 0
    ), "some close in the evening"


def test_amount_is_the_sum_of_the_lines(versions: duckdb.DuckDBPyConnection) -> None:
    wrong = """with deal as (select * from salesforce_opportunity qualify row_number() over (partition by Id order by SystemModstamp desc) = 1),
        line as (select * from salesforce_opportunitylineitem qualify row_number() over (partition by Id order by SystemModstamp desc) = 1)
        select count(*) from deal left join (select OpportunityId, sum(TotalPrice) as total from line group by 1) on OpportunityId = deal.Id
        where Amount is distinct from total"""
    assert count(versions, wrong) == 0


def test_splits_of_a_deal_sum_to_it(versions: duckdb.DuckDBPyConnection) -> None:
    wrong = """with split as (select * from salesforce_opportunitysplit qualify row_number() over (partition by Id order by SystemModstamp desc) = 1),
        deal as (select * from salesforce_opportunity qualify row_number() over (partition by Id order by SystemModstamp desc) = 1)
        select count(*) from (select OpportunityId, sum(SplitPercentage) as percent, sum(SplitAmount) as total from split group by 1) join
            deal on Id = OpportunityId
        where percent <> 100 or total <> Amount"""
    assert count(versions, wrong) == 0


def test_history_ends_where_the_record_stands(versions: duckdb.DuckDBPyConnection) -> None:
    wrong = """with history as (select * from salesforce_opportunityhistory qualify row_number() over (partition by OpportunityId order by
        CreatedDate desc) = 1),
        deal as (select * from salesforce_opportunity qualify row_number() over (partition by Id order by SystemModstamp desc) = 1)
        select count(*) from deal left join history on OpportunityId = deal.Id
        where history.StageName <> deal.StageName or history.Amount is distinct from deal.Amount or history.CloseDate <> deal.CloseDate or
            history.Id is null"""
    assert count(versions, wrong) == 0


def test_nobody_is_on_two_calls_at_once(versions: duckdb.DuckDBPyConnection) -> None:
    lines = """with leg as (select *, case when direction = 'inbound' then "to" else "from" end as line from telephony_call where
        parent_call_sid is null)
        select count(*) from (select line, start_time, lag(end_time) over (partition by line order by start_time) as before from leg) where
            start_time < before"""
    assert count(versions, lines) == 0


def test_personnel_key_is_unique(versions: duckdb.DuckDBPyConnection) -> None:
    assert count(versions, "select count(*) - count(distinct (employee_id, effective_date)) from feeds_personnel") == 0


def test_people_do_nothing_after_they_left(versions: duckdb.DuckDBPyConnection) -> None:
    late = """select count(*) from telephony_call join salesforce_user as person
        on regexp_replace(person.Phone, '[^0-9]', '', 'g') = right("from", 10)
        join feeds_personnel as leaver on leaver.employee_id = person.EmployeeNumber and leaver.leave_date is not null
        where telephony_call.start_time > leaver.leave_date + interval 2 day"""
    assert count(versions, late) == 0


NEWEST = "qualify row_number() over (partition by Id order by SystemModstamp desc) = 1"
PHENOMENA = {
    "outbound leads": "select count(*) from seen_lead where Process__c = 'Outbound'",
    "inbound leads": "select count(*) from seen_lead where Process__c = 'Inbound'",
    "leads nurtured": "select count(*) from seen_lead where Status = 'Nurturing'",
    "leads nurtured, then converted": "select count(*) from seen_leadhistory where NewValue = 'Qualified' and LeadId in "
    "(select LeadId from seen_leadhistory where NewValue = 'Nurturing')",
    "leads taken off the list": "select count(*) from seen_lead where Status = 'Disqualified' and Disqualified_Reason__c is not null",
    "leads never touched": f"select count(*) from (select * from seen_lead {NEWEST}) where Status = 'New' and CreatedDate < '2025-08-01'",
    "leads merged": "select count(*) from seen_lead where IsDeleted and MasterRecordId is not null",
    "leads deleted": "select count(*) from seen_lead where IsDeleted and MasterRecordId is null",
    "accounts merged": "select count(*) from seen_account where MasterRecordId is not null",
    "leads handed over": "select count(*) from seen_leadhistory where Field = 'Owner'",
    "deals deleted": "select count(*) from seen_opportunity where IsDeleted",
    "deals handed over": "select count(*) from seen_opportunityfieldhistory where Field = 'Owner'",
    "close dates pushed": "select count(*) from seen_opportunityfieldhistory where Field = 'CloseDate' and NewValue > OldValue",
    "deals reopened": "select count(*) from seen_opportunityfieldhistory where Field = 'StageName' and OldValue like 'Closed%'",
    "stages gone back": "select count(*) from seen_opportunityfieldhistory where Field = 'StageName' and OldValue = 'Proposal' "
    "and NewValue = 'Discovery' or OldValue = 'Negotiation' and NewValue = 'Proposal' or OldValue = 'Discovery' and NewValue = 'Qualification'",
    "stages skipped": "select count(*) from seen_opportunityfieldhistory where Field = 'StageName' and (OldValue = 'Qualification' "
    "and NewValue = 'Proposal' or OldValue = 'Prospecting' and NewValue = 'Discovery' or OldValue = 'Discovery' and NewValue = 'Negotiation')",
    "late edits of closed deals": "select count(*) from seen_opportunity where IsClosed and LastModifiedDate > LastStageChangeDate + interval 5 hour",
    "deals without amount": f"select count(*) from (select * from seen_opportunity {NEWEST}) where StageName = 'Closed Lost' and Amount is null",
    "discounts": "select count(*) from seen_opportunity where Discount_Percent__c > 0",
    "competitors": "select count(*) from seen_opportunity where Competitor__c is not null",
    "split credit": "select count(*) from seen_opportunitysplit",
    "expansions": "select count(*) from seen_opportunity where Type = 'Expansion'",
    "renewals": "select count(*) from seen_opportunity where Type = 'Renewal'",
    "lost deals taken up again": "select count(*) from seen_opportunity as again join seen_opportunity as lost using (AccountId) "
    "where again.Type = 'New Business' and lost.StageName = 'Closed Lost' and again.CreatedDate > lost.LastStageChangeDate and again.Id <> lost.Id",
    "euros": "select count(*) from seen_opportunity where CurrencyIsoCode = 'EUR' and IsWon",
    "pounds": "select count(*) from seen_opportunity where CurrencyIsoCode = 'GBP' and IsWon",
    "rates that move": "select count(distinct ConversionRate) - 3 from seen_datedconversionrate",
    "campaigns with cost": "select count(*) from seen_campaign_costs where campaign_id in (select Campaign__c from seen_lead)",
    "invoices in parts": "select count(*) from (select opportunity_id from seen_invoices group by 1 having count(*) > 1)",
    "part payments": "select count(*) from seen_payments join seen_invoices as bill using (invoice_id) where seen_payments.amount < bill.amount",
    "late payments": "select count(*) from seen_payments join seen_invoices as bill using (invoice_id) where payment_date > due_date",
    "people who left": "select count(*) from seen_personnel where leave_date is not null",
    "people who joined": "select count(*) from seen_personnel where hire_date > '2025-01-01'",
    "changes of team": "select count(*) from (select employee_id from seen_personnel group by 1 having count(distinct team) > 1)",
    "changes of territory": "select count(*) from (select employee_id from seen_personnel group by 1 having count(distinct territory) > 1)",
    "changes of manager": "select count(*) from (select employee_id from seen_personnel group by 1 having count(distinct manager_employee_id) > 1)",
    "personnel entered late": "select count(*) from seen_personnel where _visible_from > effective_date + interval 2 day "
    "and effective_date > '2025-01-01'",
    "rows committed late": "select count(*) from salesforce_lead where _visible_from > SystemModstamp + interval 1 minute",
    "calls transferred": "select count(*) from seen_call as leg join seen_call as call on leg.parent_call_sid = call.sid "
    "where leg.start_time < call.end_time",
    "calls received": "select count(*) from seen_call where direction = 'inbound' and status = 'completed'",
    "calls not answered": "select count(*) from seen_call where status = 'no-answer' and duration = 0",
    "callers without number": "select count(*) from seen_call where from_formatted = 'Anonymous'",
    "automatic replies of reps": "select count(*) from seen_message where is_auto_reply and from_address like '%northlight.example'",
    "automatic replies of customers": "select count(*) from seen_message where is_auto_reply and from_address not like '%northlight.example'",
    "bounces": "select count(*) from seen_message where is_bounce",
    "newsletters": "select count(*) from seen_message where is_newsletter",
    "messages in two mailboxes": "select count(*) - count(distinct message_id) from seen_message",
    "answers": "select count(*) from seen_message where in_reply_to is not null and len(references_ids) = 1 and not is_auto_reply",
    "meetings moved": "select count(*) from (select Id from seen_event group by 1 having count(distinct StartDateTime) > 1)",
    "meetings cancelled": "select count(*) from seen_event where Cancelled__c",
    "meetings deleted": "select count(*) from seen_event where IsDeleted",
    "meetings among colleagues": "select count(*) from seen_event where WhoId is null",
    "tasks done": "select count(*) from seen_task where Status = 'Completed' and CompletedDateTime is not null",
}


@pytest.mark.parametrize("phenomenon", PHENOMENA)
def test_it_happens_in_the_smallest_company(versions: duckdb.DuckDBPyConnection, phenomenon: str) -> None:
    assert count(versions, PHENOMENA[phenomenon]) > 0


def test_volumes_are_sensible(versions: duckdb.DuckDBPyConnection) -> None:
    won = count(versions, f"select count(*) from (select * from seen_opportunity {NEWEST}) where IsWon")
    closed = count(versions, f"select count(*) from (select * from seen_opportunity {NEWEST}) where IsClosed")
    assert 0.15 < won / closed < 0.42
    assert 300 < count(versions, "select count(distinct Id) from seen_lead") < 500
    assert 100 < count(versions, "select count(distinct Id) from seen_opportunity") < 220
    office = "extract(hour from (start_time at time zone 'UTC') at time zone 'America/New_York') between 8 and 17"
    assert count(versions, f"select 100 * count(*) filter ({office}) / count(*) from telephony_call") > 93
