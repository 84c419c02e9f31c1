select
    account_id,
    account_name,
    industry,
    country,
    try_cast(employee_count as integer) as employee_count,
    try_cast(annual_revenue as decimal(28, 2)) as annual_revenue,
    parent_account_id,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'files__account')) }}
where _broken_rules is null
qualify row_number() over (
    partition by account_id
    order by _known_from desc nulls last, _load_id desc nulls last
) = 1
