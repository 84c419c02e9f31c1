-- Who took part in each meeting that was held with somebody outside: its organiser, the colleagues invited who did not decline, and, where
-- invitations cannot be read, whoever has a copy of it. One row per person and meeting.
with context as (select * from {{ ref('int_run_context') }}),

held as (
    select
        activities.activity_id,
        meetings.event_id,
        meetings.rep_id,
        meetings.begins_at,
        meetings.is_over_at,
        meetings.minutes
    from {{ ref('fct_activities') }} as activities
    inner join {{ ref('int_meetings') }} as meetings on activities.activity_id = concat('meeting:', meetings.event_id)
    where activities.is_counted and activities.activity_type = 'meeting'
),

invited as (
    select
        held.activity_id,
        held.rep_id,
        held.begins_at,
        held.is_over_at,
        held.minutes
    from held
    union
    select
        held.activity_id,
        participants.rep_id,
        held.begins_at,
        held.is_over_at,
        held.minutes
    from held
    inner join {{ ref('int_meetings__participants') }} as participants on held.event_id = participants.event_id
    where participants.rep_id is not null
),

-- A copy is the meeting of somebody who is not on its list; two colleagues' copies at one time are told apart by their owners.
copied as (
    select
        min(concat('meeting:', copies.event_id)) as activity_id,
        copies.rep_id,
        copies.begins_at,
        copies.is_over_at,
        min(copies.minutes) as minutes
    from {{ ref('int_meetings') }} as copies
    inner join {{ ref('int_meetings__participants') }} as participants
        on copies.event_id = participants.event_id and participants.record_id is not null
    left join invited on copies.rep_id = invited.rep_id and copies.begins_at = invited.begins_at and copies.is_over_at = invited.is_over_at
    where copies.event_kind = 'copy' and copies.is_held and copies.rep_id is not null and invited.rep_id is null
    group by copies.rep_id, copies.begins_at, copies.is_over_at
),

attendances as (
    select * from invited
    union all
    select * from copied
)

select
    attendances.activity_id,
    attendances.rep_id,
    attendances.begins_at,
    {{ business_date('attendances.begins_at', 'context.business_timezone') }} as date_day,
    coalesce(rep_versions.team_id, 'unassigned') as team_id,
    coalesce(rep_versions.territory_id, 'unassigned') as territory_id,
    attendances.minutes
from attendances
cross join context
{{ join_rep_version('attendances.rep_id', 'attendances.begins_at') }}
