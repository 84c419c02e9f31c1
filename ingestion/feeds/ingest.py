"""Land one feed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ingestion.feeds.catalogue import Feed
from ingestion.files.errors import FileUnreadable
from ingestion.files.reading import hash_file, read_tabular
from ingestion.landing import LandingReport, land
from storage.lake import Lake

_ENDINGS = (".csv", ".parquet")
_HASH_DETAIL = "sha256"


def ingest_feed(lake: Lake, feed: Feed, folder: Path, *, known_at: datetime, run_id: str) -> LandingReport:
    """Land what is new in one feed's file. A feed without a file lands nothing; a file with the newest load's hash is not even read.

    Args:
        lake: The lake.
        feed: One of `FEEDS`.
        folder: The feeds folder.
        known_at: The run's instant, with a time zone.
        run_id: The orchestrator's run.

    Raises:
        FileUnreadable: The folder is missing, the file is ragged or lacks a required column, or the feed lies there twice.
        ContractBroken: A fatal rule is broken. Nothing landed.
    """
    previous = lake.newest_load(feed.table)
    path = _find(feed, folder)
    if path is None:
        there = f"No {feed.name}.csv or .parquet in {folder}."
        return LandingReport(feed.table, cursor=previous.cursor if previous else None, notice=there)
    if previous and previous.details.get(_HASH_DETAIL) == hash_file(path):
        return LandingReport(feed.table, unchanged=previous.source_count, cursor=previous.cursor)
    file = read_tabular(path, required=feed.required_columns)
    return land(
        lake,
        feed.table,
        file.rows,
        key=feed.key,
        version_column=None,
        known_at=known_at,
        cursor=file.sha256,
        window=(None, None),
        source_count=file.rows.num_rows,
        run_id=run_id,
        details={"file": path.name, _HASH_DETAIL: file.sha256},
    )


def _find(feed: Feed, folder: Path) -> Path | None:
    if not folder.is_dir():
        raise FileUnreadable(
            "The feeds folder does not exist.", where=str(folder), fix="Set SALESOPS_FEEDS_DIR to the folder the feeds are dropped in."
        )
    found = [folder / f"{feed.name}{ending}" for ending in _ENDINGS if (folder / f"{feed.name}{ending}").exists()]
    if len(found) > 1:
        raise FileUnreadable(
            f"The feed '{feed.name}' lies there twice: {found[0].name} and {found[1].name}.", where=str(folder), fix="Keep one of them."
        )
    return found[0] if found else None
