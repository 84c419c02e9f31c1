{{ config(materialized='view') }}
select
    status_name,
    status
from {{ ref('stg_settings__lead_statuses') }}
