"""A small company with every corner that the servers' tests turn, made without the generator."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb

CLOCK = datetime(2026, 1, 10, 12, tzinfo=UTC)
ACCOUNT_SID = "AC00000000000000000000000000000042"
LEADS = 4500
CALLS = 2300
MAIL = 60

_TABLES = {
    # Every 50th lead is deleted; names hold what CSV has to quote; lead 1 has a second version, lead 2 one that is not visible yet,
    # lead 3 a late one with an older stamp.
    "salesforce/Lead": """
        with numbered as (
            select
                i,
                '00Q5g' || lpad(i::varchar, 10, '0') || 'AAA' as "Id",
                i % 50 = 0 as "IsDeleted",
                timestamp '2026-01-01' + to_seconds(i) as "SystemModstamp",
                'Lead' as "FirstName",
                case i % 5 when 0 then 'O''Brien, "Bob"' when 1 then 'Zoë' when 2 then 'line' || chr(10) || 'break' when 3 then 'NA' else 'Smith' end
                    as "LastName",
                'Lead ' || i as "Name",
                case when i % 3 = 0 then null else 'Company ' || (i % 7) end as "Company",
                case when i % 4 = 0 then null else 'lead' || i || '@example.com' end as "Email",
                case when i % 10 = 0 then null else i % 100 end as "NumberOfEmployees",
                case when i % 2 = 0 then 'DE' else 'US' end as "Country",
                case when i % 2 = 0 then 'New' else 'Working' end as "Status",
                '0055g000000000' || (i % 3) || 'AAA' as "OwnerId",
                date '2026-01-01' + (i % 9)::integer as "ConvertedDate",
                timestamp '2026-01-01' + to_seconds(i) as _visible_from
            from range(1, {leads} + 1) numbers (i)
        )
        select * exclude (i) from numbered
        union all by name
        select * exclude (i) replace ('Changed' as "LastName", timestamp '2026-01-05' as "SystemModstamp", timestamp '2026-01-05' as _visible_from)
        from numbered where i = 1
        union all by name
        select * exclude (i) replace ('Future' as "LastName", timestamp '2026-01-20' as "SystemModstamp", timestamp '2026-01-20' as _visible_from)
        from numbered where i = 2
        union all by name
        select * exclude (i) replace ('Stale' as "LastName", timestamp '2025-12-01' as "SystemModstamp", timestamp '2026-01-06' as _visible_from)
        from numbered where i = 3
    """,
    "salesforce/Opportunity": """
        select
            '0065g' || lpad(i::varchar, 10, '0') || 'AAA' as "Id",
            false as "IsDeleted",
            timestamp '2026-01-02 10:00:00' as "SystemModstamp",
            'Deal ' || i as "Name",
            'Proposal' as "StageName",
            case i when 1 then 35000.00 when 2 then 12.50 when 3 then 12345678901.23 end::decimal(18, 2) as "Amount",
            (i * 10)::double as "Probability",
            date '2026-03-01' + i::integer as "CloseDate",
            timestamp '2026-01-02' as _visible_from
        from range(1, 5) numbers (i)
    """,
    "salesforce/LeadHistory": """
        select
            '0175g' || lpad(i::varchar, 10, '0') || 'AAA' as "Id",
            false as "IsDeleted",
            '00Q5g' || lpad(i::varchar, 10, '0') || 'AAA' as "LeadId",
            timestamp '2026-01-01' + to_minutes(i) as "CreatedDate",
            'Status' as "Field",
            'Text' as "DataType",
            'New' as "OldValue",
            'Working' as "NewValue",
            timestamp '2026-01-01' + to_minutes(i) as _visible_from
        from range(1, 101) numbers (i)
    """,
    # Two calls start in each second, so that a page may end between equal starts; unanswered ones have no price.
    "telephony/call": """
        select
            'CA' || lpad(to_hex(i), 32, '0') as sid,
            null::varchar as parent_call_sid,
            '{account_sid}' as account_sid,
            '+1212555' || lpad((i % 5)::varchar, 4, '0') as "from",
            '+1646555' || lpad((i % 90)::varchar, 4, '0') as "to",
            'outbound-api' as direction,
            case when i % 3 = 0 then 'no-answer' else 'completed' end as status,
            timestamp '2026-01-05 09:00:00' + to_seconds((i / 2)::bigint) as start_time,
            timestamp '2026-01-05 09:01:00' + to_seconds((i / 2)::bigint) as end_time,
            timestamp '2026-01-05 09:00:00' + to_seconds((i / 2)::bigint) as date_created,
            case when i % 3 = 0 then 0 else i % 600 end as duration,
            case when i % 3 = 0 then null else -0.015 end::decimal(18, 6) as price,
            case when i <= {calls} then timestamp '2026-01-06' else timestamp '2026-02-01' end as _visible_from
        from range(1, {calls} + 11) numbers (i)
    """,
    "mail/message": """
        select
            'rep' || (i % 3) || '@northlight.example' as mailbox,
            i || '.M1P1.mail' as maildir_key,
            '<' || i || '@northlight.example>' as message_id,
            case when i > 1 then '<' || (i - 1) || '@northlight.example>' end as in_reply_to,
            case when i > 1 then ['<' || (i - 1) || '@northlight.example>'] end as references_ids,
            'rep' || (i % 3) || '@northlight.example' as from_address,
            ['a@client.example', 'b@client.example'] as to_addresses,
            []::varchar[] as cc_addresses,
            case when i % 7 = 0 then null else timestamp '2026-01-03' + to_hours(i) end as sent_at,
            case when i % 2 = 0 then 'Angebot für Zoë' else 'Your proposal' end as subject,
            i = 4 as is_auto_reply,
            i = 5 as is_bounce,
            i = 6 as is_newsletter,
            1000 as size_bytes,
            case when i <= {mail} // 2 then timestamp '2026-01-04' else timestamp '2026-01-11' end as _visible_from
        from range(1, {mail} + 1) numbers (i)
    """,
    "feeds/personnel": """
        select * from (values
            ('E1', date '2026-01-01', 'Ann, "A"', 1.0, null, timestamp '2026-01-01'),
            ('E1', date '2026-01-01', 'Ann, "A"', 1.0, date '2026-01-31', timestamp '2026-01-11'),
            ('E2', date '2026-01-09', 'Bo', 0.5, null, timestamp '2026-01-09')
        ) rows (employee_id, effective_date, full_name, fte, leave_date, _visible_from)
    """,
}


def write_company(simulation_dir: Path, leads: int = LEADS, calls: int = CALLS, mail: int = MAIL) -> Path:
    """Write the company and its clock, and return the folder."""
    for relative, sql in _TABLES.items():
        file = simulation_dir / "company" / f"{relative}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        filled = sql.format(leads=leads, calls=calls, mail=mail, account_sid=ACCOUNT_SID)
        duckdb.connect().execute(f"copy ({filled}) to '{file}' (format parquet)")
    facts = {
        "company_name": "Northlight Systems",
        "email_domain": "northlight.example",
        "telephony_account_sid": ACCOUNT_SID,
    }
    (simulation_dir / "company" / "company.json").write_text(json.dumps(facts))
    set_clock(simulation_dir, CLOCK)
    return simulation_dir


def set_clock(simulation_dir: Path, now: datetime) -> None:
    """Set the simulated clock, in one step: a server may be reading it."""
    fresh = simulation_dir / "clock.json.new"
    fresh.write_text(json.dumps({"now": now.strftime("%Y-%m-%dT%H:%M:%SZ")}))
    fresh.replace(simulation_dir / "clock.json")
