"""Sources into the lake: Salesforce, mail, call logs, files, feeds and the operator's settings.

What belongs here: talking to a source, turning its records into text rows with the source's own names, checking them
against a contract and landing them as one commit. What does not: renaming, casting or joining (dbt staging does that),
metrics, and anything that imports Dagster.
Packages: `sources/` has a folder per kind of source, `contracts/` the vocabulary of rules, `landing/` the way of a
source's load into the lake, `settings/` the loading of config/.
"""

import storage  # noqa: F401 - before anything imports pyarrow, whose allocator it chooses
