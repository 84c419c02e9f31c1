with context as (select * from {{ ref('int_run_context') }}),

currencies as (select * from {{ ref('stg_salesforce__currency_types') }}),

dated as (select * from {{ ref('stg_salesforce__dated_conversion_rates') }}),

feed as (select * from {{ ref('stg_feeds__exchange_rates') }}),

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

bases as (
    select currency from corporate
    union
    select reporting_currency from context
    union
    select from_currency from feed
),

ranges as (
    select
        currency as base_currency,
        currency,
        cast(1 as decimal(18, 10)) as rate,
        date '1900-01-01' as valid_from,
        date '9999-12-31' as valid_to,
        1 as preference
    from bases
    union all
    select
        corporate.currency,
        dated.currency,
        dated.conversion_rate,
        dated.start_date,
        coalesce(dated.next_start_date, date '9999-12-31'),
        2
    from dated
    cross join corporate
    union all
    select
        from_currency,
        to_currency,
        rate,
        rate_date,
        coalesce(
            lead(rate_date) over (partition by from_currency, to_currency order by rate_date asc nulls last), date '9999-12-31'
        ),
        3
    from feed
    union all
    -- Where nobody has dated exchange rates the static one of the currency holds on every day.
    select
        corporate.currency,
        currencies.currency,
        currencies.conversion_rate,
        date '1900-01-01',
        date '9999-12-31',
        4
    from currencies
    cross join corporate
    where not exists (select 1 from dated) and not exists (select 1 from feed)
)

select
    ranges.base_currency,
    ranges.currency,
    days.date_day,
    ranges.rate,
    ranges.base_currency in (select corporate.currency from corporate) as is_corporate_base
from ranges
inner join {{ ref('int_calendar__days') }} as days on ranges.valid_from <= days.date_day and ranges.valid_to > days.date_day
qualify row_number() over (
    partition by ranges.base_currency, ranges.currency, days.date_day order by ranges.preference asc nulls last, ranges.rate desc nulls last
) = 1
