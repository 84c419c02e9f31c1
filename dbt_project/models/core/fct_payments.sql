select
    payments.payment_id,
    payments.invoice_id,
    invoices.opportunity_id,
    invoices.rep_id,
    coalesce(rep_versions.team_id, 'unassigned') as team_id,
    coalesce(rep_versions.territory_id, 'unassigned') as territory_id,
    payments.payment_date,
    payments.amount,
    coalesce(payments.currency, invoices.currency, context.reporting_currency) as currency,
    {{ in_reporting_currency('payments.amount', 'coalesce(payments.currency, invoices.currency, context.reporting_currency)') }} as amount_reporting,
    payments.payment_date <= context.as_of_date as is_counted,
    payments.load_id,
    payments.known_from
from {{ ref('int_payments') }} as payments
cross join {{ ref('int_run_context') }} as context
left join {{ ref('fct_invoices') }} as invoices on payments.invoice_id = invoices.invoice_id
{{ join_rep_version('invoices.rep_id', utc_time('payments.payment_date', 'context.business_timezone')) }}
{{ join_rate('coalesce(payments.currency, invoices.currency, context.reporting_currency)', 'payments.payment_date') }}
