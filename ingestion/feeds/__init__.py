"""Canonical feeds: the CSV or Parquet files that other systems (personnel, finance) deliver, in a shape that is ours to say.

What belongs here: which feeds there are, their columns, landing them from the feeds folder and from the drop folder, and which dropped files
were taken. What does not: opening a tabular file (`ingestion.files.reading`), exports in a shape of their own (`ingestion.files`), rules on the
rows (`ingestion.contracts`), and when to look into the drop folder (`orchestration`).
"""

from __future__ import annotations

from ingestion.feeds.catalogue import FEEDS, Feed, FeedColumn
from ingestion.feeds.deliveries import Deliveries, ingest_deliveries
from ingestion.feeds.documentation import feeds_as_markdown
from ingestion.feeds.drop_folder import DropFolder, Sighting, look_into, sightings_from_json, sightings_to_json
from ingestion.feeds.drops import DropReport, combine_reports, ingest_drops
from ingestion.feeds.ingest import ingest_feed
from ingestion.feeds.register import DROPPED_FILE_TABLE, DropRegister, RegisterEntry, read_register

__all__ = [
    "DROPPED_FILE_TABLE",
    "FEEDS",
    "Deliveries",
    "DropFolder",
    "DropRegister",
    "DropReport",
    "Feed",
    "FeedColumn",
    "RegisterEntry",
    "Sighting",
    "combine_reports",
    "feeds_as_markdown",
    "ingest_deliveries",
    "ingest_drops",
    "ingest_feed",
    "look_into",
    "read_register",
    "sightings_from_json",
    "sightings_to_json",
]
