"""Revenue forecast: what company, teams and reps will book in the coming months, fiscal quarters and the fiscal year.

A forecast is booked so far + what the open pipeline is likely to yield + what deals not yet in the pipeline usually add. What belongs
here: these three, their intervals, and how far off earlier forecasts would have been. What does not: computing pipeline or bookings (dbt),
quotas and pay. The step that orchestration runs is `forecast_revenue`.
"""

from models_ml.revenue_forecast.step import forecast_revenue

__all__ = ["forecast_revenue"]
