{{ config(materialized='view') }}
select
    employee_id,
    start_date,
    end_date,
    kind,
    load_id,
    known_from
from {{ ref('stg_feeds__absences') }}
