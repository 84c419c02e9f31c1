select
    settings_hash,
    effective_from,
    company_name,
    business_timezone,
    fiscal_year_start_month,
    reporting_currency,
    minutes_per_email,
    workday_start,
    workday_end,
    workdays,
    booking_date,
    booking_tolerance_days,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'settings__org')) }}
where _broken_rules is null
qualify dense_rank() over (order by _known_from desc nulls last, _load_id desc nulls last) = 1
