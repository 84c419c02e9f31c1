"""Records that a feed's new file no longer has: withdrawn if the feed is complete, else named in a notice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from ingestion.landing.comparison import same_values
from ingestion.sources.feeds.catalogue import Feed
from ingestion.sources.feeds.config_file import FeedReading
from ingestion.sources.feeds.ingest import open_feed_file
from storage.file_queries import query_files, read_files
from storage.lake import BROKEN_RULES, LOAD_ID, Lake
from storage.sql import quote_name
from storage.withdrawals import Withdrawal, log_withdrawals, read_withdrawals, standing_rows

BELIEVED_RECORDS = 5  # this few may be missing whatever their share
_EXAMPLES = 3

Row = dict[str, str]


def settle_absent(
    lake: Lake,
    feed: Feed,
    path: Path,
    *,
    reading: FeedReading,
    earlier_loads: Callable[[], Collection[str]],
    how_again: str,
    known_at: datetime,
    run_id: str,
) -> str:
    """Find the records in force that a file lacks, and withdraw them if the feed is complete.

    Call it when the file's own rows have landed. Calling it again changes nothing, so a run that was killed before it
    is made good by the next.

    Args:
        lake: The lake.
        feed: The file's feed.
        path: The file, the newest of its feed.
        reading: Which feeds are complete.
        earlier_loads: Finds the loads of earlier files of this name. In a feed that is not complete only their records
            can be missed.
        how_again: What has the file looked at again, for a notice that doubts it.
        known_at: The run's instant, with a time zone.
        run_id: The orchestrator's run.

    Returns:
        What to report; blank if the file lacks nothing.

    Raises:
        StorageError: The lake cannot be written.
    """
    is_complete = feed.name in reading.complete
    loads = None if is_complete else earlier_loads()
    if not lake.local_files(feed.table) or (loads is not None and not loads):
        return ""
    withdrawals = [entry for _, entry in read_withdrawals(lake, feed.table)]
    alive, found_absent = _find_absent(lake, feed, path, loads, withdrawals)
    # What an operator reinstated stays in force, as long as its row is the newest of its record.
    reinstated = {entry.withdrawal_id for entry in withdrawals if not entry.is_in_force}
    entries = [_entry(feed, row, f"{path.name} no longer has it") for row in found_absent]
    entries = [entry for entry in entries if entry.withdrawal_id not in reinstated]
    if not entries:
        return ""
    absent = [entry.key for entry in entries]
    is_one = len(absent) == 1
    what = "1 record that is" if is_one else f"{len(absent):,} records that are"
    private = {column.name for column in feed.columns if column.is_private}
    examples = (" ".join(value for name, value in row.items() if name not in private) for row in absent[:_EXAMPLES])
    shown = "; ".join(examples) + (" …" if len(absent) > _EXAMPLES else "")
    found = f"{path.name} lacks {what} in force: {shown}."
    if not is_complete:
        return (
            f"{found} {'It stays' if is_one else 'They stay'}. To take {'it' if is_one else 'one'} back: `salesops lake withdraw {feed.table} "
            f"{' '.join(f'--key {column}=…' for column in feed.key)} --reason …`. If every file of the feed holds all "
            f"records, name {feed.name} under `complete` in config/feeds.yml."
        )
    is_believed = len(absent) < alive and (
        len(absent) <= BELIEVED_RECORDS or len(absent) <= reading.vanished_share * alive
    )
    if not is_believed and reading.vanished_share < 1:
        return (
            f"{found} That is too large a share of {alive:,} to believe, so nothing was withdrawn. If they are gone on "
            f"purpose, raise vanished_share in config/feeds.yml and {how_again}."
        )
    log_withdrawals(lake, entries, known_at=known_at, run_id=run_id)
    return f"{found} {'It was' if is_one else 'They were'} withdrawn, because the feed is complete."


def _find_absent(
    lake: Lake, feed: Feed, path: Path, loads: Collection[str] | None, withdrawals: Sequence[Withdrawal]
) -> tuple[int, Sequence[Row]]:
    """How many records are in force, and the key and load of those that the file lacks; only those of `loads`, if given."""
    key = ", ".join(map(quote_name, feed.key))
    newest = f"qualify row_number() over (partition by {key} order by {LOAD_ID} desc) = 1"
    with query_files() as connection:
        in_force = [entry for entry in withdrawals if entry.is_in_force]
        rows = standing_rows(connection, read_files(lake.local_files(feed.table)), in_force)
        connection.execute(
            f"create or replace temp table in_force as select {key}, {LOAD_ID} from {rows} where {BROKEN_RULES} is null {newest}"
        )
        keys = pa.Table.from_batches(
            [batch.select(list(feed.key)) for batch in open_feed_file(feed, path).batches],
            schema=pa.schema([(name, pa.string()) for name in feed.key]),
        )
        connection.register("in_file", keys)
        ((alive,),) = connection.sql("select count(*) from in_force").fetchall()
        of_loads = f"where list_contains($loads, in_force.{LOAD_ID})" if loads is not None else ""
        absent = connection.sql(
            f"select {key}, {LOAD_ID} from in_force anti join in_file on {same_values('in_force', 'in_file', feed.key)} {of_loads} order by all",
            params={"loads": sorted(loads)} if loads is not None else {},
        ).to_arrow_table()
    return int(alive), absent.to_pylist()


def _entry(feed: Feed, row: Row, reason: str) -> Withdrawal:
    load_id, key = row[LOAD_ID], json.dumps({column: row[column].strip() for column in feed.key})
    # Its id is made from what it withdraws, so that a second look at the same file finds it logged.
    digest = hashlib.blake2b(f"{load_id} {key}".encode(), digest_size=6).hexdigest()
    return Withdrawal(f"absence:{feed.table}:{digest}", feed.table, "absence", load_id, key, reason, 1)
