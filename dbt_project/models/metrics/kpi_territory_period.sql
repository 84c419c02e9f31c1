{{ period_mart('territory', 'territory_id') }}
