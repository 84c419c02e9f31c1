select
    context.run_id,
    context.as_of,
    context.crm_url,
    {{ business_date('context.as_of', 'org.business_timezone') }} as as_of_date,
    org.settings_hash,
    org.company_name,
    org.business_timezone,
    org.reporting_currency,
    org.fiscal_year_start_month,
    org.minutes_per_email,
    org.workday_start,
    org.workday_end,
    org.workdays,
    coalesce(org.booking_date, 'close_date') as booking_date,
    coalesce(org.booking_tolerance_days, 31) as booking_tolerance_days
from {{ ref('stg_run__context') }} as context
left join {{ ref('stg_settings__org') }} as org on true
