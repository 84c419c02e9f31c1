-- What was known of a lead at the time of the score, and nothing filled in later: no status, owner, stage or last activity of today.
{%- set outcome_horizon_days = 120 %}
{%- set oldest_lead_days = 365 %}
with context as (select * from {{ ref('int_run_context') }}),

leads as (
    select * from {{ ref('fct_leads') }}
    where is_counted and created_at is not null
),

moments as (
    select
        leads.lead_id,
        instants.as_of,
        max(case when instants.instant_kind = 'run' then 1 else 0 end) as is_run
    from leads
    inner join {{ ref('int_feature_instants') }} as instants
        on
            leads.created_at <= instants.as_of
            and instants.as_of <= {{ add_seconds('leads.created_at', 'cast(' ~ oldest_lead_days * 86400 ~ ' as bigint)') }}
    where instants.instant_kind in ('month_start', 'run')
    group by leads.lead_id, instants.as_of
    union
    select
        leads.lead_id,
        {{ add_seconds('leads.created_at', 86400) }},
        0
    from leads
    cross join context
    where {{ add_seconds('leads.created_at', 86400) }} < context.as_of
),

events as (
    select
        lead_id,
        as_of as happened_at,
        1 as is_moment,
        is_run,
        'moment' as event
    from moments
    union all
    select
        lead_id,
        occurred_at,
        0,
        0,
        case
            when activity_type = 'call' and is_connected then 'connected_call'
            when activity_type = 'email' and direction = 'inbound' then 'reply'
            when activity_type = 'meeting' then 'meeting'
            when direction = 'outbound' then 'attempt'
        end
    from {{ ref('fct_activities') }}
    where
        lead_id is not null and occurred_at is not null
        and (activity_type <> 'meeting' or is_counted)
    union all
    select
        lead_id,
        changed_at,
        0,
        0,
        coalesce(status, 'working')
    from {{ ref('int_lead_status_changes') }}
    where not is_conversion
),

-- Running totals in order of time; an event at the very instant counts, since it sorts before the moment.
known as (
    select
        *,
        count(case when event in ('connected_call', 'reply', 'meeting', 'attempt') then 1 end) over so_far as touches,
        count(case when event = 'reply' then 1 end) over so_far as replies,
        count(case when event = 'connected_call' then 1 end) over so_far as connected_calls,
        count(case when event = 'meeting' then 1 end) over so_far as meetings,
        max(case when event in ('connected_call', 'reply', 'meeting', 'attempt') then happened_at end) over so_far as last_touch_at,
        max(case when event = 'nurturing' then 1 else 0 end) over so_far as is_nurtured,
        max(case when event in ('qualified', 'converted') then 1 else 0 end) over so_far as is_qualified,
        max(case when event = 'disqualified' then happened_at end) over so_far as disqualified_at,
        max(case when event in ('new', 'working', 'nurturing', 'qualified') then happened_at end) over so_far as active_at
    from events
    window
        so_far as (
            partition by lead_id order by happened_at asc nulls last, is_moment asc nulls last rows between unbounded preceding and current row
        )
)

select
    leads.lead_id,
    known.happened_at as as_of,
    leads.lead_source,
    leads.process,
    leads.segment,
    leads.industry,
    leads.country,
    leads.employee_count,
    leads.web_visits,
    cast(floor({{ seconds_between('leads.created_at', 'known.happened_at') }} / 86400.0) as bigint) as age_days,
    known.touches,
    known.replies,
    known.connected_calls,
    known.meetings,
    cast(floor({{ seconds_between('known.last_touch_at', 'known.happened_at') }} / 86400.0) as bigint) as days_since_last_touch,
    case
        when leads.first_touch_at between leads.created_at and known.happened_at
            then cast(floor({{ seconds_between('leads.created_at', 'leads.first_touch_at') }} / 60.0) as bigint)
    end as minutes_to_first_touch,
    known.is_nurtured,
    known.is_qualified,
    known.is_run = 1 as is_scored_now,
    {{ outcome_horizon_days }} as outcome_horizon_days,
    -- The label, known once the whole horizon has passed.
    case
        when {{ add_seconds('known.happened_at', outcome_horizon_days * 86400) }} <= context.as_of
            then coalesce(leads.won_at <= {{ add_seconds('known.happened_at', outcome_horizon_days * 86400) }}, false)
    end as is_won_within_horizon
from known
cross join context
inner join leads on known.lead_id = leads.lead_id
where
    known.is_moment = 1
    and coalesce(leads.converted_at > known.happened_at, true)
    and coalesce(leads.won_at > known.happened_at, true)
    and coalesce(known.disqualified_at <= known.active_at, known.disqualified_at is null)
