select
    trim(product_code) as product_code,
    cast(valid_from as date) as valid_from,
    cast(unit_cost as decimal(28, 2)) as unit_cost_amount,
    currency,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'feed__product_costs')) }}
{{ latest_version('trim(product_code), valid_from') }}
