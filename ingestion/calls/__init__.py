"""Call logs into the lake.

What belongs here: one module per provider, which turns its call records into text rows under the provider's own names. What does not:
joining legs to calls or numbers to people (dbt's intermediate models).
"""

from __future__ import annotations

from ingestion.calls.twilio import CALL_TABLE, LOOK_BACK, ingest_calls

__all__ = ["CALL_TABLE", "LOOK_BACK", "ingest_calls"]
