{{ config(materialized='view') }}
select
    employee_id,
    start_date,
    end_date,
    kind
from {{ ref('stg_feeds__absences') }}
