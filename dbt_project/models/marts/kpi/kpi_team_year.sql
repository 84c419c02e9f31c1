{{ config(materialized='view') }}
{{ kpi_grain('team', 'year') }}
