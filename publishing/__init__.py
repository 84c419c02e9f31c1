"""Published sets: what BI tools, the report and the command line read.

What belongs here: copying finished marts out of the warehouse so that readers see the old set or the new one, never a part. What does
not: computing a figure (dbt), or reading the lake.
"""
