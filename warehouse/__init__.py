"""What to build in the warehouse, and how.

What belongs here: what is generated from the metric registry. What does not: Dagster, and what the marts are published as.
"""
