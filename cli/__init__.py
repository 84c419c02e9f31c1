"""The `salesops` command: thin commands that import what they need when they need it.

What belongs here: arguments, progress, what is printed, exit codes. What does not: anything a scheduled run needs too.
"""

import storage  # noqa: F401 - must come before anything imports pyarrow: storage chooses its allocator
