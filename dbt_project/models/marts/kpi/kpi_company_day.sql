{{ config(materialized='view') }}
{{ kpi_grain('company', 'day') }}
