"""User-facing errors between the lake and the warehouse."""

from __future__ import annotations

from pathlib import Path

from storage.errors import SalesopsError


class WarehouseBuildError(SalesopsError):
    """A model or a test of the dbt project failed."""


class WarehouseTaken(WarehouseBuildError):
    """Another program has the file to be built open."""

    @classmethod
    def of(cls, file: Path, reason: str) -> WarehouseTaken:
        """The error, with DuckDB's message."""
        return cls(
            f"Another program has the warehouse open: {reason.strip().splitlines()[0]}",
            where=str(file),
            fix="Close it and run again. Read the published set instead: it can be opened at any time.",
        )
