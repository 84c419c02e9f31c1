select
    account_id,
    account_name,
    industry,
    country,
    employee_count,
    annual_revenue,
    currency,
    parent_account_id,
    account_type,
    is_person_account,
    owner_id,
    created_at,
    merged_into_id,
    is_deleted
from {{ ref('int_accounts') }}
