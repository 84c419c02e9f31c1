{{ config(materialized='view') }}
-- A territory is in force while its model is active; without models (or where they may not be read) every territory is.
select
    territories.territory_id,
    territories.territory_name,
    territories.developer_name,
    territories.parent_territory_id,
    coalesce(models.state = 'Active', true) as is_in_force
from {{ ref('stg_salesforce__territories') }} as territories
left join {{ ref('stg_salesforce__territory_models') }} as models on territories.territory_model_id = models.territory_model_id
