select
    product_code,
    cast(valid_from as date) as valid_from,
    cast(unit_cost as decimal(28, 2)) as unit_cost_amount,
    currency,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'feed__product_costs')) }}
where _broken_rules is null
qualify row_number() over (
    partition by product_code, valid_from
    order by _known_from desc nulls last, _load_id desc nulls last
) = 1
