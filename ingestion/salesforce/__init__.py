"""Salesforce into the lake, through simple-salesforce with a session of our own.

What belongs here: signing in, which objects are read and how, and turning answers into text rows. What does not: the meaning of a field
(dbt's staging), and what happens to a row on its way into the lake (`ingestion.landing`).
Values land in the text form of Bulk 2.0's CSV, whichever API they came by: `true`, `2026-01-05T10:00:00.000Z`, NULL for empty.
"""

from __future__ import annotations

from ingestion.salesforce.client import SalesforceClient, connect, connect_salesforce
from ingestion.salesforce.drift import is_type_accepted
from ingestion.salesforce.extract import ingest_object
from ingestion.salesforce.ingest import ingest_objects
from ingestion.salesforce.objects import OBJECTS, lake_table
from ingestion.salesforce.settings import SalesforceReading, read_salesforce_settings
from ingestion.salesforce.windows import LOOK_BACK, Backfill

__all__ = [
    "LOOK_BACK",
    "OBJECTS",
    "Backfill",
    "SalesforceClient",
    "SalesforceReading",
    "connect",
    "connect_salesforce",
    "ingest_object",
    "ingest_objects",
    "is_type_accepted",
    "lake_table",
    "read_salesforce_settings",
]
