-- Leads, contacts and accounts that a user created, and fields of them that the user edited; one row per user and instant of a change.
with context as (select * from {{ ref('int_run_context') }}),

changes as (
    select
        lead_id as record_id,
        created_by_id,
        created_at,
        field,
        data_type
    from {{ ref('stg_salesforce__lead_history') }}
    union all
    select
        contact_id,
        created_by_id,
        created_at,
        field,
        data_type
    from {{ ref('stg_salesforce__contact_history') }}
    union all
    select
        account_id,
        created_by_id,
        created_at,
        field,
        data_type
    from {{ ref('stg_salesforce__account_history') }}
),

-- A changed lookup is two rows, with names and with ids, and one edit. What happened to a record (created, leadConverted,
-- accountMerged, ownerAssignment, …) is in the history too, as a field in lower camel case; a custom field has two underscores.
edits as (
    select
        created_by_id,
        created_at,
        greatest(
            sum(case when data_type = 'EntityId' then 1 else 0 end),
            sum(case when data_type = 'EntityId' then 0 else 1 end)
        ) as entry_count
    from changes
    where substr(field, 1, 1) <> lower(substr(field, 1, 1)) or instr(field, '__') > 0
    group by record_id, created_by_id, created_at, field
),

entries as (
    select
        created_by_id,
        created_at,
        1 as entry_count
    from {{ ref('stg_salesforce__leads') }}
    union all
    select
        created_by_id,
        created_at,
        1
    from {{ ref('stg_salesforce__contacts') }}
    -- A person account is one entry, though the CRM keeps it as an account and as a contact.
    where not is_person_account
    union all
    select
        created_by_id,
        created_at,
        1
    from {{ ref('stg_salesforce__accounts') }}
    union all
    select
        created_by_id,
        created_at,
        entry_count
    from edits
)

select
    {{ person_of('entries.created_by_id', 'people') }} as rep_id,
    entries.created_at as entered_at,
    cast(sum(entries.entry_count) as bigint) as entry_count
from entries
inner join context on entries.created_at <= context.as_of
{{ join_person('entries.created_by_id', 'people') }}
group by {{ person_of('entries.created_by_id', 'people') }}, entries.created_at
