"""Lake → warehouse: what a build reads, dbt in this process, builds of scenarios, and what is generated from the metric registry.

What belongs here: what to build and how. What does not: the SQL (`dbt_project`), which step runs when (`orchestration`),
and what readers get (`publishing`, whose manifests are handed in).
"""
