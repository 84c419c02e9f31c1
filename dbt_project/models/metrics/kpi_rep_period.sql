{{ kpi_period(['rep_id']) }}
