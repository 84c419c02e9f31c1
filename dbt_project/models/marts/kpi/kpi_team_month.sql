{{ config(materialized='view') }}
{{ kpi_grain('team', 'month') }}
