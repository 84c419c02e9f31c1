with context as (select * from {{ ref('int_run_context') }}),

currencies as (select * from {{ ref('stg_salesforce__currency_types') }}),

dated as (select * from {{ ref('stg_salesforce__dated_conversion_rates') }}),

-- A source without currencies (files, a single-currency CRM) counts in the reporting currency.
corporate as (
    select currency from currencies
    where is_corporate
    union all
    select reporting_currency from context
    where not exists (
        select 1 from currencies
        where is_corporate
    )
),

ranges as (
    select
        currency,
        cast(1 as decimal(18, 10)) as rate,
        date '1900-01-01' as valid_from,
        date '9999-12-31' as valid_to
    from corporate
    union all
    select
        currency,
        conversion_rate,
        start_date,
        coalesce(next_start_date, date '9999-12-31')
    from dated
    where currency not in (select corporate.currency from corporate)
    union all
    -- Without dated exchange rates the static one of the currency holds on every day.
    select
        currency,
        conversion_rate,
        date '1900-01-01',
        date '9999-12-31'
    from currencies
    where not is_corporate and not exists (select 1 from dated)
),

daily as (
    select
        ranges.currency,
        days.date_day,
        max(ranges.rate) as rate
    from ranges
    inner join {{ ref('int_calendar__days') }} as days on ranges.valid_from <= days.date_day and ranges.valid_to > days.date_day
    group by ranges.currency, days.date_day
)

select
    daily.currency,
    daily.date_day,
    daily.rate,
    reporting.rate as reporting_rate
from daily
cross join context
left join daily as reporting on daily.date_day = reporting.date_day and context.reporting_currency = reporting.currency
