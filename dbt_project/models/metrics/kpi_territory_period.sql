{{ kpi_period(['territory_id']) }}
