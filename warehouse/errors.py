"""What can go wrong between the lake and the warehouse, in words a user can act on."""

from __future__ import annotations

from pathlib import Path

from storage.errors import SalesopsError


class WarehouseBuildError(SalesopsError):
    """A model or a test of the dbt project failed."""


class WarehouseTaken(WarehouseBuildError):
    """Another program has the file open that was to be built."""

    @classmethod
    def of(cls, file: Path, reason: str) -> WarehouseTaken:
        """The error, with what DuckDB said."""
        return cls(
            f"Another program has the warehouse open: {reason.strip().splitlines()[0]}",
            where=str(file),
            fix="Close it and run again. Read the published set instead: it can be opened at any time.",
        )
