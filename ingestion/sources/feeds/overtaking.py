"""Detect a dropped file that overtook another: it was taken after a file of its feed with a later name.

Within a feed a later name corrects an earlier one, and what lands later wins. A file that was refused and then fixed,
or that came late, lands after the files meant to correct it. That matters only where both contain the same record.
"""

from __future__ import annotations

from itertools import dropwhile, islice

from ingestion.sources.feeds.catalogue import Feed
from ingestion.sources.feeds.ingest import dropped_file_of
from storage.lake import BROKEN_RULES, LOAD_ID, Lake
from storage.sql import quote_name


def describe_overtaking(lake: Lake, feed: Feed, name: str, load_id: str) -> str:
    """What an operator should know about a file that overtook others; blank if it overtook none.

    Args:
        lake: The lake, with the file's load.
        feed: The file's feed.
        name: The file's name.
        load_id: Its load; blank where nothing in it was new.
    """
    counts = _count_shared(lake, feed, name, load_id)
    if not counts:
        return ""
    shared = ", ".join(f"{count} of {other}" for other, count in counts.items())
    return (
        f"{name} was taken after {', '.join(counts)}, although its name comes before. Where both name a record, {name} now holds ({shared}). "
        f"If that is wrong, drop the right rows once more in a file whose name comes last; the very same bytes would count as taken."
    )


def _count_shared(lake: Lake, feed: Feed, name: str, load_id: str) -> dict[str, int]:
    """Per later name that was taken before this file: how many of its records this file now overrides."""
    before = islice(dropwhile(lambda load: load.load_id != load_id, lake.loads(feed.table)), 1, None)
    overtaken = {load.load_id: other for load in before if (other := dropped_file_of(load)) > name}
    if not overtaken:
        return {}
    key = ", ".join(quote_name(column) for column in feed.key)
    rows = lake.query(
        feed.table,
        f"""
        with overtaken as (select unnest($loads) as {LOAD_ID}, unnest($files) as file),
        theirs as (select distinct file, {key} from lake inner join overtaken using ({LOAD_ID}) where {BROKEN_RULES} is null)
        select file, count(*) as records
        from theirs
        semi join (select {key} from lake where {LOAD_ID} = $load and {BROKEN_RULES} is null) as ours using ({key})
        group by file
        order by file
        """,
        {"loads": list(overtaken), "files": list(overtaken.values()), "load": load_id},
    )
    return {row["file"]: row["records"] for row in rows.to_pylist()} if rows is not None else {}
