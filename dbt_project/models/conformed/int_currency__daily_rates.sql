with context as (select * from {{ ref('int_run_context') }}),

quotes as (select * from {{ ref('int_currency__quotes') }})

-- Both rates are read against one base, so that converting by way of it needs one division and rounds once.
select
    quoted.currency,
    quoted.date_day,
    quoted.base_currency,
    quoted.rate,
    reporting.rate as reporting_rate
from quotes as quoted
inner join quotes as reporting on quoted.base_currency = reporting.base_currency and quoted.date_day = reporting.date_day
inner join context on reporting.currency = context.reporting_currency
qualify row_number() over (
    partition by quoted.currency, quoted.date_day
    order by
        quoted.is_corporate_base desc nulls last,
        quoted.base_currency = context.reporting_currency desc nulls last,
        quoted.base_currency = quoted.currency desc nulls last,
        quoted.base_currency asc nulls last
) = 1
