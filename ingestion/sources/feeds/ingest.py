"""Land one feed's file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ingestion.landing import Delivery, LandingReport, land
from ingestion.sources.feeds.catalogue import Feed
from ingestion.sources.files.errors import FileUnreadable
from ingestion.sources.files.tabular import TabularStream, hash_file, open_tabular
from storage.lake import Lake, LoadRecord

HASH_DETAIL = "sha256"
_FILE_DETAIL = "file"
_DELIVERY_DETAIL = "delivery"
_DROPPED = "dropped"
_ENDINGS = (".csv", ".parquet")


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
    previous = next((load for load in lake.loads(feed.table) if load.details.get(_DELIVERY_DETAIL) != _DROPPED), None)
    path = _find(feed, folder)
    if path is None:
        there = f"No {feed.name}.csv or .parquet in {folder}."
        return LandingReport(feed.table, cursor=previous.cursor if previous else None, notice=there)
    if previous and previous.details.get(HASH_DETAIL) == hash_file(path):
        return LandingReport(feed.table, unchanged=previous.source_count, cursor=previous.cursor)
    return _land(lake, feed, open_tabular(path, required=feed.required_columns), {}, known_at=known_at, run_id=run_id)


def land_dropped_file(lake: Lake, feed: Feed, file: TabularStream, *, known_at: datetime, run_id: str) -> LandingReport:
    """Land what is new in a file from the drop folder, opened by `open_tabular`.

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


def find_load(lake: Lake, feed: Feed, sha256: str) -> LoadRecord | None:
    """The load that brought a file with this hash."""
    return next((load for load in lake.loads(feed.table) if load.details.get(HASH_DETAIL) == sha256), None)


def dropped_file_of(load: LoadRecord) -> str:
    """Name of the dropped file that the load brought; blank if the load came from the feeds folder."""
    return load.details[_FILE_DETAIL] if load.details.get(_DELIVERY_DETAIL) == _DROPPED else ""


def _land(
    lake: Lake, feed: Feed, file: TabularStream, details: dict[str, str], *, known_at: datetime, run_id: str
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
    )


def _find(feed: Feed, folder: Path) -> Path | None:
    require_folder(folder)
    found = [folder / f"{feed.name}{ending}" for ending in _ENDINGS if (folder / f"{feed.name}{ending}").exists()]
    if len(found) > 1:
        raise FileUnreadable(
            f"The feed '{feed.name}' lies there twice: {found[0].name} and {found[1].name}.",
            where=str(folder),
            fix="Keep one of them.",
        )
    return found[0] if found else None
