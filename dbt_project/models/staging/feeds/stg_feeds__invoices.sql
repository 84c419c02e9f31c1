select
    trim(invoice_id) as invoice_id,
    trim(opportunity_id) as opportunity_id,
    cast(invoice_date as date) as invoice_date,
    cast(amount as decimal(28, 2)) as amount,
    currency,
    try_cast(due_date as date) as due_date,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'feed__invoices')) }}
{{ latest_version('trim(invoice_id)') }}
