"""A published set: a folder with the marts of one good run, and one link that leads to the newest.

    published/sets/<run_id>/{marts.duckdb, parquet/<mart>.parquet, manifest.json}
    published/current        -> sets/<run_id>        swapped last, in one step
    published/marts.duckdb   -> current/marts.duckdb
    published/parquet        -> current/parquet

A reader keeps the file that it opened; the next open finds the new one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from storage.errors import StorageError
from storage.home import Home, write_atomically
from storage.sql import quote_path

SETS_KEPT = 3
MARTS_SCHEMA = "marts"


@dataclass(frozen=True)
class Manifest:
    """What a published set says of itself; stands beside it as `manifest.json`.

    Attributes:
        run_id: The run that built it.
        as_of: Instant the figures are asked for, ISO 8601 UTC.
        fingerprint: Hash of everything the build reads; a run with the same one has nothing to build.
        lake_versions: Version of every lake table that was read.
        row_counts: Rows of every mart.
    """

    run_id: str
    as_of: str
    fingerprint: str
    lake_versions: dict[str, int]
    row_counts: dict[str, int]


def read_current_manifest(home: Home) -> Manifest | None:
    """The manifest of the set that readers see now; None before the first."""
    path = home.published / "current" / "manifest.json"
    return _read_manifest(path) if path.exists() else None


def read_manifests(home: Home) -> list[Manifest]:
    """The manifests of every set that is kept."""
    return [_read_manifest(path) for path in sorted(home.published.glob("sets/*/manifest.json"))]


def publish(home: Home, *, run_id: str, as_of: str, fingerprint: str, lake_versions: dict[str, int]) -> Manifest:
    """Copy every mart of the warehouse into a new published set and make it the current one.

    Args:
        home: The home folder; its warehouse must not be open for writing.
        run_id: Names the set's folder.
        as_of: Instant the figures are asked for.
        fingerprint: What the build read, see `Manifest`.
        lake_versions: Version of every lake table that was read.

    Returns:
        The new set's manifest.

    Raises:
        StorageError: The warehouse holds no marts, or the disk is full or read-only; the current set stays.
    """
    folder = home.published / "sets" / re.sub(r"[^A-Za-z0-9_-]", "-", run_id)
    partial = folder.with_name(folder.name + ".partial")
    try:
        for stale in (*home.published.glob("sets/*.partial"), folder):
            shutil.rmtree(stale, ignore_errors=True)
        (partial / "parquet").mkdir(parents=True)
        row_counts = _copy_marts(home.warehouse, partial)
        manifest = Manifest(run_id, as_of, fingerprint, lake_versions, row_counts)
        write_atomically(partial / "manifest.json", json.dumps(asdict(manifest), indent=1) + "\n")
        partial.rename(folder)
        _point(home.published / "current", Path("sets") / folder.name)
        for name in ("marts.duckdb", "parquet"):
            _point(home.published / name, Path("current") / name)
    except (OSError, duckdb.Error) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise StorageError(
            f"The marts could not be published: {str(error).splitlines()[0]}",
            where=str(home.published),
            fix="Check room and permissions on the disk and run again. The set published before stays.",
        ) from error
    _remove_old_sets(home)
    return manifest


def _read_manifest(path: Path) -> Manifest:
    stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Manifest(**stored)


def _copy_marts(warehouse: Path, folder: Path) -> dict[str, int]:
    """Write marts.duckdb and one Parquet file per mart; return the rows of each."""
    # Under another name while it is written: with a catalog called marts, the warehouse's own views over `marts.…` would be ambiguous too.
    target = folder / "building.duckdb"
    counts: dict[str, int] = {}
    with duckdb.connect(str(target)) as connection:
        connection.execute(f"attach '{quote_path(warehouse)}' as warehouse (read_only)")
        connection.execute(f"create schema {MARTS_SCHEMA}")
        names = connection.execute(
            "select table_name from information_schema.tables where table_catalog = 'warehouse' and table_schema = ? order by table_name",
            [MARTS_SCHEMA],
        ).fetchall()
        if not names:
            raise StorageError(
                "The warehouse holds no marts to publish.", where=str(warehouse), fix="Run `salesops run` and look at its first error."
            )
        for (name,) in names:
            # A file marts.duckdb with a schema marts makes `marts.<mart>` ambiguous to DuckDB where the file itself is opened. With the
            # tables in the default schema and a view of each in `marts`, the bare name, `marts.marts.<mart>` and, where the file is
            # attached under another name, `<that name>.marts.<mart>` all answer.
            connection.execute(f'create table main."{name}" as from warehouse.{MARTS_SCHEMA}."{name}"')
            connection.execute(f'create view {MARTS_SCHEMA}."{name}" as from main."{name}"')
            connection.execute(f"copy main.\"{name}\" to '{quote_path(folder)}/parquet/{name}.parquet' (format parquet, compression zstd)")
            counts[name] = int(connection.execute(f'select count(*) from main."{name}"').fetchone()[0])  # type: ignore[index]  # count(*) has a row
        connection.execute("detach warehouse")
        connection.execute("checkpoint")
    with target.open("rb+") as file:
        os.fsync(file.fileno())
    target.rename(folder / "marts.duckdb")
    return counts


def _point(link: Path, to: Path) -> None:
    """Make `link` lead to `to` in one step: a new link renamed over the old."""
    fresh = link.with_name(f".{link.name}.{os.getpid()}.tmp")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(to)
    fresh.replace(link)


def remove_older_sets(home: Home) -> int:
    """Drop every set but the current one, at once, and return how many those were: after an erasure they hold what the lake no longer does."""
    current = (home.published / "current").resolve()
    older = [path for path in home.published.glob("sets/*") if path != current]
    for path in older:
        shutil.rmtree(path)
    return len(older)


def _remove_old_sets(home: Home) -> None:
    current = (home.published / "current").resolve()
    sets = sorted((home.published / "sets").iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for old in [path for path in sets if path != current][SETS_KEPT - 1 :]:
        shutil.rmtree(old, ignore_errors=True)
