select
    product_id,
    product_name,
    family,
    cast(list_price as decimal(28, 2)) as list_price_amount,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'files__product')) }}
{{ latest_version('product_id') }}
