"""Lake → warehouse: what a build reads, dbt in this process, scenario builds, files generated from the metrics.

What belongs here: what to build and how. What does not: the SQL (`dbt_project`), which step runs when
(`orchestration`), and what readers get (`publishing`, whose manifests are passed in).
"""
