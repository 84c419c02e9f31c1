"""`salesops ui`: Dagster's own web server and daemon on localhost, on this home's instance."""

from __future__ import annotations

import os
import sys

from storage.settings import load_settings


def serve_dagster(port: int) -> None:
    """Replace this process by `dagster dev`; it ends with Ctrl-C."""
    settings = load_settings()
    home = settings.home_folder
    home.prepare()
    # The code location is loaded by child processes: what they need stands in the environment, paths absolute.
    os.environ["SALESOPS_HOME"] = str(home.root)
    from orchestration.embedded import open_instance
    from orchestration.warehouse_build import prepare_manifest, set_dbt_environment

    set_dbt_environment(home)
    with open_instance(home):
        prepare_manifest(home)
    arguments = ["-m", "dagster", "dev", "--module-name", "orchestration.definitions", "--host", "127.0.0.1", "--port", str(port)]
    os.execv(sys.executable, [sys.executable, *arguments])
