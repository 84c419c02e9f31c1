"""The ground floor: settings and home folder, the lake, and the doors to the warehouse and the published set.

What belongs here: where things lie on disk and how they are written so that nothing is lost. What does not: anything that knows
a source, a metric, a model or Dagster.
"""
