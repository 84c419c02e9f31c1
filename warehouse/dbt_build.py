"""dbt builds in this process: live events, and the file closed after each call.

What belongs here: one dbt call that builds. What does not: parsing the project (`manifest`), or what to build.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb

from storage.home import Home
from warehouse.dbt_call import hold_dbt, list_common_arguments
from warehouse.errors import WarehouseBuildError, WarehouseTaken
from warehouse.manifest import load_parsed_project

_RESULTS = {"LogModelResult", "LogSeedResult", "LogSnapshotResult", "LogTestResult"}
_ROWS_SHOWN = 3  # of what a failed test found
_LOCKED = "Could not set lock on file"  # how DuckDB's message starts if another process has the file open


def build(home: Home, arguments: Sequence[str], *, into: Path | None = None) -> Iterator[dict[str, Any]]:
    """Run a dbt command and yield its result events as they happen.

    Args:
        home: The home folder, whose recorded lake snapshot the models read.
        arguments: Such as `["build", "--select", "tag:after_models"]`.
        into: The DuckDB file to build, which nobody else may have open; the home's warehouse by default.

    Yields:
        dbt's structured log events of models, tests, seeds and snapshots, as plain dictionaries.

    Raises:
        WarehouseTaken: Another program has the file open.
        WarehouseBuildError: A model or test failed; the message names the first ones.
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

    # A daemon: dbt's threads run until their queries finish, and an interrupt must not wait for them
    # (`storage.interrupts`).
    worker = threading.Thread(target=work, name="dbt", daemon=True)
    worker.start()
    while (event := events.get()) is not None:
        yield event
    worker.join()
    if not outcome or not outcome[0].success:
        what = f"The scenario '{into.stem}'" if into else "The warehouse"
        log = home.dbt / "logs" / "dbt.log"
        raise _explain_failure(what, outcome[0] if outcome else None, file, log, target)


def _explain_failure(what: str, result: Any, file: Path, log: Path, target: Path) -> WarehouseBuildError:
    failed = [
        run
        for run in (getattr(getattr(result, "result", None), "results", None) or [])
        if str(run.status) in {"error", "fail"}
    ]
    first = "; ".join(
        f"{run.node.name}: {str(run.message).strip()}{_show_failing_rows(run, file)}" for run in failed[:3]
    )
    more = f" (and {len(failed) - 3} more)" if len(failed) > 3 else ""
    reason = first + more or str(getattr(result, "exception", "no result"))
    if _LOCKED in reason:
        return WarehouseTaken.of(file, reason)
    return WarehouseBuildError(
        f"{what} could not be built. {reason}",
        where=str(file),
        fix=f"See {log}; compiled SQL lies in {target / 'compiled'}. The set published before stays.",
    )


def _show_failing_rows(run: Any, file: Path) -> str:
    """The first rows that a data test found, as `column value` pairs; empty for anything but a data test.

    The message goes into logs: our tests return keys, counts and amounts, never names or addresses.
    """
    if str(run.status) != "fail" or not getattr(run.node, "compiled_code", None):
        return ""
    try:
        with duckdb.connect(str(file), read_only=True) as connection:
            found = connection.execute(f"select * from ({run.node.compiled_code}) limit {_ROWS_SHOWN}")
            columns = [column[0] for column in found.description]
            rows = found.fetchall()
    except duckdb.Error:  # the file is open elsewhere, or the test's own query failed: dbt's message has to do
        return ""
    shown = [", ".join(f"{name} {value}" for name, value in zip(columns, row, strict=True)) for row in rows]
    return f" ({'; '.join(shown)})" if shown else ""
