"""Incentives: plan and board files, how components pay, their tables in the lake, the linter, and the explanation of a commission line.

What belongs here: what a plan file may say, reading and checking it, bringing it into the lake, and telling how a line came about. What
does not: the calculation of credits, attainment and lines, which is SQL (`dbt_project/models/**/incentives`), anything that talks to a
source, and Dagster.
"""
