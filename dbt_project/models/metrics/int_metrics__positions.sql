-- What a period began and ended with: deals that were due in it, and deals open at its end, per entity and period.
with context as (select * from {{ ref('int_run_context') }}),

periods as (
    select distinct
        periods.period_grain,
        periods.period_start,
        periods.period_end
    from {{ ref('int_calendar__periods') }} as periods
    cross join context
    where periods.period_start <= context.as_of_date
),

pipeline as (
    select * from {{ ref('fct_pipeline_daily') }}
    where is_counted
),

-- Who was closed at any time in a period did not slip in it, even if it is open again.
closings as (
    select distinct
        states.opportunity_id,
        periods.period_grain,
        periods.period_start
    from {{ ref('int_opportunities__states') }} as states
    inner join {{ ref('int_calendar__periods') }} as periods on states.valid_from_date = periods.date_day
    where states.category in ('won', 'lost')
),

-- Open the evening before, with a close date in the period. Only of periods that are over: until then a deal may still close.
due as (
    select
        periods.period_grain,
        periods.period_start,
        pipeline.rep_id,
        pipeline.team_id,
        pipeline.territory_id,
        count(*) as deals_due,
        count(case when closings.opportunity_id is null then 1 end) as deals_slipped
    from periods
    cross join context
    inner join pipeline
        on
            pipeline.date_day = {{ add_days('periods.period_start', -1) }}
            and periods.period_start <= pipeline.close_date and periods.period_end >= pipeline.close_date
    left join closings
        on
            pipeline.opportunity_id = closings.opportunity_id
            and periods.period_grain = closings.period_grain and periods.period_start = closings.period_start
    where periods.period_end < context.as_of_date
    group by periods.period_grain, periods.period_start, pipeline.rep_id, pipeline.team_id, pipeline.territory_id
),

at_end as (
    select
        periods.period_grain,
        periods.period_start,
        pipeline.rep_id,
        pipeline.team_id,
        pipeline.territory_id,
        count(*) as open_deals_at_end
    from periods
    cross join context
    inner join pipeline on pipeline.date_day = least(periods.period_end, context.as_of_date)
    group by periods.period_grain, periods.period_start, pipeline.rep_id, pipeline.team_id, pipeline.territory_id
),

placed as (
    select
        period_grain,
        period_start,
        rep_id,
        team_id,
        territory_id,
        deals_due,
        deals_slipped,
        cast(null as bigint) as open_deals_at_end
    from due
    union all
    select
        period_grain,
        period_start,
        rep_id,
        team_id,
        territory_id,
        null,
        null,
        open_deals_at_end
    from at_end
)

select
    {{ entity_columns('placed') }},
    placed.period_grain,
    placed.period_start,
    cast(sum(placed.deals_due) as bigint) as deals_due,
    cast(sum(placed.deals_slipped) as bigint) as deals_slipped,
    cast(sum(placed.open_deals_at_end) as bigint) as open_deals_at_end
from placed
group by {{ entity_grouping('placed', ['placed.period_grain', 'placed.period_start']) }}
