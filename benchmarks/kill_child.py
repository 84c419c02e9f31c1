"""The process that gets killed: it loads every source of the kill loop, maintains the lake, and reports each phase.

The loop forks it from a process that has imported this module, so that a kill hits work, not imports.
"""

from __future__ import annotations

import functools
import importlib
import os
import signal
from collections.abc import Callable, Mapping
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import great_expectations.expectations  # a check would import this later
import great_expectations.validator.validator  # noqa: F401
import pandas  # noqa: F401

from ingestion.contracts import LoadCheck
from ingestion.settings import load_settings_into_lake, read_allowed_values
from ingestion.sources.feeds.catalogue import FEEDS
from ingestion.sources.feeds.ingest import ingest_feed
from ingestion.sources.mail.ingest import ingest_maildir
from ingestion.sources.salesforce import query
from ingestion.sources.salesforce.client import connect_salesforce
from ingestion.sources.salesforce.extract import ingest_object
from ingestion.sources.salesforce.objects import find_object
from ingestion.sources.settings import load_settings
from storage.lake import Lake
from storage.lake_writer import LoadWriter
from storage.upkeep import compact, only_one_upkeep, vacuum

SALESFORCE_OBJECTS = ("Opportunity", "Lead", "OpportunityLineItem")
FEED = next(feed for feed in FEEDS if feed.name == "campaign_costs")
DONE = "done"
INTERRUPTED = 130  # exit code of an interrupted child


def work(sources: Mapping[str, str], lake_folder: str, until: str, reports: Connection, bulk_from_rows: int) -> None:
    """Run `load_and_keep_up`; exit with the code `INTERRUPTED` if interrupted (SIGINT)."""
    interrupts: list[int] = []

    def interrupt(number: int, _: object) -> None:
        interrupts.append(number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    try:
        load_and_keep_up(sources, lake_folder, until, reports, bulk_from_rows)
    except BaseException:  # some libraries turn it into an error of their own
        if not interrupts:
            raise
        os._exit(INTERRUPTED)


def load_and_keep_up(
    sources: Mapping[str, str], lake_folder: str, until: str, reports: Connection, bulk_from_rows: int
) -> None:
    """Load every source up to an instant, compact and vacuum.

    Args:
        sources: Environment with the sources' addresses and credentials.
        lake_folder: The lake.
        until: The run's instant.
        reports: Receives the name of every phase as it begins, and `DONE` at the end.
        bulk_from_rows: Rows from which Bulk is used: fewer than in production, so that small loads use both APIs.
    """
    os.environ.update(sources)
    query.BULK_FROM_ROWS = bulk_from_rows
    _tell_phases(reports.send)
    known_at, run_id, lake, settings = (
        datetime.fromisoformat(until),
        f"run-{os.getpid()}",
        Lake(Path(lake_folder)),
        load_settings(),
    )
    load_settings_into_lake(lake, settings.config_dir, known_at=known_at, run_id=run_id)
    allowed = read_allowed_values(lake)
    reports.send("sign in")
    client = connect_salesforce(settings)
    for name in SALESFORCE_OBJECTS:
        reports.send("ask and read")
        ingest_object(client, lake, find_object(name), until=known_at, run_id=run_id, allowed_values=allowed)
    assert settings.maildir and settings.feeds_dir
    reports.send("mail and feed")
    ingest_maildir(settings.maildir, lake, known_at=known_at, run_id=run_id)
    ingest_feed(lake, FEED, settings.feeds_dir, known_at=known_at, run_id=run_id)
    with only_one_upkeep(settings.home_folder):
        reports.send("compact")
        compact(lake)
        reports.send("vacuum")
        vacuum(lake, {})
    reports.send(DONE)
    os._exit(0)  # unloading the imports would take a third of the run's time


def _tell_phases(tell: Callable[[str], None]) -> None:
    """Make the steps of a load report when they begin."""
    landing = importlib.import_module("ingestion.landing.land")  # the package has a function of the same name
    for owner, name, phase in (
        (LoadCheck, "check_rows", "check"),
        (LoadWriter, "write", "write"),
        (landing, "compare_load", "compare"),
        (landing, "rewrite_load", "rewrite"),
        (landing, "find_vanished", "find what is gone"),
        (landing, "write_tombstones", "tombstones"),
        (LoadWriter, "commit", "commit"),
        (LoadWriter, "_append", "commit to the log"),
    ):
        setattr(owner, name, _telling(getattr(owner, name), phase, tell))


def _telling(step: Callable[..., Any], phase: str, tell: Callable[[str], None]) -> Callable[..., Any]:
    @functools.wraps(step)
    def run(*args: Any, **kwargs: Any) -> Any:
        tell(phase)
        return step(*args, **kwargs)

    return run
