select
    trim(employee_id) as employee_id,
    cast(period_start as date) as period_start,
    cast(quota_amount as decimal(28, 2)) as quota_amount,
    currency,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'feed__quotas')) }}
{{ latest_version('trim(employee_id), period_start') }}
