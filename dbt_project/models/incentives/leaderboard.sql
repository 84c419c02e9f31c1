{%- set metrics = metric_registry().rankable -%}
-- Who stands on a board held a role that it names at some time of the period. Ranks are shared by true ties, and the next rank is left out.
with context as (
    select * from {{ ref('int_run_context') }}
),

boards as (
    select * from {{ ref('stg_plans__boards') }}
),

-- Quotas and open deals make rows for periods to come; nobody stands anywhere in those yet.
kpis as (
    select kpis.*
    from {{ ref('kpi_rep_period') }} as kpis
    inner join context on kpis.period_start <= context.as_of_date
),

last_deals as (
    select
        events.owner_id as rep_id,
        periods.period_grain,
        periods.period_start,
        max(events.event_at) as reached_at
    from {{ ref('int_credit_events') }} as events
    inner join {{ ref('int_calendar__periods') }} as periods on events.event_date = periods.date_day
    where events.measure = 'bookings'
    group by events.owner_id, periods.period_grain, periods.period_start
),

standing as (
    select distinct
        boards.board_id,
        kpis.rep_id,
        kpis.period_start
    from boards
    inner join kpis on boards.period_grain = kpis.period_grain
    inner join {{ ref('dim_rep_versions') }} as versions
        on
            kpis.rep_id = versions.rep_id
            and cast(versions.valid_from as date) <= kpis.period_end
            and cast(versions.valid_to as date) > kpis.period_start
            and (versions.hired_date is null or versions.hired_date <= kpis.period_end)
            and (versions.left_date is null or versions.left_date >= kpis.period_start)
    inner join {{ ref('dim_reps') }} as reps on kpis.rep_id = reps.rep_id
    inner join {{ ref('stg_plans__board_participants') }} as participants
        on boards.board_id = participants.board_id and {{ incentives_takes_part('participants', 'versions', 'reps', 'kpis.period_start') }}
),

scored as (
    select
        boards.*,
        kpis.rep_id,
        kpis.period_start,
        kpis.period_end,
        last_deals.reached_at,
    {%- for choice in ['metric', 'tie_breaker_1', 'tie_breaker_2', 'tie_breaker_3'] %}
        case boards.{{ choice }}
            {%- for metric in metrics %}
                when '{{ metric }}' then cast(kpis.{{ metric }} as decimal(28, 2))
            {%- endfor %}
            {%- if choice != 'metric' %}
                when 'reached_first' then cast(-{{ incentives_instant_number('last_deals.reached_at') }} as decimal(28, 2))
            {%- endif %}
        end as {{ choice }}_value{{ "," if not loop.last }}
    {%- endfor %}
    from boards
    inner join kpis on boards.period_grain = kpis.period_grain
    inner join standing
        on boards.board_id = standing.board_id and kpis.rep_id = standing.rep_id and kpis.period_start = standing.period_start
    left join last_deals
        on
            kpis.rep_id = last_deals.rep_id
            and kpis.period_grain = last_deals.period_grain
            and kpis.period_start = last_deals.period_start
)

select
    concat(scored.board_id, '/', cast(scored.period_start as {{ text_type() }}), '/', scored.rep_id) as standing_id,
    scored.board_id,
    scored.board_name,
    scored.board_hash,
    scored.period_grain,
    scored.period_start,
    scored.period_end,
    scored.period_end >= context.as_of_date as is_open,
    scored.rep_id,
    reps.rep_name,
    scored.metric,
    scored.metric_value,
    rank() over (
        partition by scored.board_id, scored.period_start
        order by
            coalesce(scored.metric_value, 0) desc nulls last, scored.tie_breaker_1_value desc nulls last,
            scored.tie_breaker_2_value desc nulls last, scored.tie_breaker_3_value desc nulls last
    ) as rank,
    count(*) over (partition by scored.board_id, scored.period_start) as participant_count,
    -- Where a tie is broken by who reached the figure first, the value is an instant: it stands in reached_at.
    {%- for breaker in ['tie_breaker_1', 'tie_breaker_2', 'tie_breaker_3'] %}
        case when scored.{{ breaker }} <> 'reached_first' then scored.{{ breaker }}_value end as {{ breaker }}_value,
    {%- endfor %}
    scored.reached_at
from scored
inner join {{ ref('dim_reps') }} as reps on scored.rep_id = reps.rep_id
cross join context
