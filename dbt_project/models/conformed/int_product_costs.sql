{{ config(materialized='view') }}
select
    product_code,
    valid_from,
    unit_cost_amount,
    currency,
    load_id,
    known_from
from {{ ref('stg_feeds__product_costs') }}
