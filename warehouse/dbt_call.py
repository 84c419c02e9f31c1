"""What all dbt calls in this process share: project, arguments, and the variables read by profile and lake macros.

What belongs here: isolating one call's state from another's. What does not: which command runs (`manifest`,
`dbt_build`).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.home import Home
from storage.settings import PROJECT_ROOT

DBT_PROJECT = PROJECT_ROOT / "dbt_project"

# The debug log would take a fifth of dbt's time; the compiled SQL of a failed model is kept anyway.
_FLAGS = ["--no-version-check", "--log-level", "none", "--log-level-file", "info"]

_one_call = threading.Lock()


@contextmanager
def hold_dbt(home: Home, file: Path) -> Iterator[None]:
    """Give this thread exclusive use of dbt, pointed at a home; other threads wait.

    dbt's environment variables, flags and adapter (with its one open database) are per process, so two calls would
    share them. On exit the adapter's connection is closed and the variables are restored.

    Args:
        home: The home whose recorded lake snapshot the models read.
        file: The DuckDB file that the models are built into.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    variables = {
        "SALESOPS_ENGINE": "duckdb",  # what follows reads the file; Spark is built by dbt alone (docs/changing.md)
        "SALESOPS_WAREHOUSE": str(file),
        "SALESOPS_LAKE_SNAPSHOT": str(home.lake_snapshot),
        "SALESOPS_RUN_CONTEXT": str(home.run_context),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": os.environ.get("DBT_SEND_ANONYMOUS_USAGE_STATS", "false"),
    }
    with _one_call:
        before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        try:
            yield
        finally:
            # Otherwise the file stays open read-write in this process, and the next step cannot open it.
            DuckDBConnectionManager.close_all_connections()
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def list_common_arguments(home: Home, target: Path) -> list[str]:
    """The arguments common to all calls; `target` is the folder for dbt's output."""
    folders = {
        "--project-dir": DBT_PROJECT,
        "--profiles-dir": DBT_PROJECT,
        "--target-path": target,
        "--log-path": home.dbt / "logs",
    }
    return [text for flag, path in folders.items() for text in (flag, str(path))] + _FLAGS
