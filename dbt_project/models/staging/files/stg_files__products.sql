select
    product_id,
    product_name,
    family,
    cast(list_price as decimal(28, 2)) as list_price_amount,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'files__product')) }}
where _broken_rules is null
qualify row_number() over (
    partition by product_id
    order by _known_from desc nulls last, _load_id desc nulls last
) = 1
