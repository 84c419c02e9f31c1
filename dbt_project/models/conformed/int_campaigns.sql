{{ config(materialized='view') }}
select
    campaign_id,
    campaign_name,
    campaign_type,
    status,
    start_date,
    end_date,
    budgeted_cost_amount,
    actual_cost_amount,
    currency,
    is_active
from {{ ref('stg_salesforce__campaigns') }}
where not is_deleted
