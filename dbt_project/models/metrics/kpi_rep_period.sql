{{ period_mart('rep', 'rep_id') }}
