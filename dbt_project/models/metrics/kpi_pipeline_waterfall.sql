{%- set movements = ['created', 'reopened', 'moved_in', 'grown', 'revalued', 'reassigned', 'shrunk', 'moved_out', 'deleted', 'won', 'lost'] -%}
with context as (select * from {{ ref('int_run_context') }}),

periods as (
    select distinct
        periods.period_grain,
        periods.period_start,
        periods.period_end
    from {{ ref('int_calendar__periods') }} as periods
    cross join context
    where periods.period_grain in ('month', 'quarter', 'year') and periods.period_start <= context.as_of_date
),

changes as (
    select
        periods.period_grain,
        periods.period_start,
        changes.*,
        coalesce(changes.previous_close_date between periods.period_start and periods.period_end, false) as was_in,
        coalesce(changes.close_date between periods.period_start and periods.period_end, false) as is_in
    from {{ ref('int_pipeline__daily_changes') }} as changes
    inner join periods on changes.date_day >= periods.period_start and changes.date_day <= periods.period_end
),

moved as (
    select
        period_grain,
        period_start,
        team_id,
        change_kind as movement,
        amount_reporting as amount
    from changes
    where is_in and change_kind in ('created', 'reopened')
    union all
    select
        period_grain,
        period_start,
        team_id,
        'moved_in',
        amount_reporting
    from changes
    where is_in and not was_in and change_kind = 'change'
    union all
    select
        period_grain,
        period_start,
        previous_team_id,
        'moved_out',
        previous_amount_reporting
    from changes
    where was_in and not is_in and change_kind = 'change'
    union all
    select
        period_grain,
        period_start,
        previous_team_id,
        change_kind,
        previous_amount_reporting
    from changes
    where was_in and change_kind in ('won', 'lost', 'deleted')
    union all
    select
        period_grain,
        period_start,
        previous_team_id,
        'reassigned',
        -previous_amount_reporting
    from changes
    where was_in and is_in and team_id <> previous_team_id
    union all
    select
        period_grain,
        period_start,
        team_id,
        'reassigned',
        previous_amount_reporting
    from changes
    where was_in and is_in and team_id <> previous_team_id
    union all
    select
        period_grain,
        period_start,
        team_id,
        'revalued',
        revalued_amount_reporting - previous_amount_reporting
    from changes
    where was_in and is_in
    union all
    select
        period_grain,
        period_start,
        team_id,
        case when amount_reporting >= revalued_amount_reporting then 'grown' else 'shrunk' end,
        abs(amount_reporting - revalued_amount_reporting)
    from changes
    where was_in and is_in
    union all
    select
        periods.period_grain,
        periods.period_start,
        pipeline.team_id,
        'opening',
        pipeline.amount_reporting
    from periods
    inner join {{ ref('fct_pipeline_daily') }} as pipeline
        on
            pipeline.date_day = {{ add_days('periods.period_start', -1) }}
            and periods.period_start <= pipeline.close_date and periods.period_end >= pipeline.close_date
    union all
    select
        periods.period_grain,
        periods.period_start,
        pipeline.team_id,
        'closing',
        pipeline.amount_reporting
    from periods
    cross join context
    inner join {{ ref('fct_pipeline_daily') }} as pipeline
        on
            pipeline.date_day = least(periods.period_end, context.as_of_date)
            and periods.period_start <= pipeline.close_date and periods.period_end >= pipeline.close_date
)

select
    moved.team_id,
    moved.period_grain,
    moved.period_start,
{%- for movement in ['opening'] + movements + ['closing'] %}
    cast(
        coalesce(sum(case when moved.movement = '{{ movement }}' then moved.amount end), 0) as decimal(28, 2)
    ) as {{ movement }}{{ "," if not loop.last }}
{%- endfor %}
from moved
group by moved.team_id, moved.period_grain, moved.period_start
