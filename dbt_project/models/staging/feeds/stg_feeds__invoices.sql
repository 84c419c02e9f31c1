select
    invoice_id,
    opportunity_id,
    cast(invoice_date as date) as invoice_date,
    cast(amount as decimal(28, 2)) as amount,
    currency,
    try_cast(due_date as date) as due_date,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'feed__invoices')) }}
where _broken_rules is null
qualify row_number() over (
    partition by invoice_id
    order by _known_from desc nulls last, _load_id desc nulls last
) = 1
