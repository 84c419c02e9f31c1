"""The only package that imports Dagster: definitions, assets, checks, jobs, schedules, resources.

What belongs here: which step runs after which, on what, and what it reports. What does not: how the work is done. An
asset reads, calls a function of another package, writes, and reports metadata.
"""

import storage  # noqa: F401 - must come before anything imports pyarrow: storage chooses its allocator
