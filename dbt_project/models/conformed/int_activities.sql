-- Calls, mails, meetings and tasks in one form, with the rep who made them and the outside party's phone number, address or record.
with context as (select * from {{ ref('int_run_context') }}),

people as (
    select * from {{ ref('int_reps__people') }}
    where record_kind = 'user'
),

people_by_long_id as (
    {{ records_by_long_id('people', 'record_id') }}
),

people_by_number as (
    select
        record_id as employee_id,
        rep_id
    from {{ ref('int_reps__people') }}
    where record_kind = 'employee'
),

-- A call names its user where the provider knows one, by an id, a personnel number or an address; else its line does.
call_users as (
    select
        calls.*,
        coalesce(named.rep_id, people_by_long_id_reps.rep_id, people_by_number.rep_id) as named_rep_id,
        case
            when calls.rep_key like '%@%' then lower(trim(calls.rep_key))
        end as rep_address,
        case when calls.call_direction = 'outbound' then calls.from_digits else calls.to_digits end as rep_digits
    from {{ ref('int_calls') }} as calls
    left join people as named on trim(calls.rep_key) = named.record_id
    left join people_by_long_id on {{ long_record_id('calls.rep_key') }} = people_by_long_id.long_id
    left join people as people_by_long_id_reps on people_by_long_id.record_id = people_by_long_id_reps.record_id
    left join people_by_number on trim(calls.rep_key) = people_by_number.employee_id
),

by_line as ({{ resolve_rep('call_users', 'call_id', 'phone', 'rep_digits', 'started_at') }}
),

by_address as ({{ resolve_rep('call_users', 'call_id', 'email', 'rep_address', 'started_at') }}
),

calls as (
    select
        concat('call:', calls.call_id) as activity_id,
        'call' as activity_type,
        'telephony' as source,
        calls.started_at as occurred_at,
        calls.started_at as touched_at,
        coalesce(calls.named_rep_id, by_address.rep_id, by_line.rep_id) as rep_id,
        calls.call_direction as direction,
        calls.is_connected,
        calls.talk_seconds,
        cast(null as integer) as duration_minutes,
        'phone' as point_kind,
        case when calls.call_direction = 'outbound' then calls.to_digits else calls.from_digits end as counterpart_key,
        case when calls.call_direction = 'outbound' then calls.to_phone else calls.from_phone end as counterpart_phone,
        cast(null as {{ text_type() }}) as who_id,
        cast(null as {{ text_type() }}) as what_id,
        true as is_held,
        calls.call_id as provider_call_id
    from call_users as calls
    left join by_address on calls.call_id = by_address.call_id
    left join by_line on calls.call_id = by_line.call_id
),

senders as ({{ resolve_rep(ref('int_emails'), 'email_id', 'email', 'from_address', 'sent_at') }}
),

receivers as ({{ resolve_rep(ref('int_emails'), 'email_id', 'email', 'mailbox', 'sent_at') }}
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
        not coalesce(emails.is_auto_reply, false),
        cast(null as {{ text_type() }})
    from {{ ref('int_emails') }} as emails
    left join senders on emails.email_id = senders.email_id
    left join receivers on emails.email_id = receivers.email_id and not emails.is_from_inside
),

-- A meeting names its contact, or the only one who was invited.
outside as (
    select
        event_id,
        count(distinct record_id) as outside_count,
        min(record_id) as record_id
    from {{ ref('int_meetings__participants') }}
    where record_id is not null
    group by event_id
),

meetings as (
    select
        concat('meeting:', meetings.event_id),
        'meeting',
        'salesforce',
        meetings.begins_at,
        meetings.created_at,
        meetings.rep_id,
        -- A pattern and a colleague's copy touch nobody.
        case when meetings.event_kind = 'meeting' then 'outbound' else 'internal' end,
        cast(null as boolean),
        cast(null as bigint),
        meetings.minutes,
        'record',
        coalesce(meetings.who_id, case when outside.outside_count = 1 then outside.record_id end),
        cast(null as {{ text_type() }}),
        coalesce(meetings.who_id, case when outside.outside_count = 1 then outside.record_id end),
        meetings.what_id,
        meetings.is_held and meetings.event_kind = 'meeting' and coalesce(outside.outside_count > 0, false),
        cast(null as {{ text_type() }})
    from {{ ref('int_meetings') }} as meetings
    left join outside on meetings.event_id = outside.event_id
),

-- The CRM's own calls are tasks of a kind. Which of them telephony knows, too, is decided where both are matched.
tasks as (
    select
        concat('task:', tasks.task_id),
        case when tasks.task_subtype = 'Call' then 'call' else 'task' end,
        'salesforce',
        coalesce(tasks.completed_at, {{ utc_time('tasks.activity_date', 'context.business_timezone') }}, tasks.created_at),
        coalesce(tasks.completed_at, tasks.created_at),
        people.rep_id,
        case when tasks.task_subtype = 'Call' then coalesce(lower(tasks.call_type), 'outbound') else 'internal' end,
        cast(null as boolean),
        case when tasks.task_subtype = 'Call' then tasks.call_seconds end,
        cast(null as integer),
        'record',
        tasks.who_id,
        cast(null as {{ text_type() }}),
        tasks.who_id,
        tasks.what_id,
        coalesce(tasks.is_closed, tasks.status = 'Completed')
        and not tasks.is_series
        and coalesce(tasks.completed_at, tasks.created_at) <= context.as_of,
        tasks.call_object
    from {{ ref('stg_salesforce__tasks') }} as tasks
    cross join context
    left join people on tasks.owner_id = people.record_id
    where not tasks.is_deleted and tasks.created_at <= context.as_of
)

select * from calls
union all
select * from emails
union all
select * from meetings
union all
select * from tasks
