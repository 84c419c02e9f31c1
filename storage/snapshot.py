"""A snapshot of the lake: which version, files and columns each table had when a build began."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class TableSnapshot:
    """One lake table as it was then.

    Attributes:
        table_name: The table.
        version: Its Delta version.
        files: Its committed files: local paths if the lake is local or `Lake.fetch` has made copies, else URIs.
        columns: Column names.
        newest_change: The newest load or erasure. Readers see other rows exactly when this differs, whatever compaction
            did since.
    """

    table_name: str
    version: int
    files: tuple[str, ...]
    columns: tuple[str, ...]
    newest_change: str = ""


@dataclass(frozen=True)
class LakeSnapshot:
    """One consistent snapshot of the lake: what a build reads, recorded at its start."""

    tables: tuple[TableSnapshot, ...]

    def to_ndjson(self) -> str:
        """One JSON object per line, as the dbt macro `lake()` reads it."""
        return "".join(json.dumps(asdict(table)) + "\n" for table in self.tables)

    @property
    def fingerprint(self) -> str:
        """Hash over the newest change of every table: equal if a build would read the same rows, in whatever files."""
        content = json.dumps([(table.table_name, table.newest_change) for table in self.tables])
        return hashlib.sha256(content.encode()).hexdigest()
