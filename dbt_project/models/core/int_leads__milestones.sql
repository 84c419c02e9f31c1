with context as (select * from {{ ref('int_run_context') }}),

leads as (select * from {{ ref('int_leads__unioned') }}),

statuses as (select * from {{ ref('stg_settings__lead_statuses') }}),

edits as (
    select
        history.*,
        statuses.status
    from {{ ref('stg_salesforce__lead_history') }} as history
    inner join context on history.created_at <= context.as_of
    left join statuses on history.field = 'Status' and history.new_value = statuses.status_name
    where history.field in ('Status', 'leadConverted', 'Owner')
),

reached as (
    select
        lead_id,
        min(case when status in ('qualified', 'converted') or field = 'leadConverted' then created_at end) as qualified_at,
        min(case when field = 'leadConverted' then created_at end) as converted_at,
        min(case when status = 'nurturing' then created_at end) as nurtured_at,
        max(case when status = 'disqualified' then created_at end) as last_disqualified_at
    from edits
    group by lead_id
),

-- Salesforce writes an owner change twice, with names and with ids; only the ids say who.
assignments as (
    select
        edits.lead_id,
        max(edits.created_at) as assigned_at
    from edits
    inner join {{ ref('int_reps__identities') }} as reps on edits.new_value = reps.rep_id
    where edits.field = 'Owner'
    group by edits.lead_id
),

dated as (
    select
        leads.*,
        context.business_timezone,
        reached.qualified_at as history_qualified_at,
        reached.nurtured_at,
        reached.last_disqualified_at,
        case
            when leads.is_converted then coalesce(
                reached.converted_at, leads.stated_converted_at, {{ utc_time('leads.converted_date', 'context.business_timezone') }}
            )
        end as converted_at,
        assignments.assigned_at as reassigned_at
    from leads
    cross join context
    left join reached on leads.lead_id = reached.lead_id
    left join assignments on leads.lead_id = assignments.lead_id
)

select
    dated.lead_id,
    dated.converted_at,
    least(coalesce(dated.history_qualified_at, dated.converted_at), coalesce(dated.converted_at, dated.history_qualified_at)) as qualified_at,
    dated.nurtured_at,
    case when dated.status = 'disqualified' then dated.last_disqualified_at end as disqualified_at,
    -- A lead is qualified from the first status that says so; a status without history still counts, without a time.
    dated.history_qualified_at is not null or dated.is_converted or coalesce(dated.status in ('qualified', 'converted'), false) as is_qualified,
    coalesce(dated.status = 'disqualified', false) as is_disqualified,
    owners.rep_id as assigned_rep_id,
    case when owners.rep_id is not null then coalesce(dated.reassigned_at, dated.created_at) end as assigned_at
from dated
left join {{ ref('int_reps__identities') }} as owners on dated.owner_id = owners.rep_id
