"""What the company expects: a calibrated lead score and a revenue forecast with intervals.

What belongs here: fitting, scoring and evaluating models on features that dbt built, and writing predictions to the
lake. What does not: computing features from raw data (SQL, `dbt_project/models/predictions`), defining "won" or "open"
(the core marts), scheduling (orchestration), and the wall clock: every function takes its as-of instant.
"""
