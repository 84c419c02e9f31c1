"""A published set: a folder with the marts of one good run, and a link to the newest.

    published/sets/<run id>/{salesops.duckdb, parquet/<mart>.parquet, manifest.json}
    published/sets/<run id>/restricted/{pay.duckdb, parquet/<mart>.parquet}
    published/current           -> sets/<run id>       swapped last, in one step
    published/salesops.duckdb   -> current/salesops.duckdb
    published/parquet           -> current/parquet

A reader keeps the file it opened; its next open finds the new one.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import duckdb

from publishing.access import open_way, protect
from publishing.files import RESTRICTED, write_marts
from publishing.marts import Marts
from publishing.policy import PublishPolicy
from storage.errors import StorageError
from storage.home import Home, sync, write_atomically

SETS_KEPT = 3
# Suffix of a set while it is written or removed: nobody reads it, and the next run deletes it.
_PARTIAL = ".partial"
_LINKS = ("salesops.duckdb", "parquet")
_FORMER_LINKS = ("marts.duckdb",)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Manifest:
    """Description of a published set, stored in it as `manifest.json`.

    Attributes:
        run_id: The run that published it.
        as_of: As-of instant of the figures, ISO 8601 UTC.
        fingerprint: Hash of everything the build reads; a run with the same hash has nothing to build.
        lake_versions: Version read of every lake table.
        row_counts: Rows of every mart, including those about pay.
        key_id: Identifies the key that hashes personal data: the hashes of two sets are comparable if it is the same.
        in_clear: Columns with personal data that are published as they are, as `mart.column`.
    """

    run_id: str
    as_of: str
    fingerprint: str
    lake_versions: dict[str, int]
    row_counts: dict[str, int]
    key_id: str = ""
    in_clear: tuple[str, ...] = ()


def read_current_manifest(home: Home) -> Manifest | None:
    """The current set's manifest. None if there is none or it cannot be read; the next run then publishes again."""
    path = home.published / "current" / "manifest.json"
    try:
        return _read_manifest(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        _log.warning(
            "The manifest of the published set cannot be read (%s: %s); the next run publishes anew.", path, error
        )
        return None


def read_manifests(home: Home) -> list[Manifest]:
    """The manifests of all kept sets.

    Raises:
        StorageError: A manifest cannot be read, so the lake versions of its set are unknown.
    """
    manifests = []
    for folder in sorted(path for path in home.published.glob("sets/*") if path.is_dir() and path.suffix != _PARTIAL):
        try:
            manifests.append(_read_manifest(folder / "manifest.json"))
        except (OSError, ValueError, TypeError) as error:
            raise StorageError(
                f"The manifest of a published set cannot be read, so nobody knows which lake versions it needs: {error}",
                where=str(folder / "manifest.json"),
                fix="Run `salesops run`, which publishes anew, then delete that set's folder if nobody reads it any more.",
            ) from None
    return manifests


def read_lake_versions(home: Home) -> list[dict[str, int]]:
    """The lake versions each kept set was built from, one dictionary per set.

    Raises:
        StorageError: A manifest cannot be read.
    """
    return [manifest.lake_versions for manifest in read_manifests(home)]


def publish(
    home: Home,
    *,
    run_id: str,
    as_of: str,
    fingerprint: str,
    lake_versions: dict[str, int],
    marts: Marts,
    policy: PublishPolicy,
) -> Manifest:
    """Copy every mart of the warehouse into a new published set and make it current.

    Args:
        home: The home folder; its warehouse must not be open for writing.
        run_id: The publishing run; names the set's folder.
        as_of: As-of instant of the figures.
        fingerprint: Hash of what the build read; see `Manifest`.
        lake_versions: Version read of every lake table.
        marts: What to publish.
        policy: What to hash, and who may read.

    Returns:
        The new set's manifest.

    Raises:
        StorageError: The warehouse lacks a mart, or the disk is full or read-only; the current set stays.
    """
    sets = home.published / "sets"
    folder = _find_free_name(sets, re.sub(r"[^A-Za-z0-9_-]", "-", run_id))
    partial = folder.with_name(folder.name + _PARTIAL)
    try:
        remove_unfinished_sets(home)
        sets.mkdir(parents=True, exist_ok=True)
        partial.mkdir(mode=0o700)
        row_counts = write_marts(home.warehouse, partial, marts, policy)
        manifest = Manifest(
            run_id, as_of, fingerprint, lake_versions, row_counts, policy.masker.key_id, tuple(sorted(policy.in_clear))
        )
        write_atomically(partial / "manifest.json", json.dumps(asdict(manifest), indent=1) + "\n")
        protect(partial, policy.group, restricted=partial / RESTRICTED)
        for written in (path for path in [*partial.rglob("*"), partial] if path.is_dir()):
            sync(written)
        partial.rename(folder)
        sync(sets)
        before = _current(home)
        open_way(home, policy.group)
        _point(home.published / "current", Path("sets") / folder.name)
        for name in _LINKS:
            _point(home.published / name, Path("current") / name)
        for name in _FORMER_LINKS:
            (home.published / name).unlink(missing_ok=True)
        sync(home.published)
    except (OSError, duckdb.Error) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise StorageError(
            f"The marts could not be published: {str(error).splitlines()[0]}",
            where=str(home.published),
            fix="Check room and permissions on the disk and run again. The set published before stays.",
        ) from error
    except StorageError:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    _remove_old_sets(home, keep={folder, before} if before else {folder})
    return manifest


def forget_fingerprint(home: Home) -> None:
    """Make the next run publish again in any case; the set stays for its readers, and its manifest for vacuum."""
    manifest = read_current_manifest(home)
    if manifest is not None:
        path = (home.published / "current").resolve() / "manifest.json"
        write_atomically(path, json.dumps(asdict(replace(manifest, fingerprint="")), indent=1) + "\n")


def remove_unfinished_sets(home: Home) -> None:
    """Delete what killed runs left half-written or half-removed. Only for a run that holds the home."""
    for unfinished in home.published.glob(f"sets/*{_PARTIAL}"):
        shutil.rmtree(unfinished, ignore_errors=True)


def remove_older_sets(home: Home) -> int:
    """Delete all sets except the current one and return how many: after an erasure they hold what the lake does not."""
    current = _current(home)
    older = [path for path in home.published.glob("sets/*") if path != current]
    for path in older:
        _remove(path)
    return len(older)


def _read_manifest(path: Path) -> Manifest:
    stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    # Another version of Salesops may have written more or fewer fields.
    known = {field.name: stored[field.name] for field in fields(Manifest) if field.name in stored}
    return Manifest(**known)


def _find_free_name(sets: Path, name: str) -> Path:
    """A folder name not in use: a run that publishes twice must not delete the set that readers see."""
    folder, number = sets / name, 1
    while folder.exists():
        number += 1
        folder = sets / f"{name}-{number}"
    return folder


def _current(home: Home) -> Path | None:
    link = home.published / "current"
    return link.resolve() if link.exists() else None


def _point(link: Path, to: Path) -> None:
    """Point `link` to `to` in one step, by renaming a new link over the old."""
    fresh = link.with_name(f".{link.name}.tmp")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(to)
    fresh.replace(link)


def _remove_old_sets(home: Home, *, keep: set[Path]) -> None:
    """Delete all but the newest sets, never the current or previous one. Failed deletions wait for a later run."""
    kept = {path.resolve() for path in keep}
    sets = sorted(
        (path for path in home.published.glob("sets/*")), key=lambda path: path.stat().st_mtime_ns, reverse=True
    )
    for old in [path for path in sets if path.resolve() not in kept][max(0, SETS_KEPT - len(kept)) :]:
        try:
            _remove(old)
        except OSError as error:
            _log.warning("The old set %s could not be dropped: %s", old, error)


def _remove(folder: Path) -> None:
    """Delete a set. It is renamed first, because a half-deleted set would look like one with a broken manifest."""
    doomed = folder if folder.suffix == _PARTIAL else folder.with_name(folder.name + _PARTIAL)
    if doomed != folder:
        folder.rename(doomed)
    shutil.rmtree(doomed)
