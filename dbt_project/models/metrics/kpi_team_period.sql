{{ period_mart('team', 'team_id') }}
