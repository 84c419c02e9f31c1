select
    accounts.account_id,
    accounts.account_name,
    accounts.industry,
    accounts.country,
    accounts.employee_count,
    accounts.annual_revenue,
    accounts.currency,
    accounts.parent_account_id,
    accounts.account_type,
    accounts.is_person_account,
    accounts.owner_id,
    accounts.created_at,
    accounts.master_record_id as merged_into_id,
    accounts.is_deleted
from {{ ref('stg_salesforce__accounts') }} as accounts
union all
select
    account_id,
    account_name,
    industry,
    country,
    employee_count,
    cast(annual_revenue as decimal(28, 2)),
    cast(null as varchar),
    parent_account_id,
    cast(null as varchar),
    false,
    cast(null as varchar),
    cast(null as timestamp),
    cast(null as varchar),
    false
from {{ ref('stg_files__accounts') }}
