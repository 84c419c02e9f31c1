-- The table of as-of instants that features are built for, so that a backtest over years is one build.
with context as (select * from {{ ref('int_run_context') }}),

first_days as (
    select min(created_date) as first_day from {{ ref('fct_leads') }}
    union all
    select min(created_date) from {{ ref('fct_opportunities') }}
    union all
    select min(closed_date) from {{ ref('fct_opportunities') }}
),

history as (select min(first_day) as first_day from first_days),

months as (
    select
        dates.month_start,
        row_number() over (order by dates.month_start desc nulls last) as months_ago
    from {{ ref('dim_dates') }} as dates
    cross join context
    cross join history
    where
        dates.date_day = dates.month_start
        and dates.month_start <= context.as_of_date
        and dates.month_start >= {{ add_months('history.first_day', -1) }}
),

days as (
    select
        'month_start' as instant_kind,
        month_start as as_of_date
    from months
    union all
    -- The same day of earlier months: a forecast made on the 5th is judged by forecasts made on the 5th.
    select
        'same_day',
        {{ add_months('context.as_of_date', '-months.months_ago') }}
    from months
    cross join context
    where months.months_ago <= 36
)

select
    days.instant_kind,
    days.as_of_date,
    {{ utc_time('days.as_of_date', 'context.business_timezone') }} as as_of
from days
cross join context
union all
select
    'run',
    as_of_date,
    as_of
from context
