"""The company as it stands at the simulated clock: the Parquet record versions read into DuckDB tables, one per object.

The clock file is read anew on every request, so advancing it changes what the servers answer without a restart.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from simulation.servers.errors import ServerStartError


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


@dataclass(frozen=True)
class StateTable:
    """A table in the servers' DuckDB that holds one object as at one clock value.

    Attributes:
        name: The table's name in DuckDB.
        columns: Column name → DuckDB type, in the file's order; timestamps are UTC without zone.
        signature: Clock and file that it was made from.
    """

    name: str
    columns: dict[str, str]
    signature: tuple[str, int, int]


class CompanyState:
    """Gives tables as at the clock. Safe to use from several threads: each takes its own `cursor`.

    Attributes:
        simulation_dir: The company's folder.
        scratch_dir: For what need not outlive this process.
    """

    def __init__(self, simulation_dir: Path) -> None:
        self.simulation_dir = simulation_dir
        self.scratch_dir = simulation_dir / "servers_tmp" / str(os.getpid())
        self._connection = duckdb.connect(":memory:", config={"temp_directory": str(self.scratch_dir / "duckdb")})
        self._connection.execute("set timezone = 'UTC'")
        self._lock = threading.Lock()
        self._tables: dict[str, StateTable] = {}
        self._retired: dict[str, str] = {}
        self._made = 0

    def now(self) -> datetime:
        """The simulated instant, UTC with zone."""
        return read_clock(self.simulation_dir)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of one's own over the same tables."""
        return self._connection.cursor()

    def object_names(self) -> list[str]:
        """The Salesforce objects there are, sorted."""
        return sorted(path.stem for path in (self.simulation_dir / "company" / "salesforce").glob("*.parquet"))

    def table(self, relative: str, key: str, order: str) -> StateTable:
        """One object as at the clock.

        Args:
            relative: The file under `company/`, without ending, such as `salesforce/Lead`.
            key: The column that identifies a record; of its versions the newest by (SystemModstamp, `_visible_from`) holds.
            order: SQL sort expression of the rows; a query without ORDER BY answers in this order.

        Raises:
            FileNotFoundError: There is no such file.
        """
        path = self.simulation_dir / "company" / f"{relative}.parquet"
        stat = path.stat()
        now = self.now().replace(tzinfo=None)
        signature = (now.isoformat(), stat.st_mtime_ns, stat.st_size)
        with self._lock:
            known = self._tables.get(relative)
            if known is None or known.signature != signature:
                known = self._tables[relative] = self._make(relative, path, now, signature, key, order)
            return known

    def _make(self, relative: str, path: Path, now: datetime, signature: tuple[str, int, int], key: str, order: str) -> StateTable:
        described = self._connection.execute("describe select * exclude (_visible_from) from read_parquet(?)", [str(path)]).fetchall()
        types = {str(name): str(kind) for name, kind, *_ in described}
        zoned = [name for name, kind in types.items() if kind == "TIMESTAMP WITH TIME ZONE"]
        replaced = ", ".join(f'"{name}"::timestamp as "{name}"' for name in zoned)
        version = ["_visible_from desc"] if "SystemModstamp" not in types else ['"SystemModstamp" desc', "_visible_from desc"]
        self._made += 1
        name = f"state_{self._made}"
        self._connection.execute(
            f"""
            create table {name} as
            select * exclude (_visible_from) {f"replace ({replaced})" if replaced else ""}
            from read_parquet(?)
            where _visible_from <= ?
            qualify row_number() over (partition by "{key}" order by {", ".join(version)}) = 1
            order by {order}
            """,
            [str(path), now],
        )
        self._retire(relative)
        return StateTable(name, {column: ("TIMESTAMP" if column in zoned else kind) for column, kind in types.items()}, signature)

    def _retire(self, relative: str) -> None:
        # A request that looked its table up just before the clock moved may still read it: each outlives its successor's making.
        if relative in self._retired:
            self._connection.execute(f"drop table {self._retired.pop(relative)}")
        if relative in self._tables:
            self._retired[relative] = self._tables[relative].name
