{{ config(materialized='view') }}
{{ kpi_grain('rep', 'day') }}
