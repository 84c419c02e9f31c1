"""The ground floor: settings and home folder, the lake, and access to the warehouse and the published set.

What belongs here: where things are on disk, and how they are written so that nothing is lost. What does not: anything
about a source, a metric, a model or Dagster.
"""

import os
import sys

# pyarrow reads this on its first import, so it is set here, and the packages that start a process which lands rows
# (orchestration, cli, ingestion) import this one before anything else. With jemalloc a load takes less time and memory
# than with pyarrow's default (docs/benchmarks.md): pages and batches come and go by the megabyte, on several threads.
# pyarrow's Linux wheels include it; where it is missing, pyarrow says so and uses its default.
if sys.platform == "linux":
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "jemalloc")
