{{ config(materialized='view') }}
{{ kpi_grain('company', 'week') }}
