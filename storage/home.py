"""The home folder: one git-ignored root for everything that a run writes."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from storage.errors import StorageError

_ORIGIN = re.compile(r"simulation:[a-z]+:-?[0-9]+|sources|mapping:.+", re.DOTALL)


@dataclass(frozen=True)
class Home:
    """Paths under `SALESOPS_HOME`. Creating a `Home` touches nothing; `prepare` does."""

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
    def build_record(self) -> Path:
        """Which steps of the recorded build have finished."""
        return self.root / "build_record.json"

    @property
    def origin(self) -> Path:
        """Whose data the home holds; see `storage.origin`."""
        return self.root / "origin.json"

    @property
    def published(self) -> Path:
        """What BI tools read."""
        return self.root / "published"

    @property
    def pii_key(self) -> Path:
        """The key for hashing personal data: back it up apart from the lake."""
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
    def locks(self) -> Path:
        """The lock files that say who is at work on this home; see `storage.locks`."""
        return self.root / "locks"

    @property
    def simulation(self) -> Path:
        """The simulated company, its servers' keys and its clock."""
        return self.root / "simulation"

    def prepare(self) -> None:
        """Create the folder and check that it can be written.

        Raises:
            StorageError: The path is read-only, or is a file.
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

    def read_origin(self) -> str | None:
        """Whose data the home holds: `simulation:<size>:<seed>`, `sources` or `mapping:<name>`; None before its first run.

        Raises:
            StorageError: The file that says so cannot be read.
        """
        try:
            held = json.loads(self.origin.read_text(encoding="utf-8"))["origin"]
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, KeyError, TypeError):
            held = None
        if isinstance(held, str) and _ORIGIN.fullmatch(held):
            return held
        raise StorageError(
            "The file that says whose data this home holds cannot be read.",
            where=str(self.origin),
            fix="Run `salesops doctor --repair`.",
        )

    def require_origin(self, origin: str) -> None:
        """Refuse another company's home, without writing anything.

        Raises:
            StorageError: The home holds another company's data, or does not say whose.
        """
        held = self.read_origin()
        if held is not None and held != origin:
            raise StorageError(
                f"This home holds the data of '{held}', and the run would add '{origin}' to it.",
                where=str(self.root),
                fix="Set SALESOPS_HOME to another folder, or remove this one if you no longer need it.",
            )

    def claim(self, origin: str) -> None:
        """Bind this home to one company, so that a simulated one and a real one never mix in one lake.

        Args:
            origin: `simulation:<size>:<seed>`, `sources`, or `mapping:<name>`.

        Raises:
            StorageError: The home already holds another company's data, or does not say whose.
        """
        self.require_origin(origin)
        if not self.origin.exists():
            write_atomically(self.origin, json.dumps({"origin": origin}) + "\n")


def use_private_modes() -> None:
    """Make this process create files and folders that only its user can read: a home holds personal data and pay."""
    os.umask(0o077)


def write_atomically(path: Path, text: str) -> None:
    """Write a text file so that readers see the old or the new content, never a part, and a crash loses neither."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
    move_into_place(temporary, path)


def move_into_place(temporary: Path, path: Path) -> None:
    """Rename a finished file over `path`: its content is on disk before its name, and its name before this returns."""
    sync(temporary)
    temporary.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Flush a file's content, or a folder's names, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
