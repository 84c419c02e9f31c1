-- Each stated quota in the reporting currency, at the rate of its first day; of a period that has not begun, at the rate of the as-of day.
with context as (select * from {{ ref('int_run_context') }})

select
    identities.rep_id,
    quotas.period_start,
    {{ convert_amount('quotas.quota_amount', 'rates.rate', 'rates.reporting_rate') }} as quota_amount,
    context.reporting_currency as currency
from {{ ref('int_quotas__stated') }} as quotas
cross join context
inner join {{ ref('int_reps__identities') }} as identities on quotas.employee_id = identities.employee_id
left join {{ ref('int_currency__daily_rates') }} as rates
    on
        coalesce(quotas.currency, context.reporting_currency) = rates.currency
        and least(quotas.period_start, context.as_of_date) = rates.date_day
