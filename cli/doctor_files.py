"""The `salesops doctor` checks of what runs leave in the home: damaged files and dead runs.

A run rebuilds any file it cannot read; these checks report it beforehand, and `--repair` fixes it without a run.
Repairs need the home to themselves.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cli.check import Check
from ingestion.sources.settings import PlatformSettings
from publishing.published_set import forget_fingerprint, read_current_manifest
from storage.errors import StorageError
from storage.home import Home
from storage.locks import find_dead_runs, find_holder, hold_home
from storage.warehouse import is_whole, log_of, open_published

_ANEW = "The next `salesops run` makes it anew."


def list_file_checks(settings: PlatformSettings) -> list[Check]:
    """One check per kind of file that a run leaves; empty if the home does not exist yet."""
    home = settings.home_folder
    if not home.root.is_dir():
        return []
    return [
        Check("run at work", lambda: str(find_holder(home) or "none")),
        Check("runs that died", lambda: _check_dead_runs(home), lambda: _free_dead_runs(home)),
        Check("parsed dbt project", lambda: _check_manifest(home), lambda: _remove_manifests(home)),
        Check(
            "picture of the lake",
            lambda: _check_picture(home),
            lambda: _remove(home, home.lake_snapshot, home.run_context, home.build_record),
        ),
        Check(
            "warehouse", lambda: _check_warehouse(home), lambda: _remove(home, home.warehouse, log_of(home.warehouse))
        ),
        Check("published manifest", lambda: _check_published_manifest(home)),
        Check("published files", lambda: _check_published_files(home), lambda: _disown_published(home)),
    ]


def _check_dead_runs(home: Home) -> str:
    if dead := find_dead_runs(home):
        raise StorageError(
            f"{len(dead)} {'run' if len(dead) == 1 else 'runs'} ended without reporting: {', '.join(dead)}.",
            where=str(home.dagster),
            fix="The next `salesops run` ends them in Dagster and frees what they held.",
        )
    return "none"


def _free_dead_runs(home: Home) -> str:
    from orchestration.embedded import open_instance
    from orchestration.leftovers import free_dead_runs

    with _alone(home), open_instance(home) as instance:
        return f"ended: {', '.join(free_dead_runs(instance, home)) or 'Dagster knew of them'}"


def _check_manifest(home: Home) -> str:
    from warehouse.manifest import is_readable_manifest, manifest_path

    path = manifest_path(home)
    if path.exists() and not is_readable_manifest(path):
        raise StorageError("The manifest of the dbt project is damaged.", where=str(path), fix=_ANEW)
    return str(path) if path.exists() else "none for the project as it is now; the next run parses it"


def _remove_manifests(home: Home) -> str:
    return _remove(home, *home.dbt.glob("manifest*.json"), home.dbt / "partial_parse.msgpack")


def _check_picture(home: Home) -> str:
    for path in (home.lake_snapshot, home.run_context, home.build_record):
        try:
            for line in path.read_text(encoding="utf-8").splitlines():
                json.loads(line)
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise StorageError(
                f"What the last build read of the lake was noted in a file that is damaged: {error}",
                where=str(path),
                fix=_ANEW,
            ) from None
    return "whole" if home.lake_snapshot.exists() else "none yet"


def _check_warehouse(home: Home) -> str:
    if not home.warehouse.exists():
        return "none yet, or removed; a run builds it from the lake"
    if find_holder(home):
        return "a run has it open"
    if not is_whole(home.warehouse):
        raise StorageError(
            "The warehouse was left half-written by a run that died, or is damaged.",
            where=str(home.warehouse),
            fix=_ANEW,
        )
    return str(home.warehouse)


def _check_published_manifest(home: Home) -> str:
    current = home.published / "current"
    if not current.is_symlink():
        return "none yet"
    manifest = read_current_manifest(home)
    if manifest is None:
        raise StorageError(
            "The manifest of the published set is missing or damaged.", where=str(current / "manifest.json"), fix=_ANEW
        )
    return f"of run {manifest.run_id}, as of {manifest.as_of} UTC"


def _check_published_files(home: Home) -> str:
    current, manifest = home.published / "current", read_current_manifest(home)
    if manifest is None:
        return "not known without a manifest"
    if (current / "marts.duckdb").exists():
        return "published by an earlier version; the next run replaces it"
    if not manifest.fingerprint:
        return "marked as damaged; the next run publishes anew"
    files = (current / "salesops.duckdb", current / "restricted" / "pay.duckdb")
    if broken := [file for file in files if os.access(file, os.R_OK) and not is_whole(file)]:
        raise StorageError("A published file is damaged.", where=str(broken[0].resolve()), fix=_ANEW)
    with open_published(home) as published:
        held = {str(name) for (name,) in published.execute("select table_name from duckdb_tables()").fetchall()}
    readable = os.access(current / "restricted", os.R_OK)
    missing = (
        sorted(name for name in manifest.row_counts if name not in held or not _parquet_of(current, name))
        if readable
        else []
    )
    if missing:
        raise StorageError(
            f"The published set lacks marts that its manifest names: {', '.join(missing)}.",
            where=str(current.resolve()),
            fix=_ANEW,
        )
    return f"{len(held)} marts"


def _parquet_of(current: Path, name: str) -> bool:
    return any((current / part / f"{name}.parquet").is_file() for part in ("parquet", "restricted/parquet"))


def _disown_published(home: Home) -> str:
    """Drop the fingerprint from the set's manifest, so that the next run builds.

    Vacuum still needs the manifest's lake versions.
    """
    with _alone(home):
        forget_fingerprint(home)
    return "marked as damaged; the next run publishes anew"


def _remove(home: Home, *paths: Path) -> str:
    with _alone(home):
        removed = [path.name for path in paths if path.exists()]
        for path in paths:
            with suppress(FileNotFoundError):
                path.unlink()
    return f"removed {', '.join(removed) or 'nothing'}. {_ANEW}"


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    with hold_home(home, f"doctor-{os.getpid()}", wait=False):
        yield
