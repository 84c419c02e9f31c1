"""dbt inside the Dagster process: the manifest kept, events live, the warehouse closed after each call.

A subprocess would cost 3.5 s a call and would lose the manifest; with it kept, a run starts dbt once for both of its steps.
"""

from __future__ import annotations

import hashlib
import os
import queue
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from storage.errors import SalesopsError
from storage.home import Home, write_atomically
from storage.settings import PROJECT_ROOT

DBT_PROJECT = PROJECT_ROOT / "dbt_project"

# The debug log would be a fifth of dbt's time; the compiled SQL of a model that failed is kept all the same.
_FLAGS = ["--no-version-check", "--log-level", "none", "--log-level-file", "info"]

# dbt's own Manifest object by target folder, kept between calls: it parses in seconds what it then looks up in none.
_manifests: dict[Path, Any] = {}


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
    """Path of an up-to-date `manifest.json`; the project is parsed only where its files changed.

    Raises:
        WarehouseBuildError: The project does not parse.
    """
    manifest, stamp = home.dbt / "manifest.json", home.dbt / "project.sha256"
    current = hash_dbt_project()
    if not (manifest.exists() and stamp.exists() and stamp.read_text() == current):
        _parse(home)
        write_atomically(stamp, current)
    return manifest


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

    worker = threading.Thread(target=work, name="dbt")
    worker.start()
    while (event := events.get()) is not None:
        yield event
    worker.join()
    if not outcome or not outcome[0].success:
        raise _explain_failure(outcome[0] if outcome else None, home)


def _parse(home: Home) -> None:
    from dbt.cli.main import dbtRunner

    set_dbt_environment(home)
    result = dbtRunner().invoke(["parse", *_common_arguments(home)])
    if not result.success:
        raise WarehouseBuildError("The dbt project does not parse.", where=str(DBT_PROJECT), fix=str(result.exception)) from result.exception
    _manifests[home.dbt] = result.result


def _common_arguments(home: Home) -> list[str]:
    folders = {"--project-dir": DBT_PROJECT, "--profiles-dir": DBT_PROJECT, "--target-path": home.dbt, "--log-path": home.dbt / "logs"}
    return [text for flag, path in folders.items() for text in (flag, str(path))] + _FLAGS


def _explain_failure(result: Any, home: Home) -> WarehouseBuildError:
    failed = [run for run in (getattr(getattr(result, "result", None), "results", None) or []) if str(run.status) in {"error", "fail"}]
    first = "; ".join(f"{run.node.name}: {str(run.message).strip()}" for run in failed[:3])
    more = f" (and {len(failed) - 3} more)" if len(failed) > 3 else ""
    reason = first + more or str(getattr(result, "exception", "no result"))
    return WarehouseBuildError(
        f"The warehouse could not be built. {reason}",
        where=str(home.warehouse),
        fix=f"See {home.dbt}/logs/dbt.log; compiled SQL lies in {home.dbt}/compiled. The set published before stays.",
    )
