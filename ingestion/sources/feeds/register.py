"""The register of dropped files: a lake table, so that neither a restart nor a lost sensor cursor takes a file twice.

A load's details carry its file's hash too, but that is not enough: a file with nothing new makes no load, and neither
does a refused one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

import pyarrow as pa

from ingestion.contracts import LakeTable
from ingestion.landing import Delivery, land
from ingestion.sources.feeds.catalogue import Feed
from storage.lake import Lake

DROPPED_FILE_TABLE = "feed__dropped_file"
Outcome = Literal["taken", "repeated", "refused"]
DROPPED_FILES = LakeTable(DROPPED_FILE_TABLE, key=("feed", "file", "sha256"))


@dataclass(frozen=True)
class RegisterEntry:
    """One file and its outcome.

    Attributes:
        feed: Name of the feed.
        file: The file's name.
        sha256: Of its bytes.
        size: Bytes.
        modified_ns: Its time, nanoseconds since 1970.
        outcome: `taken`; `repeated`: the same bytes were taken before; `refused`: nothing of it landed.
        reason: Why it was refused; it quotes no value of the file.
        load_id: The load that brought its rows; blank where nothing in it was new.
    """

    feed: str
    file: str
    sha256: str
    size: int
    modified_ns: int
    outcome: Outcome
    reason: str = ""
    load_id: str = ""


class DropRegister:
    """The entries so far, ready for lookup."""

    def __init__(self, entries: Iterable[RegisterEntry] = ()) -> None:
        self._seen: set[tuple[str, str, int, int]] = set()
        self._taken: set[tuple[str, str]] = set()
        self._taken_names: dict[str, set[str]] = {}
        self._refused: set[tuple[str, str, str]] = set()
        for entry in entries:
            self.add(entry)

    def add(self, entry: RegisterEntry) -> None:
        """Add one entry."""
        self._seen.add((entry.feed, entry.file, entry.size, entry.modified_ns))
        if entry.outcome == "refused":
            self._refused.add((entry.feed, entry.file, entry.sha256))
        else:
            self._taken.add((entry.feed, entry.sha256))
            self._taken_names.setdefault(entry.feed, set()).add(entry.file)

    def has_seen(self, feed: Feed, file: str, size: int, modified_ns: int) -> bool:
        """Whether a file of this name, size and time was already handled and need not be hashed again."""
        return (feed.name, file, size, modified_ns) in self._seen

    def is_taken(self, feed: Feed, sha256: str) -> bool:
        """Whether these bytes were taken, under whatever name."""
        return (feed.name, sha256) in self._taken

    def taken_names(self, feed: Feed) -> frozenset[str]:
        """Names under which files of a feed were taken."""
        return frozenset(self._taken_names.get(feed.name, ()))

    def is_refused(self, feed: Feed, file: str, sha256: str) -> bool:
        """Whether these bytes were refused under this name. Under another name they are tried again."""
        return (feed.name, file, sha256) in self._refused


def read_register(lake: Lake) -> DropRegister:
    """Read the register from the lake."""
    rows = lake.query(DROPPED_FILE_TABLE, "select feed, file, sha256, size, modified_ns, outcome from lake")
    entries = rows.to_pylist() if rows is not None else []
    return DropRegister(
        RegisterEntry(**{**entry, "size": int(entry["size"]), "modified_ns": int(entry["modified_ns"])})
        for entry in entries
    )


def write_register(lake: Lake, entry: RegisterEntry, *, known_at: datetime, run_id: str) -> None:
    """Add one entry to the lake."""
    row = {name: str(value) if value != "" else None for name, value in asdict(entry).items()}
    land(
        lake,
        DROPPED_FILES,
        Delivery(pa.table({name: pa.array([value], pa.string()) for name, value in row.items()}), 1),
        known_at=known_at,
        run_id=run_id,
    )
