"""Land one feed's file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.contracts.rules import DATE
from ingestion.landing import Delivery, LandingReport, land
from ingestion.sources.feeds.catalogue import Feed
from ingestion.sources.files.errors import FileUnreadable
from ingestion.sources.files.tabular import TabularStream, hash_file, open_tabular, require_columns
from storage.lake import Lake, LoadRecord

HASH_DETAIL = "sha256"
_FILE_DETAIL = "file"
_DELIVERY_DETAIL = "delivery"
_DROPPED = "dropped"
_ENDINGS = (".csv", ".parquet")
_MIDNIGHT = rf"^({DATE})[T ]00:00(?::00(?:\.0{{1,9}})?)?$"


def ingest_feed(lake: Lake, feed: Feed, folder: Path, *, known_at: datetime, run_id: str) -> LandingReport:
    """Land what is new in one feed's file. Skips a feed without a file, and a file with its newest load's hash.

    Args:
        lake: The lake.
        feed: One of `FEEDS`.
        folder: The feeds folder.
        known_at: The run's instant, with a time zone.
        run_id: The orchestrator's run.

    Raises:
        FileUnreadable: The folder is missing, the file is ragged or lacks a required column, or the feed has two files.
        ContractBroken: A fatal rule is broken. Nothing landed.
    """
    # Not just the newest load: after a dropped correction, the unchanged file would be read again and undo it.
    previous = next((load for load in lake.loads(feed.table) if not is_dropped(load)), None)
    path = find_feed_file(feed, folder)
    if path is None:
        there = f"No {feed.name}.csv or .parquet in {folder}."
        return LandingReport(feed.table, cursor=previous.cursor if previous else None, notice=there)
    if previous and previous.details.get(HASH_DETAIL) == hash_file(path):
        return LandingReport(feed.table, unchanged=previous.source_count, cursor=previous.cursor)
    # A file with nothing new is recorded too: it may lack rows, and need not be read again.
    return _land(lake, feed, open_feed_file(feed, path), {}, known_at=known_at, run_id=run_id, keep_record=True)


def open_feed_file(feed: Feed, path: Path) -> TabularStream:
    """Open a feed's file: the feed's own columns in the feed's spelling, their values without what means nothing.

    A column counts as the feed's whatever the case of its name. In the feed's columns, blanks around a value are
    removed, because a database pads its CHAR columns, and a day written as its midnight without a zone becomes the day.
    Staging trims keys again: rows that landed before blanks were removed here still have them.

    Raises:
        FileUnreadable: See `open_tabular`; or two columns have the name of one of the feed's.
    """
    file = open_tabular(path)
    names = _spell_columns(feed, path, file.schema.names)
    require_columns(path, names, feed.required_columns)
    schema = pa.schema([(name, pa.string()) for name in names])
    return replace(file, schema=schema, batches=(_clean(feed, batch.rename_columns(names)) for batch in file.batches))


def land_dropped_file(lake: Lake, feed: Feed, file: TabularStream, *, known_at: datetime, run_id: str) -> LandingReport:
    """Land what is new in a file from the drop folder, opened by `open_feed_file`.

    Raises:
        FileUnreadable: A value cannot be read, or the file changed meanwhile. Nothing landed.
        ContractBroken: A fatal rule is broken. Nothing landed.
    """
    return _land(lake, feed, file, {_DELIVERY_DETAIL: _DROPPED}, known_at=known_at, run_id=run_id)


def require_folder(folder: Path) -> None:
    """Raise if the feeds folder is missing.

    Raises:
        FileUnreadable: The folder is missing.
    """
    if not folder.is_dir():
        raise FileUnreadable(
            "The feeds folder does not exist.",
            where=str(folder),
            fix="Set SALESOPS_FEEDS_DIR to the folder the feeds are dropped in.",
        )


def find_feed_file(feed: Feed, folder: Path) -> Path | None:
    """The feed's file in the feeds folder; None if there is none.

    Raises:
        FileUnreadable: The folder is missing, or the feed has two files.
    """
    require_folder(folder)
    found = [folder / f"{feed.name}{ending}" for ending in _ENDINGS if (folder / f"{feed.name}{ending}").exists()]
    if len(found) > 1:
        raise FileUnreadable(
            f"The feed '{feed.name}' lies there twice: {found[0].name} and {found[1].name}.",
            where=str(folder),
            fix="Keep one of them.",
        )
    return found[0] if found else None


def find_load(lake: Lake, feed: Feed, sha256: str) -> LoadRecord | None:
    """The load that brought a file with this hash."""
    return next((load for load in lake.loads(feed.table) if load.details.get(HASH_DETAIL) == sha256), None)


def is_dropped(load: LoadRecord) -> bool:
    """Whether the load brought a file of the drop folder."""
    return load.details.get(_DELIVERY_DETAIL) == _DROPPED


def dropped_file_of(load: LoadRecord) -> str:
    """Name of the dropped file that the load brought; blank if the load came from the feeds folder."""
    return load.details[_FILE_DETAIL] if is_dropped(load) else ""


def _land(
    lake: Lake,
    feed: Feed,
    file: TabularStream,
    details: dict[str, str],
    *,
    known_at: datetime,
    run_id: str,
    keep_record: bool = False,
) -> LandingReport:
    return land(
        lake,
        feed.lake_table,
        Delivery(
            file.batches,
            file.row_count,
            cursor=file.sha256,
            details={_FILE_DETAIL: file.path.name, HASH_DETAIL: file.sha256, **details},
        ),
        known_at=known_at,
        run_id=run_id,
        keep_record=keep_record,
    )


def _spell_columns(feed: Feed, path: Path, names: Sequence[str]) -> list[str]:
    own = {column.name for column in feed.columns}
    spelled = [name.strip().lower() if name.strip().lower() in own else name for name in names]
    for column in own:
        if spelled.count(column) > 1:
            shown = " and ".join(f"'{name}'" for name, other in zip(names, spelled, strict=True) if other == column)
            raise FileUnreadable(
                f"Several columns of {path.name} have the name {column}: {shown}.",
                where=str(path),
                fix="Keep one of them, or rename the others.",
            )
    return spelled


def _clean(feed: Feed, rows: pa.RecordBatch) -> pa.RecordBatch:
    for column in feed.columns:
        if column.name not in rows.schema.names:
            continue
        values = pc.utf8_trim_whitespace(rows.column(column.name))
        if column.is_day:
            values = pc.replace_substring_regex(values, _MIDNIGHT, "\\1")
        rows = rows.set_column(
            rows.schema.names.index(column.name), column.name, pc.if_else(pc.equal(values, ""), None, values)
        )
    return rows
