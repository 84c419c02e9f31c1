select
    trim(payment_id) as payment_id,
    trim(invoice_id) as invoice_id,
    cast(payment_date as date) as payment_date,
    cast(amount as decimal(28, 2)) as amount,
    currency,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'feed__payments')) }}
{{ latest_version('trim(payment_id)') }}
