"""Canonical feeds: the CSV or Parquet files that other systems (personnel, finance) drop into one folder, in a shape that is ours to say.

What belongs here: which feeds there are, their columns, and landing them. What does not: opening a tabular file
(`ingestion.files.reading`), exports in a shape of their own (`ingestion.files`), and rules on the rows (`ingestion.contracts`).
"""

from __future__ import annotations

from ingestion.feeds.catalogue import FEEDS, Feed, FeedColumn, feeds_as_markdown
from ingestion.feeds.ingest import ingest_feed

__all__ = ["FEEDS", "Feed", "FeedColumn", "feeds_as_markdown", "ingest_feed"]
