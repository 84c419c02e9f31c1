{{ config(materialized='view') }}
select
    product_id,
    unit_price,
    currency
from {{ ref('stg_salesforce__pricebook_entries') }}
where is_active and not is_deleted
