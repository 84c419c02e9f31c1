-- Each stated quota in the reporting currency, at the rate of its first day; of a period that has not begun, at the rate of the as-of day. For the
-- rep as placed when the period begins.
with context as (select * from {{ ref('int_run_context') }})

select
    identities.rep_id,
    quotas.period_start,
    coalesce(rep_versions.team_id, 'unassigned') as team_id,
    coalesce(rep_versions.territory_id, 'unassigned') as territory_id,
    {{ in_reporting_currency('quotas.quota_amount', 'coalesce(quotas.currency, context.reporting_currency)') }} as quota_amount,
    context.reporting_currency as currency
from {{ ref('int_quotas__stated') }} as quotas
cross join context
inner join {{ ref('int_reps__identities') }} as identities on quotas.employee_id = identities.employee_id
{{ join_rate('coalesce(quotas.currency, context.reporting_currency)', 'least(quotas.period_start, context.as_of_date)') }}
{{ join_rep_version('identities.rep_id', utc_time('quotas.period_start', 'context.business_timezone')) }}
