-- Elapsed and business time of each lead's follow-up and response. Business time at an instant is what was open before its day plus what was
-- open of the day by then; an interval's is the difference of its ends: no row per day.
with context as (select * from {{ ref('int_run_context') }}),

intervals as (
    select
        touches.lead_id,
        leads.created_at,
        -- An export that has one column for creation and first contact says nothing of the time between them.
        case
            when touches.is_touched_before_creation or (touches.first_touch_type = 'stated' and touches.first_touch_at = leads.created_at) then null
            else touches.first_touch_at
        end as first_touch_at,
        milestones.assigned_at,
        touches.responded_at
    from {{ ref('int_leads__touches') }} as touches
    inner join {{ ref('int_leads') }} as leads on touches.lead_id = leads.lead_id
    inner join {{ ref('int_leads__milestones') }} as milestones on touches.lead_id = milestones.lead_id
),

instants as (
    select created_at as instant from intervals
    union
    select first_touch_at from intervals
    union
    select assigned_at from intervals
    union
    select responded_at from intervals
),

measured as (
    select
        instants.instant,
        days.open_seconds_before
        + case
            when days.is_business_day
                then greatest(0, least(days.open_seconds, {{ seconds_between('days.opens_at', 'instants.instant') }}))
            else 0
        end as open_seconds_until
    from instants
    cross join context
    inner join {{ ref('int_calendar__days') }} as days
        on {{ business_date('instants.instant', 'context.business_timezone') }} = days.date_day
    where instants.instant is not null
)

select
    intervals.lead_id,
    {{ seconds_to_minutes(seconds_between('intervals.created_at', 'intervals.first_touch_at')) }} as follow_up_minutes,
    {{ seconds_to_minutes('touched.open_seconds_until - created.open_seconds_until') }} as follow_up_business_minutes,
    {{ seconds_to_minutes(seconds_between('intervals.assigned_at', 'intervals.responded_at')) }} as response_minutes,
    {{ seconds_to_minutes('responded.open_seconds_until - assigned.open_seconds_until') }} as response_business_minutes
from intervals
left join measured as created on intervals.created_at = created.instant
left join measured as touched on intervals.first_touch_at = touched.instant
left join measured as assigned on intervals.assigned_at = assigned.instant
left join measured as responded on intervals.responded_at = responded.instant
