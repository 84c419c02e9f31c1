-- An opportunity is matched as it was stated, else by its long id.
with deals as (select opportunity_id from {{ ref('int_opportunities') }}),

deals_by_long_id as (
    {{ records_by_long_id('deals', 'opportunity_id') }}
)

select
    invoices.invoice_id,
    coalesce(stated.opportunity_id, deals_by_long_id.record_id, trim(invoices.opportunity_id)) as opportunity_id,
    invoices.invoice_date,
    invoices.due_date,
    invoices.amount,
    invoices.currency,
    invoices.load_id,
    invoices.known_from
from {{ ref('stg_feeds__invoices') }} as invoices
left join deals as stated on trim(invoices.opportunity_id) = stated.opportunity_id
left join deals_by_long_id on {{ long_record_id('invoices.opportunity_id') }} = deals_by_long_id.long_id
