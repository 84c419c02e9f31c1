{{ config(materialized='view') }}
select
    account_id,
    'salesforce' as source,
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
    master_record_id as merged_into_id,
    is_deleted
from {{ ref('stg_salesforce__accounts') }}
union all
select
    account_id,
    'files',
    account_name,
    industry,
    country,
    employee_count,
    annual_revenue,
    cast(null as {{ text_type() }}),
    parent_account_id,
    cast(null as {{ text_type() }}),
    false,
    cast(null as {{ text_type() }}),
    cast(null as timestamp),
    cast(null as {{ text_type() }}),
    is_deleted
from {{ ref('stg_files__accounts') }}
