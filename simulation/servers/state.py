"""The company at the simulated clock: Parquet record versions read into DuckDB tables, one per object.

The clock file is reread on every request, so advancing it changes the servers' answers without a restart.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from simulation.servers.describe import Field, list_fields
from simulation.servers.errors import ServerStartError

MOST_VALUES = 1000
"""A Salesforce picklist holds so many values that are active."""


@dataclass(frozen=True)
class StateTable:
    """A table or view in the servers' DuckDB with one object as of one clock value.

    Attributes:
        name: Its name in DuckDB.
        columns: Column name → DuckDB type, in the file's order; timestamps are UTC without zone.
        signature: The clock value and file it was made from.
        values: Distinct values of requested columns, cached because the table never changes.
    """

    name: str
    columns: dict[str, str]
    signature: tuple[str, int, int] = ("", 0, 0)
    values: dict[str, list[str]] = field(default_factory=dict, compare=False, repr=False)


def scratch_dir_of(simulation_dir: Path) -> Path:
    """This process's folder for temporary files."""
    return simulation_dir / "servers_tmp" / str(os.getpid())


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
            "The simulated clock cannot be read.",
            where=f"{path} ({error})",
            fix="Generate the company first; it writes the clock.",
        ) from None
    return now.astimezone(UTC) if now.tzinfo else now.replace(tzinfo=UTC)


class CompanyState:
    """Provides tables as of the clock. Thread-safe: each thread takes its own `cursor`.

    Attributes:
        simulation_dir: The company's folder.
        scratch_dir: For temporary files of this process.
    """

    def __init__(self, simulation_dir: Path) -> None:
        self.simulation_dir = simulation_dir
        self.scratch_dir = scratch_dir_of(simulation_dir)
        self._connection = duckdb.connect(":memory:", config={"temp_directory": str(self.scratch_dir / "duckdb")})
        self._connection.execute("set timezone = 'UTC'")
        self._lock = threading.RLock()
        self._tables: dict[str, StateTable] = {}
        self._retired: dict[str, str] = {}
        self._made = 0

    def now(self) -> datetime:
        """The simulated instant, UTC with zone."""
        return read_clock(self.simulation_dir)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A separate connection to the same tables."""
        return self._connection.cursor()

    def object_names(self) -> list[str]:
        """The existing Salesforce objects, sorted."""
        return sorted(path.stem for path in (self.simulation_dir / "company" / "salesforce").glob("*.parquet"))

    def list_fields(self, object_name: str, table: StateTable) -> dict[str, Field]:
        """The fields of a Salesforce object whose rows are in `table`, by name."""
        return list_fields(object_name, table.columns)

    def table(self, relative: str, key: str, order: str) -> StateTable:
        """One object as of the clock.

        Args:
            relative: The file under `company/`, without extension, such as `salesforce/Lead`. A file without the column
                `_visible_from` has one, always visible version of each record; it is served in place, in its own order.
            key: The column that identifies a record; its newest version by (SystemModstamp, `_visible_from`) counts.
            order: SQL sort expression of the rows; also the order of queries without ORDER BY.

        Raises:
            FileNotFoundError: There is no such file.
        """
        with self._lock:
            found = self._from_file(relative, key, order)
        if found is None:
            raise FileNotFoundError(relative)
        return found

    def values_in_use(self, table: StateTable, column: str) -> list[str]:
        """The distinct values of a column, sorted, the first thousand.

        They serve as picklist values, which a real org maintains instead of deriving them from its records.
        """
        if column not in table.values:
            table.values[column] = self._find_values(table.name, column)
        return table.values[column]

    def _find_values(self, table: str, column: str) -> list[str]:
        sql = f'select distinct "{column}"::varchar as value from {table} where value is not null order by 1 limit {MOST_VALUES}'
        return [value for (value,) in self.cursor().execute(sql).fetchall()]

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

    def _make(
        self, relative: str, path: Path, now: datetime, signature: tuple[str, int, int], key: str, order: str
    ) -> StateTable:
        described = self._connection.execute("describe select * from read_parquet(?)", [str(path)]).fetchall()
        types = {str(name): str(kind) for name, kind, *_ in described}
        has_versions = types.pop("_visible_from", None) is not None
        zoned = [name for name, kind in types.items() if kind == "TIMESTAMP WITH TIME ZONE"]
        replaced = ", ".join(f'"{name}"::timestamp as "{name}"' for name in zoned)
        columns = f"* {'exclude (_visible_from)' if has_versions else ''} {f'replace ({replaced})' if replaced else ''}"
        self._made += 1
        name = f"{'state' if has_versions else 'file'}_{self._made}"
        if has_versions:
            version = (
                ["_visible_from desc"]
                if "SystemModstamp" not in types
                else ['"SystemModstamp" desc', "_visible_from desc"]
            )
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
        return StateTable(
            name, {column: ("TIMESTAMP" if column in zoned else kind) for column, kind in types.items()}, signature
        )

    def _retire(self, relative: str) -> None:
        # A request that got its table just before the clock moved may still read it, so each survives its successor's
        # creation.
        if relative in self._retired:
            name = self._retired.pop(relative)
            self._connection.execute(f"drop {'view' if name.startswith('file_') else 'table'} {name}")
        if relative in self._tables:
            self._retired[relative] = self._tables[relative].name
