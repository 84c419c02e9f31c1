-- The periods that each day lies in. Besides the days of the calendar, every other day that something happened or is due on: a deal parked in 2099
-- is in the pipeline of 2099.
with context as (select * from {{ ref('int_run_context') }}),

calendar as (
    select
        date_day,
        week_start,
        month_start,
        quarter_start,
        fiscal_year_start
    from {{ ref('int_calendar__days') }}
),

stated as (
    select close_date as date_day from {{ ref('int_opportunities') }}
    union
    select {{ business_date('created_at', 'context.business_timezone') }} from {{ ref('int_opportunities') }}
    cross join context
    union
    select created_date from {{ ref('int_leads') }}
    union
    select {{ business_date('occurred_at', 'context.business_timezone') }} from {{ ref('int_activities') }}
    cross join context
    union
    select invoice_date from {{ ref('int_invoices') }}
    union
    select payment_date from {{ ref('int_payments') }}
),

far_days as (
    select
        stated.date_day,
        {{ fiscal_month_index('stated.date_day', 'context.fiscal_year_start_month') }} as fiscal_month_index
    from stated
    cross join context
    where stated.date_day is not null and stated.date_day not in (select calendar.date_day from calendar)
),

days as (
    select * from calendar
    union all
    select
        date_day,
        cast(date_trunc('week', date_day) as date),
        cast(date_trunc('month', date_day) as date),
        {{ fiscal_quarter_start('date_day', 'fiscal_month_index') }},
        {{ fiscal_year_start('date_day', 'fiscal_month_index') }}
    from far_days
),

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
