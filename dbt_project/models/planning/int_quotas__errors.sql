-- Quotas of employees whom nobody knows, or without a rate: they count for no one.
with context as (select * from {{ ref('int_run_context') }}),

identities as (
    select record_id as employee_id from {{ ref('int_reps__people') }}
    where record_kind = 'employee'
),

quotas as (
    select
        quotas.*,
        concat(quotas.employee_id, '/', cast(quotas.period_start as {{ text_type() }})) as quota_id
    from {{ ref('int_quotas__stated') }} as quotas
),

found as (
    select
        quotas.quota_id,
        'employee_is_unknown' as rule,
        quotas.employee_id as stated_value
    from quotas
    left join identities on quotas.employee_id = identities.employee_id
    where identities.employee_id is null
    union all
    select
        quotas.quota_id,
        'exchange_rate_is_missing',
        {{ missing_rate('quotas.currency', 'least(quotas.period_start, context.as_of_date)') }}
    from quotas
    cross join context
    {{ join_rate('quotas.currency', 'least(quotas.period_start, context.as_of_date)') }}
    where quotas.currency <> context.reporting_currency and rates.rate is null
)

select
    'quota' as record_type,
    found.quota_id as record_id,
    found.rule,
    found.stated_value,
    'feeds' as source,
    quotas.load_id,
    quotas.known_from
from found
inner join quotas on found.quota_id = quotas.quota_id
