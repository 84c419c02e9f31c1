"""The parsed dbt project: the manifest in a file named by the project's hash, and dbt's own object kept between calls.

A subprocess would cost 3.5 s per call and lose the manifest; keeping it, a run starts dbt once for both steps.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tempfile
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson

from storage.home import Home, move_into_place
from warehouse.dbt_call import DBT_PROJECT, hold_dbt, list_common_arguments
from warehouse.errors import WarehouseBuildError

# dbt's cache for parsing only changed files; it may be missing or of another version.
_PARTIAL_PARSE = "partial_parse.msgpack"
_DAY = 86_400

# dbt's own Manifest object per dbt folder, kept between calls, because parsing takes seconds.
_parsed: dict[Path, Any] = {}

_log = logging.getLogger(__name__)


def hash_dbt_project() -> str:
    """SHA-256 over every file of the dbt project: what `manifest.json` and the marts depend on besides data."""
    digest = hashlib.sha256()
    for path in sorted(DBT_PROJECT.rglob("*")):
        if path.suffix in {".sql", ".yml", ".py", ".csv"} and "target" not in path.parts:
            digest.update(str(path.relative_to(DBT_PROJECT)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def prepare_manifest(home: Home) -> Path:
    """Path of the parsed project's manifest. Parses the project if its files changed or the manifest cannot be read.

    Raises:
        WarehouseBuildError: The project does not parse.
    """
    path = manifest_path(home)
    if path.exists() and not is_readable_manifest(path):
        _log.warning("%s could not be read: the dbt project is parsed anew.", path)
        path.unlink()
    if not path.exists():
        _parse(home)
    return path


def manifest_path(home: Home) -> Path:
    """The path of the current project's manifest, which may not exist yet.

    The hash in its name keeps it from being stale.
    """
    return home.dbt / f"manifest-{hash_dbt_project()[:16]}.json"


def _parsed_path(home: Home) -> Path:
    """The path of dbt's own form of that manifest, which only the same dbt reads."""
    return home.dbt / f"parsed-{hash_dbt_project()[:16]}-{version('dbt-core')}.msgpack"


def is_readable_manifest(path: Path) -> bool:
    """Whether a manifest is complete."""
    try:
        return "nodes" in orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError, TypeError):
        return False


def load_parsed_project(home: Home, *, database: str | None = None) -> Any:
    """dbt's own Manifest object for a call, parsed unless this process already has it.

    Args:
        home: The home folder.
        database: DuckDB's name for the target file (its stem). By default that of the home's warehouse, for which the
            project is parsed: dbt writes the name into every node. For any other, the nodes are copied, because parsing
            again takes seconds.

    Raises:
        WarehouseBuildError: The project does not parse.
    """
    if home.dbt not in _parsed:
        if (read := _read_parsed(_parsed_path(home))) is None:
            _parse(home)
        else:
            _parsed[home.dbt] = read
    parsed = _parsed[home.dbt]
    if database is None:
        return parsed
    copied = parsed.deepcopy()
    for node in copied.nodes.values():
        if node.relation_name is not None:
            node.relation_name = node.relation_name.replace(f'"{node.database}"', f'"{database}"', 1)
        node.database = database
    return copied


def drop_old_manifests(home: Home, now: datetime) -> None:
    """Delete manifests of earlier project states that nobody can be using any more, and leftovers of killed parses."""
    current, day_ago = (manifest_path(home), _parsed_path(home)), now.timestamp() - _DAY
    for old in (*home.dbt.glob("manifest*.json"), *home.dbt.glob("parsed-*.msgpack")):
        if old not in current and old.stat().st_mtime < day_ago:
            old.unlink(missing_ok=True)
    for left in home.dbt.glob("parse-*"):
        # Another process, such as the UI's, may be parsing; parsing takes no lock.
        if not Path(f"/proc/{left.name.split('-')[1]}").exists() or left.stat().st_mtime < day_ago:
            shutil.rmtree(left, ignore_errors=True)


def _read_parsed(path: Path) -> Any | None:
    """The parsed project from its file, a third of what dbt takes to see that nothing changed; None if it cannot be read."""
    from dbt.contracts.graph.manifest import Manifest

    try:
        manifest = Manifest.from_msgpack(path.read_bytes())
    except Exception as error:  # missing, cut off, or of another form: the project is parsed anew
        _log.debug("%s: %s", path, error)
        return None
    manifest.build_flat_graph()  # what dbt does after parsing: models see the project as `graph`
    return manifest


def _parse(home: Home) -> None:
    """Parse in a temporary folder and move the results.

    In place, a kill or a second parse would leave partial files.
    """
    from dbt.cli.main import dbtRunner

    path = manifest_path(home)
    home.dbt.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"parse-{os.getpid()}-", dir=home.dbt) as folder:
        target = Path(folder)
        if (home.dbt / _PARTIAL_PARSE).exists():
            shutil.copyfile(home.dbt / _PARTIAL_PARSE, target / _PARTIAL_PARSE)
        with hold_dbt(home, home.warehouse):
            result = dbtRunner().invoke(["parse", *list_common_arguments(home, target)])
        if not result.success:
            raise WarehouseBuildError(
                "The dbt project does not parse.", where=str(DBT_PROJECT), fix=str(result.exception)
            ) from result.exception
        shutil.copyfile(target / _PARTIAL_PARSE, target / "parsed")
        move_into_place(target / "parsed", _parsed_path(home))
        move_into_place(target / _PARTIAL_PARSE, home.dbt / _PARTIAL_PARSE)
        move_into_place(target / "manifest.json", path)
    _parsed[home.dbt] = result.result
