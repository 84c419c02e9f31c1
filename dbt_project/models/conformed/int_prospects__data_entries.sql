-- Leads, contacts and accounts that a user created, and fields of them that the user edited; one row per user and instant of a change.
with context as (select * from {{ ref('int_run_context') }}),

edits as (
    select
        created_by_id,
        created_at,
        field
    from {{ ref('stg_salesforce__lead_history') }}
    union all
    select
        created_by_id,
        created_at,
        field
    from {{ ref('stg_salesforce__contact_history') }}
    union all
    select
        created_by_id,
        created_at,
        field
    from {{ ref('stg_salesforce__account_history') }}
),

entries as (
    select
        created_by_id,
        created_at
    from {{ ref('stg_salesforce__leads') }}
    union all
    select
        created_by_id,
        created_at
    from {{ ref('stg_salesforce__contacts') }}
    union all
    select
        created_by_id,
        created_at
    from {{ ref('stg_salesforce__accounts') }}
    union all
    -- Salesforce notes creation and conversion in the history too; neither is an edit of a field.
    select
        created_by_id,
        created_at
    from edits
    where field not in ('created', 'leadConverted', 'contactCreatedFromLead', 'accountCreatedFromLead')
)

select
    entries.created_by_id as rep_id,
    entries.created_at as entered_at,
    count(*) as entry_count
from entries
inner join context on entries.created_at <= context.as_of
group by entries.created_by_id, entries.created_at
