-- What was said, beside what came: only forecasts from the lake count, never one recomputed.
with context as (select * from {{ ref('int_run_context') }}),

said as (
    select forecasts.*
    from {{ ref('revenue_forecast') }} as forecasts
    inner join context on forecasts.period_end < context.as_of_date
),

bookings as (
    select
        'company' as entity_type,
        'company' as entity_id,
        won_date,
        amount_reporting
    from {{ ref('int_bookings_daily') }}
    union all
    select
        'team' as entity_type,
        team_id as entity_id,
        won_date,
        amount_reporting
    from {{ ref('int_bookings_daily') }}
    union all
    select
        'rep' as entity_type,
        rep_id as entity_id,
        won_date,
        amount_reporting
    from {{ ref('int_bookings_daily') }}
),

actuals as (
    select
        bookings.entity_type,
        bookings.entity_id,
        periods.period_grain,
        periods.period_start,
        sum(bookings.amount_reporting) as actual
    from bookings
    inner join {{ ref('int_calendar__periods') }} as periods on bookings.won_date = periods.date_day
    group by bookings.entity_type, bookings.entity_id, periods.period_grain, periods.period_start
),

compared as (
    select
        said.*,
        cast(coalesce(actuals.actual, 0) as decimal(28, 2)) as actual
    from said
    left join actuals
        on
            said.entity_type = actuals.entity_type and said.entity_id = actuals.entity_id
            and said.period_grain = actuals.period_grain and said.period_start = actuals.period_start
)

select
    as_of,
    period_grain,
    period_start,
    period_end,
    entity_type,
    entity_id,
    entity_name,
    method,
    model_hash,
    currency,
    mean as forecast,
    actual,
    mean - actual as forecast_error,
    abs(mean - actual) as forecast_absolute_error,
    {{ ratio('abs(mean - actual)', 'actual') }} as forecast_ape_actual,
    {{ ratio('abs(mean - actual)', 'mean') }} as forecast_ape_forecast,
    1 - {{ ratio('abs(mean - actual)', 'actual') }} as forecast_accuracy,
    actual between lo_50 and hi_50 as is_within_50,
    actual between lo_80 and hi_80 as is_within_80,
    actual between lo_90 and hi_90 as is_within_90
from compared
