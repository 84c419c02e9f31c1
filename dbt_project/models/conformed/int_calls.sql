-- One row per call. A transferred call has several legs, which may overlap: time is the union of their talk times, counted once.
with context as (select * from {{ ref('int_run_context') }}),

legs as (
    select
        coalesce(grandparents.parent_call_leg_id, parents.parent_call_leg_id, legs.parent_call_leg_id, legs.call_leg_id) as call_id,
        legs.*,
        case when legs.direction like 'outbound%' or legs.direction like '%originating' then 'outbound' else 'inbound' end as call_direction,
        -- Answered to ended: sources differ in whether the start is dialling or answering, none in the duration.
        case when legs.duration_seconds > 0 then {{ add_seconds('legs.ended_at', '-legs.duration_seconds') }} end as answered_at
    from {{ ref('stg_telephony__calls') }} as legs
    inner join context on legs.started_at <= context.as_of
    left join {{ ref('stg_telephony__calls') }} as parents on legs.parent_call_leg_id = parents.call_leg_id
    left join {{ ref('stg_telephony__calls') }} as grandparents on parents.parent_call_leg_id = grandparents.call_leg_id
),

talks as (
    select
        call_id,
        call_leg_id,
        answered_at,
        ended_at,
        max(ended_at) over (
            partition by call_id order by answered_at asc nulls last, ended_at asc nulls last, call_leg_id asc nulls last
            rows between unbounded preceding and 1 preceding
        ) as talked_until
    from legs
    where answered_at is not null
),

-- Any leg that was answered makes the call so, even if nobody said a word.
answers as (
    select
        call_id,
        max(is_answered) as is_answered,
        min(case when is_answered then coalesce(answered_at, ended_at) end) as answered_at,
        max(ended_at) as ended_at
    from legs
    group by call_id
),

-- What each leg adds beyond the talk time of the legs before it.
talk_times as (
    select
        call_id,
        sum(greatest(0, {{ seconds_between('greatest(answered_at, coalesce(talked_until, answered_at))', 'ended_at') }})) as talk_seconds
    from talks
    group by call_id
),

first_legs as (
    select *
    from legs
    qualify row_number() over (
        partition by call_id order by parent_call_leg_id is null desc nulls last, started_at asc nulls last, call_leg_id asc nulls last
    ) = 1
)

select
    first_legs.call_id,
    first_legs.provider,
    first_legs.started_at,
    answers.answered_at,
    answers.ended_at,
    first_legs.call_direction,
    first_legs.status,
    first_legs.answered_by,
    first_legs.rep_key,
    first_legs.from_phone,
    first_legs.to_phone,
    {{ phone_digits('first_legs.from_phone') }} as from_digits,
    {{ phone_digits('first_legs.to_phone') }} as to_digits,
    cast(coalesce(talk_times.talk_seconds, 0) as bigint) as talk_seconds,
    greatest(0, {{ seconds_between('first_legs.started_at', 'coalesce(answers.answered_at, answers.ended_at)') }}) as ring_seconds,
    -- What the provider says a machine took, nobody did; it listens only to calls out, and does not say so of each.
    (coalesce(answers.is_answered, false) or coalesce(talk_times.talk_seconds, 0) > 0)
    and not (
        first_legs.call_direction = 'outbound'
        and coalesce(lower(first_legs.answered_by) like 'machine%' or lower(first_legs.answered_by) in ('fax', 'voicemail'), false)
    ) as is_connected
from first_legs
inner join answers on first_legs.call_id = answers.call_id
left join talk_times on first_legs.call_id = talk_times.call_id
