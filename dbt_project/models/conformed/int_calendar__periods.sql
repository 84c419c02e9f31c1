with days as (select * from {{ ref('int_calendar__days') }}),

periods as (
    select
        'day' as period_grain,
        date_day,
        date_day as period_start,
        date_day as period_end
    from days
    union all
    select
        'week',
        date_day,
        week_start,
        {{ add_days('week_start', 6) }}
    from days
    union all
    select
        'month',
        date_day,
        month_start,
        {{ add_days(add_months('month_start', 1), -1) }}
    from days
    union all
    select
        'quarter',
        date_day,
        quarter_start,
        {{ add_days(add_months('quarter_start', 3), -1) }}
    from days
    union all
    select
        'year',
        date_day,
        fiscal_year_start,
        {{ add_days(add_months('fiscal_year_start', 12), -1) }}
    from days
)

select
    period_grain,
    date_day,
    period_start,
    period_end
from periods
