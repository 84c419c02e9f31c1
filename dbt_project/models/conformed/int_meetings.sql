-- Calendar events with what their flags say: the record of a series is a pattern and no meeting, a colleague's copy is the organiser's meeting again,
-- and an all-day event has days, not instants, and takes the working time of its days.
with context as (select * from {{ ref('int_run_context') }}),

event_days as (
    select
        *,
        case when is_all_day then coalesce(activity_date, cast(started_at as date)) end as first_day,
        case
            when is_all_day
                then greatest(coalesce(end_date, cast(ended_at as date), activity_date), coalesce(activity_date, cast(started_at as date)))
        end as last_day,
        -- NULL where it is more than ten years: a typing error, and more than a sum of seconds can take.
        case
            when abs(coalesce(duration_minutes, {{ seconds_between('started_at', 'ended_at') }} / 60)) <= 5256000
                then coalesce(duration_minutes, cast({{ seconds_between('started_at', 'ended_at') }} / 60 as integer))
        end as stated_minutes
    from {{ ref('stg_salesforce__events') }}
    where not is_deleted
),

events as (
    select
        event_days.*,
        case
            when event_days.is_all_day then {{ utc_time('event_days.first_day', 'context.business_timezone') }}
            else event_days.started_at
        end as begins_at,
        case
            when event_days.is_all_day then {{ utc_time(add_days('event_days.last_day', 1), 'context.business_timezone') }}
            else coalesce(event_days.ended_at, event_days.started_at)
        end as is_over_at,
        case
            when event_days.is_all_day
                then cast((last_days.open_seconds_before + last_days.open_seconds - first_days.open_seconds_before) / 60 as integer)
            else event_days.stated_minutes
        end as minutes
    from event_days
    inner join context on event_days.created_at <= context.as_of
    left join {{ ref('int_calendar__days') }} as first_days on event_days.first_day = first_days.date_day
    left join {{ ref('int_calendar__days') }} as last_days on event_days.last_day = last_days.date_day
)

select
    events.event_id,
    events.begins_at,
    events.is_over_at,
    events.created_at,
    events.created_by_id,
    events.minutes,
    people.rep_id,
    events.who_id,
    events.what_id,
    case when events.is_series then 'series' when events.is_child then 'copy' else 'meeting' end as event_kind,
    not events.is_series
    -- A proposal of times is not yet a meeting.
    and coalesce(events.group_event_type <> '2', true)
    and not coalesce(events.is_cancelled, false)
    and events.is_over_at <= context.as_of as is_held
from events
cross join context
left join {{ ref('int_reps__people') }} as people on events.owner_id = people.record_id and people.record_kind = 'user'
