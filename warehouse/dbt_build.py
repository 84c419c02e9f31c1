"""dbt builds inside this process: events live, and the file closed after each call.

What belongs here: one call of dbt that builds. What does not: parsing the project (`manifest`), or what to build.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from storage.home import Home
from warehouse.dbt_call import hold_dbt, list_common_arguments
from warehouse.errors import WarehouseBuildError, WarehouseTaken
from warehouse.manifest import load_parsed_project

_RESULTS = {"LogModelResult", "LogSeedResult", "LogSnapshotResult", "LogTestResult"}
_LOCKED = "Could not set lock on file"  # so DuckDB begins where another process has the file open


def build(home: Home, arguments: Sequence[str], *, into: Path | None = None) -> Iterator[dict[str, Any]]:
    """Run a dbt command and yield its result events as they happen.

    Args:
        home: The home folder, whose recorded picture of the lake the models read; no one else may have the file open.
        arguments: Such as `["build", "--select", "tag:after_models"]`.
        into: The DuckDB file to build; the home's warehouse by default.

    Yields:
        dbt's structured log events of models, tests, seeds and snapshots, as plain dictionaries.

    Raises:
        WarehouseTaken: Another program has the file open.
        WarehouseBuildError: A model or a test failed; the message names the first ones.
    """
    from dbt.cli.main import dbtRunner
    from google.protobuf.json_format import MessageToDict

    file = into or home.warehouse
    target = home.dbt / "target" if into is None else home.dbt / "scenarios" / into.stem
    parsed = load_parsed_project(home, database=into.stem if into else None)
    events: queue.Queue[dict[str, Any] | None] = queue.Queue()
    outcome: list[Any] = []

    def forward(event: Any) -> None:
        if event.info.name in _RESULTS:
            events.put(MessageToDict(event, preserving_proto_field_name=True))

    def work() -> None:
        try:
            with hold_dbt(home, file):
                outcome.append(
                    dbtRunner(manifest=parsed, callbacks=[forward]).invoke(
                        [*arguments, *list_common_arguments(home, target)]
                    )
                )
        finally:
            events.put(None)

    # A daemon: after an interrupt nothing may wait for it, for dbt's own threads do not end before their queries do (`storage.interrupts`).
    worker = threading.Thread(target=work, name="dbt", daemon=True)
    worker.start()
    while (event := events.get()) is not None:
        yield event
    worker.join()
    if not outcome or not outcome[0].success:
        what = f"The scenario '{into.stem}'" if into else "The warehouse"
        raise _explain_failure(what, outcome[0] if outcome else None, file, home.dbt / "logs" / "dbt.log", target)


def _explain_failure(what: str, result: Any, file: Path, log: Path, target: Path) -> WarehouseBuildError:
    failed = [
        run
        for run in (getattr(getattr(result, "result", None), "results", None) or [])
        if str(run.status) in {"error", "fail"}
    ]
    first = "; ".join(f"{run.node.name}: {str(run.message).strip()}" for run in failed[:3])
    more = f" (and {len(failed) - 3} more)" if len(failed) > 3 else ""
    reason = first + more or str(getattr(result, "exception", "no result"))
    if _LOCKED in reason:
        return WarehouseTaken.of(file, reason)
    return WarehouseBuildError(
        f"{what} could not be built. {reason}",
        where=str(file),
        fix=f"See {log}; compiled SQL lies in {target / 'compiled'}. The set published before stays.",
    )
