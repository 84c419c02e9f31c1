"""The home folder: one git-ignored root for everything that a run writes."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from storage.errors import StorageError


@dataclass(frozen=True)
class Home:
    """Paths under `SALESOPS_HOME`. Making a `Home` touches nothing; `prepare` does."""

    root: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", Path(self.root).expanduser().absolute())

    @property
    def lake(self) -> Path:
        """Delta tables, one folder each: what cannot be computed again."""
        return self.root / "lake"

    @property
    def lake_cache(self) -> Path:
        """Copies of a remote lake's files: safe to delete."""
        return self.root / "lake_cache"

    @property
    def warehouse(self) -> Path:
        """The DuckDB file dbt builds: safe to delete."""
        return self.root / "warehouse.duckdb"

    @property
    def lake_snapshot(self) -> Path:
        """The committed files that the current build reads, as newline-delimited JSON."""
        return self.root / "lake_snapshot.json"

    @property
    def run_context(self) -> Path:
        """One JSON row: run id, as-of instant and business day of the current build."""
        return self.root / "run_context.json"

    @property
    def published(self) -> Path:
        """What BI tools read."""
        return self.root / "published"

    @property
    def pii_key(self) -> Path:
        """The key that personal data is hashed with: back it up apart from the lake."""
        return self.root / "pii.key"

    @property
    def dbt(self) -> Path:
        """dbt's target and log folder."""
        return self.root / "dbt"

    @property
    def dagster(self) -> Path:
        """`DAGSTER_HOME` of the embedded instance."""
        return self.root / "dagster"

    @property
    def models(self) -> Path:
        """Fitted models, by content hash."""
        return self.root / "models"

    @property
    def simulation(self) -> Path:
        """The simulated company, its servers' keys and its clock."""
        return self.root / "simulation"

    def prepare(self) -> None:
        """Create the folder and check that it can be written.

        Raises:
            StorageError: The path is read-only, or a file stands in its place.
        """
        probe = self.root / f".write-probe-{os.getpid()}"
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"ok")
            probe.unlink()
        except OSError as error:
            raise StorageError(
                f"The home folder cannot be written: {error.strerror or error}.",
                where=str(self.root),
                fix="Set SALESOPS_HOME to a folder on a disk with room that you may write to. What had landed before is untouched.",
            ) from None

    def claim(self, origin: str) -> None:
        """Bind this home to one company, so that a simulated one and a real one never mix in one lake.

        Args:
            origin: `simulation:<size>:<seed>`, `sources`, or `mapping:<name>`.

        Raises:
            StorageError: The home already holds another company's data.
        """
        path = self.root / "origin.json"
        if path.exists():
            held = json.loads(path.read_text(encoding="utf-8"))["origin"]
            if held != origin:
                raise StorageError(
                    f"This home holds the data of '{held}', and the run would add '{origin}' to it.",
                    where=str(self.root),
                    fix="Set SALESOPS_HOME to another folder, or remove this one if you no longer need it.",
                )
            return
        write_atomically(path, json.dumps({"origin": origin}) + "\n")


def write_atomically(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old or the new content, never a part, and a crash loses neither."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
