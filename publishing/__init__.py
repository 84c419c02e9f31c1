"""Published sets: what BI tools, the report and the command line read.

What belongs here: copying finished marts out of the warehouse so that readers see the old set or the new one, never a
mix. What does not: computing figures (dbt), or reading the lake.
"""
