"""Sources into the lake: Salesforce, mail, call logs, files, feeds and the operator's settings.

What belongs here: talking to a source, turning its records into text rows with the source's own names, checking them against a contract
and landing them as one commit. What does not: renaming, casting or joining (dbt's staging does), metrics, and anything that knows Dagster.
The rooms: `sources/` with a folder per kind of source, `contracts/` for the words that rules are written in, `landing/` for the one door into
the lake, `settings/` for config/.
"""

import storage  # noqa: F401 - before anything imports pyarrow, whose allocator it chooses
