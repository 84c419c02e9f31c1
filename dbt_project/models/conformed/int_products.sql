{{ config(materialized='view') }}
select
    product_id,
    'salesforce' as source,
    product_name,
    product_code,
    family,
    cast(null as decimal(28, 2)) as stated_list_price,
    is_active and not is_deleted as is_active
from {{ ref('stg_salesforce__products') }}
union all
select
    product_id,
    'files',
    product_name,
    cast(null as {{ text_type() }}),
    family,
    list_price_amount,
    true
from {{ ref('stg_files__products') }}
