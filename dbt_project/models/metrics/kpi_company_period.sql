{{ kpi_period([]) }}
