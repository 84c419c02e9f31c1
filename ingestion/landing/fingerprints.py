"""Which keys occur more than once in a stream of rows, by eight bytes a row."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import numpy as np
import pyarrow as pa

from storage.sql import quote_name


class Fingerprints:
    """The 64-bit hashes of some columns over all rows of a load.

    Equal keys have equal hashes; different keys share one so rarely (one pair in a load of 5 million rows has a chance of one in a million)
    that what looks repeated is looked at again exactly (`comparison`), and what does not is not.

    Args:
        columns: The key. A row in which all of them are NULL has no key.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        self._batches: list[np.ndarray] = []

    @staticmethod
    def expression(columns: Sequence[str]) -> str:
        """The hash as DuckDB SQL: the same over a batch as over a file of it."""
        return f"hash({', '.join(quote_name(column) for column in columns)})"

    def add(self, connection: duckdb.DuckDBPyConnection, rows: pa.Table) -> None:
        """Take in a batch."""
        present = [column for column in self.columns if column in rows.column_names]
        if not present:
            return
        batch = rows.select(present)
        has_key = " or ".join(f"{quote_name(column)} is not null" for column in present)
        found = connection.sql(f"select {self.expression(present)} as h from batch where {has_key}").to_arrow_table()
        self._batches.append(found.column("h").to_numpy())
        del batch  # DuckDB found it by its name

    def repeated(self) -> np.ndarray:
        """The hashes that occur more than once, sorted; forgets what it took in."""
        if not self._batches:
            return np.empty(0, np.uint64)
        hashes = np.concatenate(self._batches)
        self._batches = []
        hashes.sort()
        return np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
