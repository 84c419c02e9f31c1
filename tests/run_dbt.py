"""dbt in a process of its own, on a home whose project is parsed already: `python -m tests.run_dbt HOME TARGET ARGUMENT…`."""

from __future__ import annotations

import sys
from pathlib import Path

from storage.home import Home
from warehouse.dbt_call import DBT_PROJECT, hold_dbt
from warehouse.manifest import load_parsed_project

if __name__ == "__main__":
    from dbt.cli.main import dbtRunner

    home, target = Home(Path(sys.argv[1])), sys.argv[2]
    parsed = load_parsed_project(home)
    places = [
        "--project-dir",
        str(DBT_PROJECT),
        "--profiles-dir",
        str(DBT_PROJECT),
        "--target-path",
        target,
        "--log-path",
        target,
    ]
    with hold_dbt(home, home.warehouse):
        done = dbtRunner(manifest=parsed).invoke(["--no-use-colors", *sys.argv[3:], *places])
    sys.exit(0 if done.success else 1)
