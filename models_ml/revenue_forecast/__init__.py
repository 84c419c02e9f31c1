"""Revenue forecast: what company, teams and reps will book in the coming months, fiscal quarters and the fiscal year.

A forecast is the amount booked so far, plus the expected yield of the open pipeline, plus what deals not yet in the
pipeline usually add. What belongs here: these three parts, their intervals, and the errors of earlier forecasts. What
does not: computing pipeline or bookings (dbt), quotas and pay. Orchestration runs `forecast_revenue`.
"""

from models_ml.revenue_forecast.step import forecast_revenue

__all__ = ["forecast_revenue"]
