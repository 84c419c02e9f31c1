{{ config(materialized='view') }}
select
    stage_name,
    stage,
    stage_order,
    category,
    is_qualified_pipeline,
    probability
from {{ ref('stg_settings__stages') }}
