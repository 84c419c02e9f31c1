select
    employee_id,
    period_start,
    quota_amount,
    currency,
    load_id,
    known_from
from {{ ref('stg_feeds__quotas') }}
