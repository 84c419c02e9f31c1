-- Calls, mails, meetings and tasks in one form, with the rep who made them and the outside party's phone number, address or record.
with context as (select * from {{ ref('int_run_context') }}),

reps_by_line as (
    select
        phone_digits,
        min(rep_id) as rep_id
    from {{ ref('int_reps__identities') }}
    where phone_digits is not null
    group by phone_digits
),

reps_by_long_id as (
    {{ records_by_long_id(ref('int_reps__identities'), 'rep_id') }}
),

reps_by_address as (
    select
        address,
        min(rep_id) as rep_id
    from (
        select
            email as address,
            rep_id
        from {{ ref('int_reps__identities') }}
        union all
        select
            employee_email,
            rep_id
        from {{ ref('int_reps__identities') }}
    )
    where address is not null
    group by address
),

calls as (
    select
        concat('call:', calls.call_id) as activity_id,
        'call' as activity_type,
        'telephony' as source,
        calls.started_at as occurred_at,
        calls.started_at as touched_at,
        coalesce(named.rep_id, reps_by_long_id.record_id, addressed.rep_id, reps.rep_id) as rep_id,
        calls.call_direction as direction,
        calls.is_connected,
        calls.talk_seconds,
        cast(null as integer) as duration_minutes,
        'phone' as point_kind,
        case when calls.call_direction = 'outbound' then calls.to_digits else calls.from_digits end as counterpart_key,
        case when calls.call_direction = 'outbound' then calls.to_phone else calls.from_phone end as counterpart_phone,
        cast(null as {{ text_type() }}) as who_id,
        cast(null as {{ text_type() }}) as what_id,
        true as is_held
    from {{ ref('int_calls') }} as calls
    left join reps_by_line as reps
        on case when calls.call_direction = 'outbound' then calls.from_digits else calls.to_digits end = reps.phone_digits
    left join {{ ref('int_reps__identities') }} as named on trim(calls.rep_key) = named.rep_id
    left join reps_by_long_id on {{ long_record_id('calls.rep_key') }} = reps_by_long_id.long_id
    left join reps_by_address as addressed on lower(trim(calls.rep_key)) = addressed.address
),

emails as (
    select
        concat('email:', emails.email_id),
        'email',
        'mail',
        emails.sent_at,
        emails.sent_at,
        coalesce(senders.rep_id, receivers.rep_id),
        case
            when senders.rep_id is null and not emails.is_from_inside then 'inbound'
            when emails.outside_recipient_count = 0 then 'internal'
            else 'outbound'
        end,
        cast(null as boolean),
        cast(null as bigint),
        cast(null as integer),
        'email',
        case when senders.rep_id is null and not emails.is_from_inside then emails.from_address else emails.first_outside_address end,
        cast(null as {{ text_type() }}),
        cast(null as {{ text_type() }}),
        cast(null as {{ text_type() }}),
        not coalesce(emails.is_auto_reply, false)
    from {{ ref('int_emails') }} as emails
    left join reps_by_address as senders on emails.from_address = senders.address
    left join reps_by_address as receivers on emails.mailbox = receivers.address and not emails.is_from_inside
),

-- An all-day event has days, not instants, and takes the working time of its days.
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
    cross join context
    left join {{ ref('int_calendar__days') }} as first_days on event_days.first_day = first_days.date_day
    left join {{ ref('int_calendar__days') }} as last_days on event_days.last_day = last_days.date_day
),

meetings as (
    select
        concat('meeting:', events.event_id),
        'meeting',
        'salesforce',
        events.begins_at,
        events.created_at,
        reps.rep_id,
        'outbound',
        cast(null as boolean),
        cast(null as bigint),
        events.minutes,
        'record',
        events.who_id,
        cast(null as {{ text_type() }}),
        events.who_id,
        events.what_id,
        not coalesce(events.is_cancelled, false) and events.is_over_at <= context.as_of
    from events
    cross join context
    left join {{ ref('int_reps__identities') }} as reps on events.owner_id = reps.rep_id
    where not events.is_deleted and events.created_at <= context.as_of
),

tasks as (
    select
        concat('task:', tasks.task_id),
        'task',
        'salesforce',
        coalesce(tasks.completed_at, {{ utc_time('tasks.activity_date', 'context.business_timezone') }}, tasks.created_at),
        coalesce(tasks.completed_at, tasks.created_at),
        reps.rep_id,
        'internal',
        cast(null as boolean),
        cast(null as bigint),
        cast(null as integer),
        'record',
        tasks.who_id,
        cast(null as {{ text_type() }}),
        tasks.who_id,
        tasks.what_id,
        coalesce(tasks.is_closed, tasks.status = 'Completed') and coalesce(tasks.completed_at, tasks.created_at) <= context.as_of
    from {{ ref('stg_salesforce__tasks') }} as tasks
    cross join context
    left join {{ ref('int_reps__identities') }} as reps on tasks.owner_id = reps.rep_id
    where not tasks.is_deleted and tasks.created_at <= context.as_of
)

select * from calls
union all
select * from emails
union all
select * from meetings
union all
select * from tasks
