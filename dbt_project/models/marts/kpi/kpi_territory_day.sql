{{ config(materialized='view') }}
{{ kpi_grain('territory', 'day') }}
