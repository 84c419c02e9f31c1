-- Invoices and payments that fit no deal or have no rate. They count for the company, without a rep.
with context as (select * from {{ ref('int_run_context') }}),

found as (
    select
        'invoice' as record_type,
        invoices.invoice_id as record_id,
        'opportunity_is_unknown' as rule,
        invoices.opportunity_id as stated_value,
        invoices.load_id,
        invoices.known_from
    from {{ ref('fct_invoices') }} as invoices
    left join {{ ref('fct_opportunities') }} as deals on invoices.opportunity_id = deals.opportunity_id
    where invoices.opportunity_id is not null and deals.opportunity_id is null
    union all
    select
        'invoice',
        invoices.invoice_id,
        'exchange_rate_is_missing',
        {{ missing_rate('invoices.currency', 'invoices.invoice_date') }},
        invoices.load_id,
        invoices.known_from
    from {{ ref('fct_invoices') }} as invoices
    cross join context
    where invoices.amount is not null and invoices.amount_reporting is null
    union all
    select
        'payment',
        payments.payment_id,
        'invoice_is_unknown',
        payments.invoice_id,
        payments.load_id,
        payments.known_from
    from {{ ref('fct_payments') }} as payments
    left join {{ ref('fct_invoices') }} as invoices on payments.invoice_id = invoices.invoice_id
    where payments.invoice_id is not null and invoices.invoice_id is null
    union all
    select
        'payment',
        payments.payment_id,
        'exchange_rate_is_missing',
        {{ missing_rate('payments.currency', 'payments.payment_date') }},
        payments.load_id,
        payments.known_from
    from {{ ref('fct_payments') }} as payments
    cross join context
    where payments.amount is not null and payments.amount_reporting is null
)

select
    record_type,
    record_id,
    rule,
    stated_value,
    'feeds' as source,
    load_id,
    known_from
from found
