"""A company with nothing but opportunities, millions of them, for the ingestion benchmark."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

STARTED = datetime(2024, 1, 1, tzinfo=UTC)
_RECORDS_PER_STAMP = 10  # as after a mass update
_STEP = timedelta(minutes=1)

_SQL = """
    copy (
        select
            '006Ha' || lpad(i::varchar, 10, '0') || 'AAA' as "Id",
            i % 97 = 0 as "IsDeleted",
            '001Ha' || lpad((i // 4)::varchar, 10, '0') || 'AAA' as "AccountId",
            'Opportunity no. ' || i || case i % 3 when 0 then ', renewal' when 1 then ', "first order"' else ' - new business' end as "Name",
            (['Prospecting', 'Qualification', 'Discovery', 'Proposal', 'Negotiation', 'Closed Won', 'Closed Lost'])[1 + i % 7] as "StageName",
            case when i % 20 > 0 then ((hash(i) % 90000000) / 100)::decimal(18, 2) end as "Amount",
            (['USD', 'EUR', 'GBP'])[1 + i % 3] as "CurrencyIsoCode",
            ([10, 20, 35, 50, 75, 100, 0])[1 + i % 7]::double as "Probability",
            date '2024-02-01' + (hash(i, 1) % 700)::integer as "CloseDate",
            i % 7 >= 5 as "IsClosed",
            i % 7 = 5 as "IsWon",
            (['Pipeline', 'Pipeline', 'Pipeline', 'BestCase', 'Commit', 'Closed', 'Omitted'])[1 + i % 7] as "ForecastCategoryName",
            '005Ha' || lpad((i % 300)::varchar, 10, '0') || 'AAA' as "OwnerId",
            (['Web', 'Phone Inquiry', 'Partner Referral', 'Trade Show', null])[1 + i % 5] as "LeadSource",
            case when i % 4 = 0 then '701Ha' || lpad((i % 60)::varchar, 10, '0') || 'AAA' end as "CampaignId",
            (['New Business', 'Expansion', 'Renewal'])[1 + i % 3] as "Type",
            case when i % 7 = 6 then (['Price', 'No decision', 'Competitor', 'Timing'])[1 + i % 4] end as "Loss_Reason__c",
            case when i % 5 = 0 then 'Call back' || chr(10) || 'after the board has met; asked for "the long form", ref ' || i end as "Description",
            case when i % 6 = 0 then (hash(i, 2) % 30)::integer end as "Seats__c",
            stamp - interval 30 day as "CreatedDate",
            '005Ha' || lpad((i % 300)::varchar, 10, '0') || 'AAA' as "CreatedById",
            stamp as "LastModifiedDate",
            '005Ha' || lpad((i % 299)::varchar, 10, '0') || 'AAA' as "LastModifiedById",
            stamp as "SystemModstamp"
        from (
            select i, timestamp '2024-01-01' + to_minutes((i - 1) // {per_stamp}) as stamp
            from range(1, {rows} + 1) numbers (i)
        )
    ) to '{file}' (format parquet)
"""


def write_opportunities(simulation_dir: Path, rows: int) -> None:
    """Write a company of `rows` opportunities with 24 fields each and stamps that rise with the Id, and its clock."""
    file = simulation_dir / "company" / "salesforce" / "Opportunity.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(_SQL.format(rows=rows, per_stamp=_RECORDS_PER_STAMP, file=str(file).replace("'", "''")))
    facts = {
        "company_name": "Northlight Systems",
        "email_domain": "northlight.example",
        "telephony_account_sid": f"AC{0:032d}",
    }
    (simulation_dir / "company" / "company.json").write_text(json.dumps(facts))
    (simulation_dir / "clock.json").write_text(json.dumps({"now": (stamp_after(rows) + timedelta(days=1)).isoformat()}))


def stamp_after(rows: int) -> datetime:
    """The instant before which all of the company's records are stamped."""
    return STARTED + _STEP * (rows // _RECORDS_PER_STAMP)
