"""Errors in an export or in the file that maps it."""

from __future__ import annotations

from ingestion.errors import IngestionError


class FileUnreadable(IngestionError):
    """A file is missing, empty, not in the stated encoding, or its rows do not fit its header. Nothing of it landed."""


class MappingError(IngestionError):
    """A mapping asks for something that the export does not have, or yields several rows with one key."""
