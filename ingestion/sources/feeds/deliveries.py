"""Load the feeds folder, then the drop folder. A failure in one place does not stop anything else from landing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from ingestion.errors import IngestionError, contain
from ingestion.landing import LandingReport
from ingestion.sources.feeds.absence import settle_absent
from ingestion.sources.feeds.catalogue import FEEDS, Feed
from ingestion.sources.feeds.config_file import DEFAULT_READING, FeedReading
from ingestion.sources.feeds.drop_folder import Sighting
from ingestion.sources.feeds.drops import DropReport, combine_reports, ingest_drops
from ingestion.sources.feeds.ingest import find_feed_file, ingest_feed, is_dropped, require_folder
from ingestion.sources.feeds.register import DROPPED_FILE_TABLE
from ingestion.sources.feeds.settings import FeedSettings
from storage.lake import Lake


@dataclass(frozen=True)
class Deliveries:
    """The result of a run's feeds.

    Attributes:
        reports: By table, what was landed from both folders.
        drops: The results of the dropped files.
        failures: By table, why its file in the feeds folder was not taken; for `DROPPED_FILE_TABLE`, why the drop
            folder could not be read.
    """

    reports: Mapping[str, LandingReport]
    drops: DropReport
    failures: Mapping[str, IngestionError]


def ingest_deliveries(
    settings: FeedSettings,
    lake: Lake,
    *,
    known_at: datetime,
    run_id: str,
    reading: FeedReading = DEFAULT_READING,
    earlier: Mapping[str, Sighting] | None = None,
) -> Deliveries:
    """Land what is new in the feeds folder, then what is in the drop folder, if the settings name them.

    Args:
        settings: Where the folders are.
        lake: The lake.
        known_at: The run's instant, with a time zone.
        run_id: The orchestrator's run.
        reading: Which feeds are complete.
        earlier: See `ingest_drops`.

    Raises:
        StorageError: The lake cannot be written.
    """
    reports: list[LandingReport] = []
    failures: dict[str, IngestionError] = {}
    for table, outcome in (
        _ingest_feeds(lake, settings.feeds_dir, reading, known_at=known_at, run_id=run_id) if settings.feeds_dir else ()
    ):
        if isinstance(outcome, LandingReport):
            reports.append(outcome)
        else:
            failures[table] = outcome
    drops = DropReport()
    if settings.drop_folder:
        try:
            settle = settings.drop_settle_seconds
            drops = ingest_drops(
                lake,
                settings.drop_folder,
                known_at=known_at,
                run_id=run_id,
                earlier=earlier,
                settle_seconds=settle,
                reading=reading,
            )
        except Exception as error:
            failures[DROPPED_FILE_TABLE] = contain(
                error,
                "The drop folder could not be read to its end.",
                where=str(settings.drop_folder),
                fix="What was taken so far is recorded; run again for the rest.",
            )
    return Deliveries({report.table: report for report in combine_reports([*reports, *drops.loads])}, drops, failures)


def _ingest_feeds(
    lake: Lake, folder: Path, reading: FeedReading, *, known_at: datetime, run_id: str
) -> Iterator[tuple[str, LandingReport | IngestionError]]:
    try:
        require_folder(folder)
    except IngestionError as error:
        yield from ((feed.table, error) for feed in FEEDS)  # one error, reported once
        return
    for feed in FEEDS:
        try:
            report = ingest_feed(lake, feed, folder, known_at=known_at, run_id=run_id)
            path = find_feed_file(feed, folder)
            if path and (report.load_id or feed.name in reading.complete):
                # Of a complete feed in every run, so that a raised share and a killed run are made good.
                absent = settle_absent(
                    lake,
                    feed,
                    path,
                    reading=reading,
                    earlier_loads=partial(_list_loads, lake, feed, but=report.load_id),
                    how_again="run again",
                    known_at=known_at,
                    run_id=run_id,
                )
                report = replace(report, notice=" ".join(filter(None, (report.notice, absent))))
            yield feed.table, report
        except Exception as error:
            yield (
                feed.table,
                contain(
                    error,
                    f"The feed '{feed.name}' was not taken; the others were.",
                    where=str(folder / feed.name),
                    fix="Until it is fixed, take the feed's file out of the folder: what had landed of it before stays.",
                ),
            )


def _list_loads(lake: Lake, feed: Feed, *, but: str | None) -> set[str]:
    """The loads of a feed's files in the feeds folder, without one."""
    return {load.load_id for load in lake.loads(feed.table) if not is_dropped(load)} - {but}
