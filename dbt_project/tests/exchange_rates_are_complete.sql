-- Every amount that is converted has a rate on its day. The message names each pair and day that lacks one.
with context as (select * from {{ ref('int_run_context') }}),

missing as (
    select
        currency,
        rate_date as day
    from {{ ref('fct_opportunities') }}
    where is_counted and amount is not null and amount_reporting is null
    union
    select
        currency,
        invoice_date
    from {{ ref('fct_invoices') }}
    where is_counted and amount_reporting is null
    union
    select
        currency,
        payment_date
    from {{ ref('fct_payments') }}
    where is_counted and amount_reporting is null
    union
    select
        currency,
        date_day
    from {{ ref('fct_pipeline_daily') }}
    where amount is not null and amount_reporting is null
    union
    select
        quotas.currency,
        quotas.period_start
    from {{ ref('stg_feeds__quotas') }} as quotas
    cross join context
    where
        quotas.period_start <= context.as_of_date
        and quotas.currency not in (select rates.currency from {{ ref('int_currency__daily_rates') }} as rates)
),

named as (
    select
        missing.currency,
        missing.day,
        concat(missing.currency, ' to ', context.reporting_currency, ' on ', cast(missing.day as {{ text_type() }})) as currency_and_day
    from missing
    cross join context
)

select
    {{ raise_error(
        "concat('No exchange rate for ', " ~ joined_text("currency_and_day", "; ", "currency, day") ~ ",
        '. Add it to DatedConversionRate in Salesforce or to the feed exchange_rates, and run again.')"
    ) }} as message
from named
having count(*) > 0
