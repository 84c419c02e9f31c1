"""Look into the folder where other systems drop feed files: which files are new, complete and ours.

What belongs here: judging names, sizes, times and hashes. What does not: reading a file's rows, or the lake (`drops`,
`register`).
A look changes nothing. Two looks tell whether a file is still growing; the caller passes the first one's sightings to
the second.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from ingestion.sources.feeds.catalogue import FEEDS, Feed
from ingestion.sources.feeds.register import DropRegister
from ingestion.sources.files.errors import FileUnreadable
from ingestion.sources.files.tabular import hash_file

_BY_NAME = {feed.name: feed for feed in FEEDS}
# `invoices.csv`, `invoices_2026-11-24.csv`, `Invoices 7.PARQUET`; longer names first, should one begin like another.
_FILE_NAME = re.compile(
    rf"({'|'.join(sorted(_BY_NAME, key=len, reverse=True))})(?:[^a-z].*)?\.(?:csv|parquet)", re.IGNORECASE | re.DOTALL
)
_TEMPORARY_ENDINGS = (".tmp", ".part", ".partial", ".filepart", ".crdownload")
_TEMPORARY_BEGINNINGS = (".", "~")


@dataclass(frozen=True)
class Sighting:
    """What a file looked like; `sha256` is None until the file has settled."""

    size: int
    modified_ns: int
    sha256: str | None = None

    def is_same(self, other: Sighting | None) -> bool:
        """Whether size and time equal the other's."""
        return other is not None and (self.size, self.modified_ns) == (other.size, other.modified_ns)


@dataclass(frozen=True)
class DroppedFile:
    """A settled file of a feed, with its hash."""

    path: Path
    feed: Feed
    size: int
    modified_ns: int
    sha256: str


@dataclass(frozen=True)
class DropFolder:
    """One look into the folder.

    Attributes:
        ready: Files to take: settled, of a feed, neither taken nor refused before, with no earlier name of their feed
            still to come; in the order of the feeds, then of their names.
        waiting: Name → name of the file it waits for: files that could be taken if an earlier name of their feed had
            settled and could be opened.
        repeated: Settled files whose bytes were taken before, under another name or at another time.
        unsettled: Names of files that are new or changed since the earlier look.
        unknown: Names that do not begin with a feed's name, or do not end in .csv or .parquet.
        unreadable: Name → why, for files that could not be opened.
        sightings: What to pass to the next look as `earlier`.
    """

    ready: tuple[DroppedFile, ...] = ()
    waiting: Mapping[str, str] = field(default_factory=dict)
    repeated: tuple[DroppedFile, ...] = ()
    unsettled: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    sightings: Mapping[str, Sighting] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Identifies what is to be taken by its content: the same files give the same key."""
        hashes = sorted({f"{file.feed.name}:{file.sha256}" for file in self.ready})
        return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def look_into(folder: Path, register: DropRegister, earlier: Mapping[str, Sighting]) -> DropFolder:
    """See what is in the folder itself.

    Subfolders are skipped, and so are names that mean "not complete": `.x`, `~x`, `x.part`, `x.tmp` …

    Args:
        folder: The drop folder.
        register: What was taken and refused so far.
        earlier: The sightings of a look some seconds ago. A file has settled if its size and time are unchanged.

    Raises:
        FileUnreadable: The folder is missing or cannot be read.
    """
    ready, repeated, unsettled, unknown = [], [], [], []
    unreadable: dict[str, str] = {}
    waiting: dict[str, str] = {}
    # Feed → its first name that is still to come. What lands later wins, so no later name may land before it.
    holds_up: dict[str, str] = {}
    sightings: dict[str, Sighting] = {}
    for path, sighting in _list_files(folder):
        feed = _feed_of(path.name)
        if feed is None:
            unknown.append(path.name.encode("utf-8", "backslashreplace").decode())
            continue
        if register.has_seen(feed, path.name, sighting.size, sighting.modified_ns):
            continue  # the quick way: a file that has been here for years is not hashed at each look
        before = earlier.get(path.name)
        sightings[path.name] = sighting
        if before is None or not sighting.is_same(before):
            unsettled.append(path.name)
            holds_up.setdefault(feed.name, path.name)
            continue
        try:
            sha256 = before.sha256 or hash_file(path)
        except FileUnreadable as error:
            if path.exists():
                unreadable[path.name] = error.what
                holds_up.setdefault(feed.name, path.name)
            continue
        sightings[path.name] = replace(sighting, sha256=sha256)
        file = DroppedFile(path, feed, sighting.size, sighting.modified_ns, sha256)
        if register.is_taken(feed, sha256):
            repeated.append(file)
        elif register.is_refused(feed, path.name, sha256):
            continue  # it may never be fixed, so it holds nothing up
        elif feed.name in holds_up:
            waiting[path.name] = holds_up[feed.name]
        else:
            ready.append(file)
    order = [feed.name for feed in FEEDS]
    ready.sort(key=lambda file: (order.index(file.feed.name), file.path.name))
    return DropFolder(tuple(ready), waiting, tuple(repeated), tuple(unsettled), tuple(unknown), unreadable, sightings)


def sightings_to_json(sightings: Mapping[str, Sighting]) -> str:
    """Sightings as text that a sensor keeps or passes to a run."""
    return json.dumps({name: asdict(sighting) for name, sighting in sightings.items()})


def sightings_from_json(text: str) -> dict[str, Sighting]:
    """Sightings from text; none if the text is anything else, which costs one look and loses nothing."""
    try:
        return {name: Sighting(**sighting) for name, sighting in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def _feed_of(name: str) -> Feed | None:
    # Bytes that are not text could not be kept in the register.
    match = _FILE_NAME.fullmatch(name) if name.isprintable() else None
    return _BY_NAME[match[1].lower()] if match else None


def _list_files(folder: Path) -> list[tuple[Path, Sighting]]:
    """Files that may be complete, in the order of their names."""
    try:
        entries = sorted(folder.iterdir(), key=lambda path: path.name)
    except OSError as error:
        why = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
        raise FileUnreadable(
            f"The drop folder {why}.",
            where=str(folder),
            fix="Set SALESOPS_DROP_DIR to the folder that other systems drop files in.",
        ) from None
    found = []
    for path in entries:
        if path.name.startswith(_TEMPORARY_BEGINNINGS) or path.name.lower().endswith(_TEMPORARY_ENDINGS):
            continue
        try:
            stat = path.stat()
        except OSError:
            continue  # gone since the folder was listed, or a broken link
        if path.is_file():
            found.append((path, Sighting(stat.st_size, stat.st_mtime_ns)))
    return found
