"""Take the files in the drop folder: each once, by its content, and in the order of names within a feed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce
from pathlib import Path

from ingestion.errors import ContractBroken, UnexpectedError, contain
from ingestion.landing import LandingReport
from ingestion.sources.feeds.absence import settle_absent
from ingestion.sources.feeds.config_file import DEFAULT_READING, FeedReading
from ingestion.sources.feeds.drop_folder import DroppedFile, Sighting, look_into
from ingestion.sources.feeds.ingest import dropped_file_of, find_load, land_dropped_file, open_feed_file
from ingestion.sources.feeds.overtaking import describe_overtaking
from ingestion.sources.feeds.register import DropRegister, Outcome, RegisterEntry, read_register, write_register
from ingestion.sources.files.errors import FileUnreadable
from ingestion.sources.files.tabular import hash_file
from storage.lake import Lake


@dataclass(frozen=True)
class DropReport:
    """The result of a run's look into the drop folder.

    Attributes:
        loads: One report per file that was landed, in the order they landed.
        entries: What was added to the register: files taken, repeated and refused.
        unsettled: Names of files that are still being written, or that came after the run's first look.
        unknown: Names that match no feed.
        unreadable: Name → why, for files that could not be opened. The next run tries them again.
        waiting: Name → name of the unsettled or unreadable file, earlier in its feed, that it waits for.
        notes: Name → what to know about a file that was taken: it came after a later name of its feed and now overrides
            records that both contain, or it lacks records that are in force.
    """

    loads: tuple[LandingReport, ...] = ()
    entries: tuple[RegisterEntry, ...] = ()
    unsettled: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    waiting: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def refused(self) -> tuple[RegisterEntry, ...]:
        """Files that this run refused: each is reported once."""
        return tuple(entry for entry in self.entries if entry.outcome == "refused")


def ingest_drops(
    lake: Lake,
    folder: Path,
    *,
    known_at: datetime,
    run_id: str,
    earlier: Mapping[str, Sighting] | None,
    settle_seconds: float,
    reading: FeedReading = DEFAULT_READING,
    wait: Callable[[float], None] = time.sleep,
) -> DropReport:
    """Land every settled file not taken or refused before, in the order of the feeds and, within a feed, of file names.

    Files are only read, never moved or deleted. While a file is unsettled or cannot be opened, the later names of its
    feed wait; other feeds do not. A refused file is recorded in the register with the reason, stays where it is and
    holds nothing up, because it may never be fixed. Once fixed it has other bytes and is taken, with a note on the
    later names that it overtakes. If a run dies between a file's load and its entry, the next run finds the hash in
    the load's details.

    Args:
        lake: The lake.
        folder: The drop folder.
        known_at: The run's instant, with a time zone.
        run_id: The orchestrator's run.
        earlier: Sightings of the sensor that looked before and asked for this run. None if there was none: then this
            looks twice.
        settle_seconds: How long to wait between the two looks; skipped if no file is new.
        reading: Which feeds are complete.
        wait: Waits that many seconds.

    Raises:
        FileUnreadable: The folder is missing or cannot be read.
        StorageError: The lake cannot be written.
    """
    register = read_register(lake)
    if earlier is None:
        first = look_into(folder, register, {})
        if first.unsettled:
            wait(settle_seconds)
        earlier = first.sightings
    seen = look_into(folder, register, earlier)
    loads: list[LandingReport] = []
    entries: list[RegisterEntry] = []
    unsettled, unreadable, waiting = list(seen.unsettled), dict(seen.unreadable), dict(seen.waiting)
    notes: dict[str, str] = {}
    holds_up: dict[str, str] = {}
    for file in (*seen.repeated, *seen.ready):
        name = file.path.name
        if file.feed.name in holds_up:
            waiting[name] = holds_up[file.feed.name]
            continue
        if register.is_taken(file.feed, file.sha256):
            entry: RegisterEntry | _ToCome = _entry(file, "repeated")
        else:
            entry = _take(lake, file, loads, known_at=known_at, run_id=run_id)
        if isinstance(entry, _ToCome):
            holds_up[file.feed.name] = name
            if entry.why:
                unreadable[name] = entry.why
            else:
                unsettled.append(name)
            continue
        if note := _note(lake, file, entry, register, reading, known_at=known_at, run_id=run_id):
            notes[name] = note
        write_register(lake, entry, known_at=known_at, run_id=run_id)
        register.add(entry)
        entries.append(entry)
    return DropReport(tuple(loads), tuple(entries), tuple(sorted(unsettled)), seen.unknown, unreadable, waiting, notes)


def combine_reports(reports: Iterable[LandingReport]) -> list[LandingReport]:
    """One report per table, where several files went into one."""
    by_table: dict[str, list[LandingReport]] = {}
    for report in reports:
        by_table.setdefault(report.table, []).append(report)
    return [reduce(_add, of_table) for of_table in by_table.values()]


@dataclass(frozen=True)
class _ToCome:
    """A file to try again: it has changed since it was looked at, or it could not be opened (`why`)."""

    why: str = ""


def _take(
    lake: Lake, file: DroppedFile, loads: list[LandingReport], *, known_at: datetime, run_id: str
) -> RegisterEntry | _ToCome:
    """Take the file. Returns its entry in the register, or why it must be tried again."""
    if load := find_load(lake, file.feed, file.sha256):
        return _entry(file, "taken", load_id=load.load_id)
    try:
        stream = open_feed_file(file.feed, file.path)
        if stream.sha256 != file.sha256:
            return _ToCome()
        report = land_dropped_file(lake, file.feed, stream, known_at=known_at, run_id=run_id)
    except Exception as error:
        refusal = contain(
            error,
            "The file was not taken; the others were.",
            where=str(file.path),
            fix="Rename the file to have it tried again with another version of Salesops.",
        )
        if not isinstance(refusal, (FileUnreadable, ContractBroken, UnexpectedError)):
            raise
        if to_come := _find_to_come(file):
            return to_come
        return _entry(file, "refused", reason=f"{refusal.what} {refusal.fix}".strip())
    loads.append(report)
    return _entry(file, "taken", load_id=report.load_id or "")


def _note(
    lake: Lake,
    file: DroppedFile,
    entry: RegisterEntry,
    register: DropRegister,
    reading: FeedReading,
    *,
    known_at: datetime,
    run_id: str,
) -> str:
    """What to know about a file that was taken now or before; blank if there is nothing."""
    name, taken = file.path.name, register.taken_names(file.feed)
    if entry.outcome == "refused":
        return ""
    if entry.outcome == "taken" and (overtaken := describe_overtaking(lake, file.feed, name, entry.load_id)):
        return overtaken
    # Of a complete feed only the newest file says what is there no longer; of any other, a file of the same name does.
    if name < max(taken, default="") if file.feed.name in reading.complete else name not in taken:
        return ""

    def earlier_loads() -> set[str]:
        return {load.load_id for load in lake.loads(file.feed.table) if dropped_file_of(load) == name} - {entry.load_id}

    return settle_absent(
        lake,
        file.feed,
        file.path,
        reading=reading,
        earlier_loads=earlier_loads,
        how_again="drop the file again under a later name",
        known_at=known_at,
        run_id=run_id,
    )


def _entry(file: DroppedFile, outcome: Outcome, *, reason: str = "", load_id: str = "") -> RegisterEntry:
    return RegisterEntry(
        file.feed.name, file.path.name, file.sha256, file.size, file.modified_ns, outcome, reason, load_id
    )


def _find_to_come(file: DroppedFile) -> _ToCome | None:
    """Whether a failed file has changed, or cannot be opened right now; None if the file itself is at fault.

    A refusal lasts as long as the bytes do, so a permission or a drive that was away must not cause one.
    """
    try:
        stat = file.path.stat()
    except OSError:
        return _ToCome()
    if (stat.st_size, stat.st_mtime_ns) != (file.size, file.modified_ns):
        return _ToCome()
    try:
        return None if hash_file(file.path) == file.sha256 else _ToCome()
    except FileUnreadable as error:
        return _ToCome(error.what)


def _add(first: LandingReport, second: LandingReport) -> LandingReport:
    rules = {name: first.rules.get(name, 0) + second.rules.get(name, 0) for name in {**first.rules, **second.rules}}
    newest = second if second.is_changed or not first.is_changed else first
    return replace(
        newest,
        landed=first.landed + second.landed,
        set_aside=first.set_aside + second.set_aside,
        unchanged=first.unchanged + second.unchanged,
        rules=rules,
        violations=(*first.violations, *second.violations),
        notice=" ".join(filter(None, (first.notice, second.notice))),
    )
