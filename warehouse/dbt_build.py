"""dbt inside the Dagster process: the manifest kept, events live, the warehouse closed after each call.

A subprocess would cost 3.5 s a call and would lose the manifest; with it kept, a run starts dbt once for both of its steps.
"""

from __future__ import annotations

import hashlib
import logging
import os
import queue
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import orjson

from storage.errors import SalesopsError
from storage.home import Home, move_into_place
from storage.settings import PROJECT_ROOT
from storage.warehouse import is_whole, log_of

DBT_PROJECT = PROJECT_ROOT / "dbt_project"

# The debug log would be a fifth of dbt's time; the compiled SQL of a model that failed is kept all the same.
_FLAGS = ["--no-version-check", "--log-level", "none", "--log-level-file", "info"]

# What dbt needs to parse only what changed; it may be missing or of another version.
_PARTIAL_PARSE = "partial_parse.msgpack"

# dbt's own Manifest object by target folder, kept between calls: it parses in seconds what it then looks up in none.
_manifests: dict[Path, Any] = {}

_log = logging.getLogger(__name__)


class WarehouseBuildError(SalesopsError):
    """A model or a test of the dbt project failed."""


def set_dbt_environment(home: Home) -> None:
    """Point dbt at this home: the profile and the lake macros read these variables."""
    os.environ["SALESOPS_WAREHOUSE"] = str(home.warehouse)
    os.environ["SALESOPS_LAKE_SNAPSHOT"] = str(home.lake_snapshot)
    os.environ["SALESOPS_RUN_CONTEXT"] = str(home.run_context)
    os.environ.setdefault("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")


def hash_dbt_project() -> str:
    """SHA-256 over every file of the dbt project: what `manifest.json` and the marts depend on besides data."""
    digest = hashlib.sha256()
    for path in sorted(DBT_PROJECT.rglob("*")):
        if path.suffix in {".sql", ".yml", ".py", ".csv"} and "target" not in path.parts:
            digest.update(str(path.relative_to(DBT_PROJECT)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def prepare_manifest(home: Home) -> Path:
    """Path of the parsed project's manifest. The project is parsed where its files changed, and where the manifest cannot be read.

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
    """Where the manifest of the dbt project as it is now lies, or will lie: the name carries the project's hash, so no stamp can disagree."""
    return home.dbt / f"manifest-{hash_dbt_project()[:16]}.json"


def is_readable_manifest(path: Path) -> bool:
    """Whether a manifest is whole."""
    try:
        return "nodes" in orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError, TypeError):
        return False


def prepare_warehouse(home: Home) -> None:
    """Remove a warehouse that a killed build left unreadable, or with a log to replay: it is built anew from the lake anyway."""
    shutil.rmtree(home.warehouse.with_name(home.warehouse.name + ".tmp"), ignore_errors=True)
    try:
        if home.warehouse.exists() and is_whole(home.warehouse):
            return
    except duckdb.IOException as error:
        raise WarehouseBuildError(
            f"Another program has the warehouse open: {str(error).splitlines()[0]}",
            where=str(home.warehouse),
            fix="Close it and run again. Read the published set instead: it can be opened at any time.",
        ) from None
    if home.warehouse.exists():
        _log.warning("%s was left half-written by a run that was killed: it is built anew.", home.warehouse)
    for left in (home.warehouse, log_of(home.warehouse)):
        left.unlink(missing_ok=True)


def build(home: Home, arguments: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Run a dbt command and yield its result events as they happen.

    Args:
        home: The home folder; no one else may have its warehouse open.
        arguments: Such as `["build", "--select", "tag:after_models"]`.

    Yields:
        dbt's structured log events of models, tests, seeds and snapshots, as plain dictionaries.

    Raises:
        WarehouseBuildError: A model or a test failed; the message names the first ones.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner
    from google.protobuf.json_format import MessageToDict

    if home.dbt not in _manifests:
        _parse(home)
    events: queue.Queue[dict[str, Any] | None] = queue.Queue()
    outcome: list[Any] = []

    def forward(event: Any) -> None:
        if event.info.name in {"LogModelResult", "LogSeedResult", "LogSnapshotResult", "LogTestResult"}:
            events.put(MessageToDict(event, preserving_proto_field_name=True))

    def work() -> None:
        try:
            outcome.append(dbtRunner(manifest=_manifests[home.dbt], callbacks=[forward]).invoke([*arguments, *_common_arguments(home)]))
        finally:
            # Otherwise the file stays open read-write in this process, and the next step cannot open it.
            DuckDBConnectionManager.close_all_connections()
            events.put(None)

    # A daemon: after an interrupt nothing may wait for it, for dbt's own threads do not end before their queries do (`storage.interrupts`).
    worker = threading.Thread(target=work, name="dbt", daemon=True)
    worker.start()
    while (event := events.get()) is not None:
        yield event
    worker.join()
    if not outcome or not outcome[0].success:
        raise _explain_failure(outcome[0] if outcome else None, home)


def _parse(home: Home) -> None:
    """Parse in a folder of its own and move the results: dbt writes them in place, where a kill, or a second parse, would leave a part."""
    from dbt.cli.main import dbtRunner

    set_dbt_environment(home)
    path = manifest_path(home)
    home.dbt.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"parse-{os.getpid()}-", dir=home.dbt) as folder:
        target = Path(folder)
        if (home.dbt / _PARTIAL_PARSE).exists():
            shutil.copyfile(home.dbt / _PARTIAL_PARSE, target / _PARTIAL_PARSE)
        result = dbtRunner().invoke(["parse", *_common_arguments(home, target)])
        if not result.success:
            raise WarehouseBuildError("The dbt project does not parse.", where=str(DBT_PROJECT), fix=str(result.exception)) from result.exception
        move_into_place(target / _PARTIAL_PARSE, home.dbt / _PARTIAL_PARSE)
        move_into_place(target / "manifest.json", path)
    _manifests[home.dbt] = result.result


def drop_old_manifests(home: Home) -> None:
    """Remove manifests of earlier states of the project that nobody can be using any more, and what killed parses left."""
    current, day_ago = manifest_path(home), time.time() - 86_400
    for old in home.dbt.glob("manifest*.json"):
        if old != current and old.stat().st_mtime < day_ago:
            old.unlink(missing_ok=True)
    for left in home.dbt.glob("parse-*"):
        # Another process, such as the UI's, may be parsing: it needs no lock for that.
        if not Path(f"/proc/{left.name.split('-')[1]}").exists() or left.stat().st_mtime < day_ago:
            shutil.rmtree(left, ignore_errors=True)


def _common_arguments(home: Home, target: Path | None = None) -> list[str]:
    folders = {
        "--project-dir": DBT_PROJECT,
        "--profiles-dir": DBT_PROJECT,
        "--target-path": target or home.dbt / "target",
        "--log-path": home.dbt / "logs",
    }
    return [text for flag, path in folders.items() for text in (flag, str(path))] + _FLAGS


def _explain_failure(result: Any, home: Home) -> WarehouseBuildError:
    failed = [run for run in (getattr(getattr(result, "result", None), "results", None) or []) if str(run.status) in {"error", "fail"}]
    first = "; ".join(f"{run.node.name}: {str(run.message).strip()}" for run in failed[:3])
    more = f" (and {len(failed) - 3} more)" if len(failed) > 3 else ""
    reason = first + more or str(getattr(result, "exception", "no result"))
    return WarehouseBuildError(
        f"The warehouse could not be built. {reason}",
        where=str(home.warehouse),
        fix=f"See {home.dbt}/logs/dbt.log; compiled SQL lies in {home.dbt}/target/compiled. The set published before stays.",
    )
