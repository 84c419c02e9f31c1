{{ kpi_period(['team_id']) }}
