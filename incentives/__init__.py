"""Incentives: plan and board files, how components pay, their lake tables, the linter, and explained commission lines.

What belongs here: the contents of plan files, reading and checking them, loading them into the lake, and explaining a
line. What does not: the calculation of credits, attainment and lines, which is SQL
(`dbt_project/models/**/incentives`), anything that talks to a source, and Dagster.
"""
