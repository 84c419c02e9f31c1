select
    days.date_day,
    days.weekday,
    days.week_start,
    days.month_start,
    days.quarter_start,
    days.fiscal_year_start,
    days.fiscal_year,
    days.fiscal_quarter,
    days.is_business_day,
    days.holiday_name,
    days.open_seconds,
    days.date_day <= context.as_of_date as is_past
from {{ ref('int_calendar__days') }} as days
cross join {{ ref('int_run_context') }} as context
