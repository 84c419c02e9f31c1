"""Mail into the lake: headers only; a body is never read further than it must be, and never stored.

What belongs here: where messages lie (`maildir`) and what their headers say (`headers`). What does not: who the addresses are, and which
messages count (dbt's intermediate models).
"""

from __future__ import annotations

from ingestion.email.headers import read_headers
from ingestion.email.maildir import MESSAGE_TABLE, ingest_maildir

__all__ = ["MESSAGE_TABLE", "ingest_maildir", "read_headers"]
