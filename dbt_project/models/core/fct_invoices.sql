select
    invoices.invoice_id,
    invoices.opportunity_id,
    deals.rep_id,
    coalesce(rep_versions.team_id, 'unassigned') as team_id,
    coalesce(rep_versions.territory_id, 'unassigned') as territory_id,
    invoices.invoice_date,
    invoices.due_date,
    invoices.amount,
    coalesce(invoices.currency, context.reporting_currency) as currency,
    {{ in_reporting_currency('invoices.amount', 'coalesce(invoices.currency, context.reporting_currency)') }} as amount_reporting,
    invoices.invoice_date <= context.as_of_date as is_counted,
    invoices.load_id,
    invoices.known_from
from {{ ref('int_invoices') }} as invoices
cross join {{ ref('int_run_context') }} as context
left join {{ ref('fct_opportunities') }} as deals on invoices.opportunity_id = deals.opportunity_id
{{ join_rep_version('deals.rep_id', utc_time('invoices.invoice_date', 'context.business_timezone')) }}
{{ join_rate('coalesce(invoices.currency, context.reporting_currency)', 'invoices.invoice_date') }}
