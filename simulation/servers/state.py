"""The company as it stands at the simulated clock: the Parquet record versions read into DuckDB tables, one per object.

The clock file is read anew on every request, so advancing it changes what the servers answer without a restart. Over the files lies what
tests tell (`told`).
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from simulation.servers.errors import ServerStartError
from simulation.servers.told import StateTable as StateTable
from simulation.servers.told import ToldRecords

MOST_VALUES = 1000
"""A Salesforce picklist holds so many values that are active."""


def read_clock(simulation_dir: Path) -> datetime:
    """The simulated instant, UTC with zone.

    Raises:
        ServerStartError: There is no readable `clock.json`.
    """
    path = simulation_dir / "clock.json"
    try:
        now = datetime.fromisoformat(json.loads(path.read_text())["now"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ServerStartError(
            "The simulated clock cannot be read.", where=f"{path} ({error})", fix="Generate the company first; it writes the clock."
        ) from None
    return now.astimezone(UTC) if now.tzinfo else now.replace(tzinfo=UTC)


class CompanyState:
    """Gives tables as at the clock. Safe to use from several threads: each takes its own `cursor`.

    Attributes:
        simulation_dir: The company's folder.
        scratch_dir: For what need not outlive this process.
        fields_gone: (object, field) that the API does not know any more, though the table has the column.
        fields_calculated: (object, field) that `describe` calls a formula.
        fields_retyped: (object, field) → the type that `describe` tells instead of the column's.
    """

    def __init__(self, simulation_dir: Path) -> None:
        self.simulation_dir = simulation_dir
        self.scratch_dir = simulation_dir / "servers_tmp" / str(os.getpid())
        self.fields_gone: set[tuple[str, str]] = set()
        self.fields_calculated: set[tuple[str, str]] = set()
        self.fields_retyped: dict[tuple[str, str], str] = {}
        self._connection = duckdb.connect(":memory:", config={"temp_directory": str(self.scratch_dir / "duckdb")})
        self._connection.execute("set timezone = 'UTC'")
        self._lock = threading.RLock()
        self._tables: dict[str, StateTable] = {}
        self._retired: dict[str, str] = {}
        self._made = 0
        self._told = ToldRecords(self._connection)

    def now(self) -> datetime:
        """The simulated instant, UTC with zone."""
        return read_clock(self.simulation_dir)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of one's own over the same tables."""
        return self._connection.cursor()

    def object_names(self) -> list[str]:
        """The Salesforce objects there are, sorted."""
        files = {path.stem for path in (self.simulation_dir / "company" / "salesforce").glob("*.parquet")}
        with self._lock:
            return sorted(files | {name.removeprefix("salesforce/") for name in self._told.names()})

    def table(self, relative: str, key: str, order: str) -> StateTable:
        """One object as at the clock, with what was told of it.

        Args:
            relative: The file under `company/`, without ending, such as `salesforce/Lead`. A file without the column `_visible_from` has one
                version of each record, always visible; it is served from where it lies, in its own order.
            key: The column that identifies a record; of its versions the newest by (SystemModstamp, `_visible_from`) holds.
            order: SQL sort expression of the rows; a query without ORDER BY answers in this order, told records last.

        Raises:
            FileNotFoundError: There is no such file, and nothing was told.
        """
        with self._lock:
            shown = self._told.show(relative, self._from_file(relative, key, order))
        if shown is None:
            raise FileNotFoundError(relative)
        return shown

    def values_in_use(self, table: StateTable, column: str) -> list[str]:
        """The different values of a column, sorted, the first thousand.

        They stand in for a picklist's, which an org keeps and does not gather from its records: those of the files are looked up once, and one
        stays although the last record that had it was told otherwise.
        """
        files = table.files if table.told else table
        found: set[str] = set()
        if files is not None:
            if column not in files.values:
                files.values[column] = self._find_values(files.name, column)
            found.update(files.values[column])
        if table.told:
            found.update(self._find_values(table.told, column))
        return sorted(found)[:MOST_VALUES]

    def tell_records(self, object_name: str, rows: Sequence[Mapping[str, Any]], types: Mapping[str, str]) -> None:
        """Add or change records of a Salesforce object, which may be a new one; see `ToldRecords.put`."""
        relative = f"salesforce/{object_name}"
        with self._lock:
            self._told.put(relative, rows, types, self._from_file(relative, "Id", '"Id"'), self.now().replace(tzinfo=None))

    def purge_records(self, object_name: str, ids: Sequence[str]) -> None:
        """Take records of a Salesforce object away, from queryAll too."""
        relative = f"salesforce/{object_name}"
        with self._lock:
            self._told.purge(relative, ids, self._from_file(relative, "Id", '"Id"'))

    def add_column(self, object_name: str, column: str, kind: str, value: object) -> None:
        """Give every record of a Salesforce object one more column."""
        relative = f"salesforce/{object_name}"
        with self._lock:
            self._told.add_column(relative, column, kind, value, self._from_file(relative, "Id", '"Id"'))

    def _find_values(self, table: str, column: str) -> tuple[str, ...]:
        sql = f'select distinct "{column}"::varchar as value from {table} where value is not null order by 1 limit {MOST_VALUES}'
        return tuple(value for (value,) in self.cursor().execute(sql).fetchall())

    def _from_file(self, relative: str, key: str, order: str) -> StateTable | None:
        path = self.simulation_dir / "company" / f"{relative}.parquet"
        try:
            stat = path.stat()
        except FileNotFoundError:
            return None
        now = self.now().replace(tzinfo=None)
        signature = (now.isoformat(), stat.st_mtime_ns, stat.st_size)
        known = self._tables.get(relative)
        if known is None or known.signature != signature:
            known = self._tables[relative] = self._make(relative, path, now, signature, key, order)
        return known

    def _make(self, relative: str, path: Path, now: datetime, signature: tuple[str, int, int], key: str, order: str) -> StateTable:
        described = self._connection.execute("describe select * from read_parquet(?)", [str(path)]).fetchall()
        types = {str(name): str(kind) for name, kind, *_ in described}
        has_versions = types.pop("_visible_from", None) is not None
        zoned = [name for name, kind in types.items() if kind == "TIMESTAMP WITH TIME ZONE"]
        replaced = ", ".join(f'"{name}"::timestamp as "{name}"' for name in zoned)
        columns = f"* {'exclude (_visible_from)' if has_versions else ''} {f'replace ({replaced})' if replaced else ''}"
        self._made += 1
        name = f"{'state' if has_versions else 'file'}_{self._made}"
        if has_versions:
            version = ["_visible_from desc"] if "SystemModstamp" not in types else ['"SystemModstamp" desc', "_visible_from desc"]
            self._connection.execute(
                f"""
                create table {name} as
                select {columns}
                from read_parquet(?)
                where _visible_from <= ?
                qualify row_number() over (partition by "{key}" order by {", ".join(version)}) = 1
                order by {order}
                """,
                [str(path), now],
            )
        else:
            quoted = str(path).replace("'", "''")
            self._connection.execute(f"create view {name} as select {columns} from read_parquet('{quoted}')")
        self._retire(relative)
        return StateTable(name, {column: ("TIMESTAMP" if column in zoned else kind) for column, kind in types.items()}, signature)

    def _retire(self, relative: str) -> None:
        # A request that looked its table up just before the clock moved may still read it: each outlives its successor's making.
        if relative in self._retired:
            name = self._retired.pop(relative)
            self._connection.execute(f"drop {'view' if name.startswith('file_') else 'table'} {name}")
        if relative in self._tables:
            self._retired[relative] = self._tables[relative].name
