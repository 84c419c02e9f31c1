{{ config(materialized='view') }}
{{ kpi_grain('rep', 'week') }}
