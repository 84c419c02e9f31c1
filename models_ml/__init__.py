"""What the company expects: a calibrated lead score and a revenue forecast with intervals.

What belongs here: fitting, scoring and judging models on features that dbt built, and writing what they said to the lake. What does
not: computing a feature from raw data (that is SQL, `dbt_project/models/predictions`), deciding what "won" or "open" means (the
core marts), scheduling (orchestration), and the wall clock: every function takes its as-of instant.
"""
