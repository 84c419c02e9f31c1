-- One row per lead: when it was first touched by a person, and when by the rep it is assigned to.
with leads as (
    select
        leads.lead_id,
        leads.created_at,
        leads.stated_first_touch_at,
        leads.owner_id,
        milestones.assigned_at,
        milestones.assigned_rep_id
    from {{ ref('int_leads') }} as leads
    inner join {{ ref('int_leads__milestones') }} as milestones on leads.lead_id = milestones.lead_id
),

touches as (
    select distinct
        parties.lead_id,
        activities.rep_id,
        activities.activity_type,
        activities.touched_at,
        activities.activity_id
    from {{ ref('int_activities') }} as activities
    inner join {{ ref('int_activities__matched_parties') }} as parties on activities.activity_id = parties.activity_id
    inner join {{ ref('int_run_context') }} as context on activities.touched_at <= context.as_of
    where
        parties.lead_id is not null
        and activities.rep_id is not null
        and activities.direction = 'outbound'
        and activities.activity_type in ('call', 'email', 'meeting')
        -- An auto-reply is no human touch, nor is a call that is only planned; a meeting touches when it is booked, held or not.
        and (activities.activity_type = 'meeting' or activities.is_held)
),

first_touches as (
    select *
    from touches
    qualify row_number() over (partition by lead_id order by touched_at asc nulls last, activity_id asc nulls last) = 1
),

responses as (
    select
        leads.lead_id,
        min(touches.touched_at) as responded_at
    from leads
    inner join touches on leads.lead_id = touches.lead_id and leads.assigned_rep_id = touches.rep_id and leads.assigned_at <= touches.touched_at
    group by leads.lead_id
)

select
    leads.lead_id,
    coalesce(first_touches.touched_at, leads.stated_first_touch_at) as first_touch_at,
    case
        when first_touches.touched_at is null and leads.stated_first_touch_at is not null then 'stated'
        else first_touches.activity_type
    end as first_touch_type,
    case
        when first_touches.touched_at is not null then first_touches.rep_id
        when leads.stated_first_touch_at is not null then leads.owner_id
    end as first_touch_rep_id,
    responses.responded_at,
    coalesce(first_touches.touched_at, leads.stated_first_touch_at) < leads.created_at as is_touched_before_creation
from leads
left join first_touches on leads.lead_id = first_touches.lead_id
left join responses on leads.lead_id = responses.lead_id
