"""What-if builds: the same models on the same lake snapshot, in a separate DuckDB file.

What belongs here: building `simulations/<name>.duckdb`. What does not: what a scenario changes (`incentives`), or
reading it.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from storage.home import Home, move_into_place
from warehouse.dbt_build import build
from warehouse.errors import WarehouseBuildError
from warehouse.manifest import load_parsed_project

_NAME = re.compile(r"[a-z][a-z0-9_]*")
# DuckDB's own names; a file named like this opens under another name, or not at all.
_RESERVED = {"main", "system", "temp"}
# Suffix of a scenario's folder while it is built: nobody reads it, and the next scenario build deletes it.
_PARTIAL = ".partial"


def build_scenario(home: Home, name: str, select: Sequence[str]) -> Path:
    """Build models into the scenario's file. An earlier build's file is replaced once all models and their tests pass.

    The warehouse is neither read nor written, so `select` must include what the models read: `+path:models/incentives`.
    The caller holds the home (`storage.locks`), so that no run records another lake snapshot meanwhile.

    Args:
        home: The home folder, after a run that built.
        name: The scenario: lower-case letters, digits and underscores. As DuckDB's name for the file, it must differ
            from every schema.
        select: dbt's selection of models.

    Returns:
        The file.

    Raises:
        WarehouseBuildError: The name is not allowed, nothing was built yet, the selection matches no model, or a model
            or test failed.
    """
    file = home.root / "simulations" / f"{name}.duckdb"
    if not (home.lake_snapshot.exists() and home.run_context.exists()):
        raise WarehouseBuildError(
            "No run has looked at the lake yet, so there is nothing to build a scenario from.",
            where=str(home.lake_snapshot),
            fix="Run `salesops run` first.",
        )
    if not _NAME.fullmatch(name) or name in _RESERVED | _list_schemas(home):
        raise WarehouseBuildError(
            f"A scenario cannot be named '{name}'.",
            where=str(file.parent),
            fix="Use lower-case letters, digits and underscores, beginning with a letter, and no name of a schema of the warehouse.",
        )
    for left in file.parent.glob(f"*{_PARTIAL}"):
        shutil.rmtree(left, ignore_errors=True)
    # Moved with its stem unchanged: views refer to their tables by it.
    partial = file.with_name(name + _PARTIAL) / file.name
    partial.parent.mkdir(parents=True)
    arguments = [
        "build",
        "--exclude-resource-type",
        "unit_test",
        "--indirect-selection",
        "cautious",
        "--select",
        *select,
    ]
    try:
        built = [event for event in build(home, arguments, into=partial) if event["info"]["name"] == "LogModelResult"]
        if not built:
            raise WarehouseBuildError(
                f"The scenario '{name}' selects no model.", where=str(file), fix=f"Selected was: {' '.join(select)}."
            )
        move_into_place(partial, file)
    finally:
        shutil.rmtree(partial.parent, ignore_errors=True)
    return file


def _list_schemas(home: Home) -> set[str]:
    return {str(node.schema) for node in load_parsed_project(home).nodes.values()}
