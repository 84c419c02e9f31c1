select
    {{ key_without_address('account_id') }} as account_id,
    account_name,
    industry,
    country,
    try_cast(employee_count as integer) as employee_count,
    try_cast(annual_revenue as decimal(28, 2)) as annual_revenue,
    {{ key_without_address('parent_account_id') }} as parent_account_id,
    coalesce(cast(is_deleted as boolean), false) as is_deleted,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'files__account')) }}
{{ latest_version('account_id') }}
