"""What can be wrong with an export or with the file that maps it."""

from __future__ import annotations

from ingestion.errors import IngestionError


class FileUnreadable(IngestionError):
    """A file is missing, empty, in another encoding than said, or its rows do not fit its header. Nothing of it landed."""


class MappingError(IngestionError):
    """A mapping asks for something that the export does not hold, or that makes no rows with one key each."""
