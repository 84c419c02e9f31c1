"""Rewrite history: replace a table's files, delete the older ones at once, and clean what the log says about them.

The one exception to "the lake is never changed" (docs/lake.md). What belongs here: doing this to a Delta table so that
a kill at any moment leaves a table that opens. What does not: whose rows, and their new content (`storage.erasure`).
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import AddAction, RemoveAction
from pyarrow import fs

from storage.errors import StorageError, summarise
from storage.lake import CHANGE_KEY, Lake

# A file younger than this that no commit names may be one that a load is writing right now.
_YOUNG = timedelta(hours=1)
_LOG_ENTRY = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\..*")


def replace_files(lake: Lake, table: str, replacements: Mapping[str, Path], *, change: str, at: datetime) -> None:
    """Replace committed files with new ones, as one commit. Loads may commit meanwhile; compaction may not.

    Args:
        lake: The lake.
        table: The table.
        replacements: By the path of the old file below the table, the local file that replaces it, with as many rows
            and the same columns.
        change: Name of the change, which tells a build that rows have changed.
        at: Instant of the change.

    Raises:
        StorageError: The disk or store cannot be written. The table is unchanged.
    """
    filesystem, base = lake.filesystem()
    instant = int(at.timestamp() * 1000)
    actions: list[AddAction | RemoveAction] = []
    opened = _open(lake, table)
    try:
        for old, new in sorted(replacements.items()):
            name = f"part-00000-{uuid.uuid4()}.parquet"
            fs.copy_files(
                str(new),
                f"{base}/{table}/{name}",
                source_filesystem=fs.LocalFileSystem(),
                destination_filesystem=filesystem,
            )
            stats = {"numRecords": pq.read_metadata(new).num_rows, "minValues": {}, "maxValues": {}, "nullCount": {}}
            actions.append(AddAction(name, new.stat().st_size, {}, instant, True, json.dumps(stats)))
            actions.append(RemoveAction(old, True, instant))
        properties = CommitProperties(custom_metadata={CHANGE_KEY: change})
        opened.create_write_transaction(actions, "append", opened.schema(), commit_properties=properties)
    except (OSError, DeltaError, CommitFailedError) as error:
        raise _refused(lake, table, error) from error


def drop_old_files(lake: Lake, table: str, *, now: datetime) -> int:
    """Delete every data file that the newest version does not name, whatever its age; returns how many.

    Older versions can no longer be read. Only files that are younger than an hour and were never committed stay.

    Raises:
        StorageError: The disk or store cannot be written; run again.
    """
    filesystem, base = lake.filesystem()
    opened = _open(lake, table)
    active = _active_paths(opened)
    dropped = 0
    try:
        once_committed = {
            path for _, text in _log_entries(filesystem, f"{base}/{table}") for path in _paths(text, "add")
        }
        for info in filesystem.get_file_info(fs.FileSelector(f"{base}/{table}")):
            if not info.is_file or info.base_name in active:
                continue
            if info.base_name in once_committed or info.mtime is None or now - info.mtime > _YOUNG:
                filesystem.delete_file(info.path)
                dropped += 1
    except OSError as error:
        raise _refused(lake, table, error) from error
    return dropped


def clean_log(lake: Lake, table: str, scrub: Callable[[str], str]) -> None:
    """Remove values from the log: statistics of deleted files, and whatever `scrub` replaces in any text.

    A new checkpoint replaces older ones, which repeat those statistics. Loads may commit meanwhile.

    Raises:
        StorageError: The disk or store cannot be written; run again.
    """
    filesystem, base = lake.filesystem()
    opened = _open(lake, table)
    version, active = opened.version(), _active_paths(opened)
    try:
        for path, text in _log_entries(filesystem, f"{base}/{table}"):
            cleaned = "".join(_clean_line(line, active, scrub) + "\n" for line in text.splitlines() if line)
            if cleaned != text:
                _put(lake, filesystem, path, cleaned.encode())
        fresh = _open(lake, table)
        fresh.create_checkpoint()
        for info in filesystem.get_file_info(fs.FileSelector(f"{base}/{table}/_delta_log")):
            if (match := _CHECKPOINT.fullmatch(info.base_name)) and int(match[1]) < min(version, fresh.version()):
                filesystem.delete_file(info.path)
    except (OSError, DeltaError) as error:
        raise _refused(lake, table, error) from error


def _clean_line(line: str, active: set[str], scrub: Callable[[str], str]) -> str:
    action = json.loads(line)
    add = action.get("add")
    if add and add.get("stats") and add["path"] not in active:
        add["stats"] = json.dumps({"numRecords": json.loads(add["stats"]).get("numRecords")})
    scrubbed = _scrub_values(action, scrub)
    return line if scrubbed == json.loads(line) else json.dumps(scrubbed, separators=(",", ":"))


def _scrub_values(value: object, scrub: Callable[[str], str]) -> object:
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {name: _scrub_values(one, scrub) for name, one in value.items()}
    if isinstance(value, list):
        return [_scrub_values(one, scrub) for one in value]
    return value


def _log_entries(filesystem: fs.FileSystem, table: str) -> list[tuple[str, str]]:
    """Path and text of every commit in the log, oldest first."""
    found = filesystem.get_file_info(fs.FileSelector(f"{table}/_delta_log"))
    paths = sorted(info.path for info in found if _LOG_ENTRY.fullmatch(info.base_name))
    entries = []
    for path in paths:
        with filesystem.open_input_stream(path) as stream:
            entries.append((path, stream.read().decode()))
    return entries


def _paths(text: str, action: str) -> set[str]:
    return {held[action]["path"] for line in text.splitlines() if line and action in (held := json.loads(line))}


def _active_paths(opened: DeltaTable) -> set[str]:
    return {uri.rsplit("/", 1)[-1] for uri in opened.file_uris()}


def _put(lake: Lake, filesystem: fs.FileSystem, path: str, content: bytes) -> None:
    """Replace a file so that readers see the old or the new one: an S3 put is atomic, and so is a rename on a disk."""
    written = path if lake.is_remote else f"{path}.tmp"
    with filesystem.open_output_stream(written) as stream:
        stream.write(content)
    if written != path:
        Path(written).replace(path)


def _open(lake: Lake, table: str) -> DeltaTable:
    opened = lake.open(table)
    if opened is None:
        raise StorageError(f"The lake has no table {table}.", where=str(lake.root))
    return opened


def _refused(lake: Lake, table: str, error: Exception) -> StorageError:
    return StorageError(
        f"A table could not be rewritten: {summarise(error)}",
        where=lake.uri(table),
        fix="Check room and permissions of the lake's disk or bucket and run the same command again: it goes on where it stopped.",
    )
