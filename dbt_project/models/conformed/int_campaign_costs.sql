{{ config(materialized='view') }}
select
    campaign_id,
    cost_date,
    amount,
    currency
from {{ ref('stg_feeds__campaign_costs') }}
