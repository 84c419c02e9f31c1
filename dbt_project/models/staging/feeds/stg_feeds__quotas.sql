select
    employee_id,
    cast(period_start as date) as period_start,
    cast(quota_amount as decimal(28, 2)) as quota_amount,
    currency,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'feed__quotas')) }}
where _broken_rules is null
qualify row_number() over (
    partition by employee_id, period_start
    order by _known_from desc nulls last, _load_id desc nulls last
) = 1
