-- Every forecast as it was said; where one instant was forecast twice (new data, new model), the one said last.
with forecasts as (
    select
        *,
        max(as_of) over () as newest_as_of
    from {{ ref('stg_predictions__revenue_forecasts') }}
    qualify dense_rank() over (partition by as_of order by load_id desc nulls last) = 1
),

periods as (
    select distinct
        period_grain,
        period_start,
        period_end
    from {{ ref('int_calendar__periods') }}
),

names as (
    select
        'rep' as entity_type,
        rep_id as entity_id,
        rep_name as entity_name
    from {{ ref('dim_reps') }}
    union all
    select
        'team' as entity_type,
        team_id as entity_id,
        max(team_name) as entity_name
    from {{ ref('dim_rep_versions') }}
    group by team_id
)

select
    forecasts.as_of,
    forecasts.as_of = forecasts.newest_as_of as is_latest,
    forecasts.period_grain,
    forecasts.period_start,
    periods.period_end,
    forecasts.entity_type,
    forecasts.entity_id,
    coalesce(names.entity_name, case when forecasts.entity_type = 'company' then context.company_name end, forecasts.entity_id) as entity_name,
    forecasts.method,
    forecasts.model_hash,
    context.reporting_currency as currency,
    forecasts.mean,
    forecasts.median,
    forecasts.lo_50,
    forecasts.hi_50,
    forecasts.lo_80,
    forecasts.hi_80,
    forecasts.lo_90,
    forecasts.hi_90,
    forecasts.booked_part,
    forecasts.pipeline_part,
    forecasts.run_rate_part,
    forecasts.load_id,
    forecasts.known_from
from forecasts
cross join {{ ref('int_run_context') }} as context
left join periods on forecasts.period_grain = periods.period_grain and forecasts.period_start = periods.period_start
left join names on forecasts.entity_type = names.entity_type and forecasts.entity_id = names.entity_id
