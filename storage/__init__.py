"""The ground floor: settings and home folder, the lake, and the doors to the warehouse and the published set.

What belongs here: where things lie on disk and how they are written so that nothing is lost. What does not: anything that knows
a source, a metric, a model or Dagster.
"""

import os
import sys

# pyarrow reads this when it is first imported, so it stands on the ground floor, whose door every other package comes through before. A load takes
# less memory and is faster with it than with pyarrow's own choice (docs/benchmarks.md): pages and batches come and go by the megabyte, on several
# threads. All of pyarrow's wheels for Linux have it; elsewhere pyarrow would complain where it lacks it.
if sys.platform == "linux":
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "jemalloc")
