"""Back up and restore the lake: one consistent snapshot of every table, each file with its SHA-256.

    <target>/manifest.json           written last: a folder without it is not a backup
    <target>/lake/<table>/…          committed files of the newest version, and the log up to it
    <target>/home/…                  what a home holds that neither the lake nor a build can restore

Committed files never change, so a backup into the same folder copies only new ones. It deletes what the new snapshot
does not name: the first backup after an erasure no longer holds the person.
What belongs here: copying and checking. What does not: marts, which a run builds from the restored lake.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from pyarrow import fs

from storage.errors import StorageError, summarise
from storage.home import Home, write_atomically
from storage.lake import Lake

BACKUP_FORMAT = 1
MANIFEST = "manifest.json"
# Besides the lake: which company's data it is, and the fitted models.
_HOME_PARTS = ("origin.json", "models")
_LOG_ENTRY = re.compile(r"(\d{20})\.(json|checkpoint\..*)")
_CHUNK = 1 << 20


@dataclass(frozen=True)
class SavedFile:
    """One file of a backup; its path is relative to the backup's folder, with slashes."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class BackupManifest:
    """What a backup holds.

    Attributes:
        tables: Version of every table.
        files: Every file.
        format_version: Format of this manifest.
    """

    tables: dict[str, int]
    files: tuple[SavedFile, ...]
    format_version: int = BACKUP_FORMAT


@dataclass(frozen=True)
class BackupReport:
    """The result of a backup or a restore: tables and files in all, and how many files and bytes were copied now."""

    tables: int
    files: int
    copied: int = 0
    copied_bytes: int = 0


@dataclass
class _Progress:
    before: dict[str, SavedFile]
    files: list[SavedFile] = field(default_factory=list)
    copied: int = 0
    copied_bytes: int = 0


def back_up(lake: Lake, home: Home, target: Path) -> BackupReport:
    """Copy the lake as it is now. Loads may run meanwhile, vacuum and erasure not (`storage.upkeep.only_one_upkeep`).

    Args:
        lake: The lake, local or remote.
        home: The home folder.
        target: A folder that is empty, missing, or an earlier backup of the same company.

    Raises:
        StorageError: The target holds something else, or the disk or store cannot be written. An earlier backup there
            stays intact.
    """
    before = _earlier_backup(home, target)
    progress = _Progress({file.path: file for file in before.files} if before else {})
    filesystem, base = lake.filesystem()
    snapshot = lake.snapshot()
    try:
        target.mkdir(parents=True, exist_ok=True)
        for table in snapshot.tables:
            prefix = f"{base}/{table.table_name}"
            for uri in table.files:
                name = uri.removeprefix(lake.uri(table.table_name)).strip("/")
                _copy(
                    filesystem, f"{prefix}/{name}", target, f"lake/{table.table_name}/{name}", progress, immutable=True
                )
            for name in _log_entries(filesystem, f"{prefix}/_delta_log", table.version):
                # Small, and an erasure may have cleaned them, so they are always compared by content.
                _copy(
                    filesystem,
                    f"{prefix}/_delta_log/{name}",
                    target,
                    f"lake/{table.table_name}/_delta_log/{name}",
                    progress,
                    immutable=False,
                )
        for path in _home_files(home):
            _copy(fs.LocalFileSystem(), str(home.root / path), target, f"home/{path}", progress, immutable=False)
        manifest = BackupManifest(
            {table.table_name: table.version for table in snapshot.tables},
            tuple(sorted(progress.files, key=lambda f: f.path)),
        )
        write_atomically(target / MANIFEST, json.dumps(asdict(manifest), indent=1) + "\n")
        _drop_unnamed(target, {file.path for file in manifest.files})
    except OSError as error:
        raise StorageError(
            f"The backup could not be written: {summarise(error)}",
            where=str(target),
            fix="Check room and permissions of the folder and run again: files that were copied are not copied again.",
        ) from error
    return BackupReport(len(manifest.tables), len(manifest.files), progress.copied, progress.copied_bytes)


def restore(source: Path, lake: Lake, home: Home) -> BackupReport:
    """Restore a backup into an empty home and lake. Every file's hash is checked before anything is written.

    Raises:
        StorageError: The source is not a backup or is damaged, the home or the lake is not empty, or the disk or store
            cannot be written.
    """
    manifest = read_manifest(source)
    _refuse_non_empty(lake, home)
    for file in manifest.files:
        _verify(source, file)
    filesystem, base = lake.filesystem()
    # Logs last and in order: a table exists from its first commit on, and must never name a file that is missing.
    for file in sorted(
        manifest.files, key=lambda one: ("/_delta_log/" in one.path, one.path.startswith("home/"), one.path)
    ):
        part, _, rest = file.path.partition("/")
        destination, path = (
            (filesystem, f"{base}/{rest}") if part == "lake" else (fs.LocalFileSystem(), str(home.root / rest))
        )
        try:
            # S3 has no folders, and a marker for one would end up in the log.
            if isinstance(destination, fs.LocalFileSystem):
                destination.create_dir(path.rpartition("/")[0], recursive=True)
            with (source / file.path).open("rb") as reading, destination.open_output_stream(path) as writing:
                shutil.copyfileobj(reading, writing, _CHUNK)
        except OSError as error:
            raise StorageError(
                f"The backup could not be restored: {summarise(error)}",
                where=path,
                fix="Empty the home and the lake, and restore again.",
            ) from error
    return BackupReport(
        len(manifest.tables), len(manifest.files), len(manifest.files), sum(file.size for file in manifest.files)
    )


def read_manifest(source: Path) -> BackupManifest:
    """The manifest of a backup.

    Raises:
        StorageError: There is none, it is damaged, or a newer Salesops wrote it.
    """
    path = source / MANIFEST
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        form = int(stored["format_version"])
        if form <= BACKUP_FORMAT:
            return BackupManifest(dict(stored["tables"]), tuple(SavedFile(**file) for file in stored["files"]), form)
    except FileNotFoundError:
        raise StorageError(
            "This folder holds no finished backup.",
            where=str(path),
            fix="Name the folder that `salesops lake backup` wrote.",
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StorageError(
            f"The backup's manifest cannot be read: {error}.", where=str(path), fix="Restore from another backup."
        ) from error
    raise StorageError(
        f"A newer Salesops wrote this backup (form {form}).", where=str(path), fix="Install that version."
    )


def _earlier_backup(home: Home, target: Path) -> BackupManifest | None:
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return None
    if not (target / MANIFEST).exists() and not (target / "lake").is_dir():
        raise StorageError(
            "The folder holds something else than a backup.",
            where=str(target),
            fix="Name an empty folder, or an earlier backup.",
        )
    origin, saved = home.root / "origin.json", target / "home" / "origin.json"
    if origin.exists() and saved.exists() and origin.read_bytes() != saved.read_bytes():
        raise StorageError(
            "The folder holds another company's backup.",
            where=str(target),
            fix="Name an empty folder, or this company's backup.",
        )
    return read_manifest(target) if (target / MANIFEST).exists() else None


def _log_entries(filesystem: fs.FileSystem, log: str, version: int) -> list[str]:
    names = [info.base_name for info in filesystem.get_file_info(fs.FileSelector(log)) if info.is_file]
    return sorted(name for name in names if (match := _LOG_ENTRY.fullmatch(name)) and int(match[1]) <= version)


def _home_files(home: Home) -> Iterator[str]:
    for part in _HOME_PARTS:
        path = home.root / part
        files = [path] if path.is_file() else sorted(path.rglob("*")) if path.is_dir() else []
        yield from (file.relative_to(home.root).as_posix() for file in files if file.is_file())


def _copy(
    filesystem: fs.FileSystem, origin: str, target: Path, path: str, progress: _Progress, *, immutable: bool
) -> None:
    local, before = target / path, progress.before.get(path)
    if immutable and before and local.exists() and local.stat().st_size == before.size:
        progress.files.append(before)
        return
    local.parent.mkdir(parents=True, exist_ok=True)
    partial = local.with_name(f".{local.name}.partial")
    with filesystem.open_input_stream(origin) as reading, partial.open("wb") as writing:
        digest, size = _copy_and_hash(reading, writing)
        writing.flush()
        os.fsync(writing.fileno())
    saved = SavedFile(path, size, digest)
    if saved != before or not local.exists():
        partial.replace(local)
        progress.copied += 1
        progress.copied_bytes += size
    else:
        partial.unlink()
    progress.files.append(saved)


def _copy_and_hash(reading: IO[bytes], writing: IO[bytes] | None) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while chunk := reading.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if writing is not None:
            writing.write(chunk)
    return digest.hexdigest(), size


def _drop_unnamed(target: Path, named: set[str]) -> None:
    for part in ("lake", "home"):
        for path in (target / part).rglob("*"):
            if path.is_file() and path.relative_to(target).as_posix() not in named:
                path.unlink()


def _refuse_non_empty(lake: Lake, home: Home) -> None:
    # The lock of the upkeep that called this is already there.
    held = (
        [path.name for path in home.root.iterdir() if path.name not in {"lake_upkeep.lock", home.locks.name}]
        if home.root.exists()
        else []
    )
    if held or lake.tables():
        raise StorageError(
            "A backup is restored into an empty home and an empty lake only; this one holds something.",
            where=str(home.root if held else lake.root),
            fix="Set SALESOPS_HOME (and SALESOPS_LAKE) to a new place, or move what is there away.",
        )


def _verify(source: Path, file: SavedFile) -> None:
    path = source / file.path
    try:
        with path.open("rb") as reading:
            found = _copy_and_hash(reading, None)
    except OSError as error:
        raise StorageError(
            f"A file of the backup cannot be read: {error.strerror}.",
            where=str(path),
            fix="Restore from another backup.",
        ) from error
    if found != (file.sha256, file.size):
        raise StorageError(
            "A file of the backup is damaged: its hash is not the one it was saved with. Nothing was restored.",
            where=str(path),
            fix="Restore from another backup.",
        )
