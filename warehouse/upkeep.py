"""Clean up after earlier builds: half-written files of killed builds, and tables that no model makes.

Everything here can be rebuilt from the lake, so anything doubtful is removed.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from storage.home import Home
from storage.sql import quote_name
from storage.warehouse import is_whole, log_of
from warehouse.errors import WarehouseTaken

_RELATIONS = {"model", "seed", "snapshot"}

_log = logging.getLogger(__name__)


def remove_broken_warehouse(home: Home) -> None:
    """Remove a warehouse that a killed build left unreadable or with a log to replay; it is rebuilt from the lake.

    One that another program has open stays: a build will report it, and a run that builds nothing does not need it.
    """
    shutil.rmtree(home.warehouse.with_name(home.warehouse.name + ".tmp"), ignore_errors=True)
    try:
        if home.warehouse.exists() and is_whole(home.warehouse):
            return
    except duckdb.IOException:
        return
    if home.warehouse.exists():
        _log.warning("%s was left half-written by a run that was killed: it is built anew.", home.warehouse)
    for left in (home.warehouse, log_of(home.warehouse)):
        left.unlink(missing_ok=True)


def drop_stale_relations(warehouse: Path, nodes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Drop tables, views and schemas that no model makes: dbt leaves those of renamed or deleted models.

    Args:
        warehouse: The DuckDB file, after a complete build: until then a view may still read tables of an earlier
            version.
        nodes: `nodes` of dbt's manifest.

    Returns:
        The dropped tables and views as `schema.name`, sorted.

    Raises:
        WarehouseTaken: Another program has the file open.
    """
    made = {(str(node["schema"]), str(node["alias"])) for node in nodes.values() if node["resource_type"] in _RELATIONS}
    schemas = {schema for schema, _ in made}
    try:
        connection = duckdb.connect(str(warehouse))
    except duckdb.IOException as error:
        raise WarehouseTaken.of(warehouse, str(error)) from None
    with connection:
        held = connection.execute(
            "select table_schema, table_name, table_type from information_schema.tables where table_catalog = current_database() order by all"
        ).fetchall()
        stale = [(schema, name, kind) for schema, name, kind in held if (schema, name) not in made]
        for schema, name, kind in stale:
            connection.execute(f"drop {'view' if kind == 'VIEW' else 'table'} {quote_name(schema)}.{quote_name(name)}")
        for (schema,) in connection.execute(
            "select schema_name from duckdb_schemas() where database_name = current_database() and not internal"
        ).fetchall():
            if schema not in schemas:
                connection.execute(f"drop schema {quote_name(schema)} cascade")
    return [f"{schema}.{name}" for schema, name, _ in stale]
