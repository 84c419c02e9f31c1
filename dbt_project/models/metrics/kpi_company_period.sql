{{ period_mart('company') }}
