{{ config(materialized='view') }}
select
    territory_id,
    territory_name,
    developer_name,
    parent_territory_id
from {{ ref('stg_salesforce__territories') }}
