with context as (select * from {{ ref('int_run_context') }}),

leads as (select * from {{ ref('int_leads') }}),

reached as (
    select
        lead_id,
        min(case when status in ('qualified', 'converted') or is_conversion then changed_at end) as qualified_at,
        min(case when is_conversion then changed_at end) as converted_at,
        min(case when status = 'nurturing' then changed_at end) as nurtured_at,
        max(case when status = 'disqualified' then changed_at end) as last_disqualified_at
    from {{ ref('int_lead_status_changes') }}
    group by lead_id
),

assignments as (
    select
        record_id as lead_id,
        max(changed_at) as assigned_at
    from {{ ref('int_owner_changes') }}
    where record_kind = 'lead' and is_to_person
    group by record_id
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
