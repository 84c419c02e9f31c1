"""The ground floor: settings and home folder, the lake, and the doors to the warehouse and the published set.

What belongs here: where things lie on disk and how they are written so that nothing is lost. What does not: anything that knows
a source, a metric, a model or Dagster.
"""

import os
import sys

# pyarrow reads this when it is first imported. So it stands on the ground floor, and the packages by which a process that lands rows comes in
# (orchestration, cli, ingestion) import this one before anything else. A load takes less time and memory with it than with pyarrow's own choice
# (docs/benchmarks.md): pages and batches come and go by the megabyte, on several threads. pyarrow's wheels for Linux have it; where it is lacking,
# pyarrow says so and takes its own choice.
if sys.platform == "linux":
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "jemalloc")
