"""Find keys that occur more than once in a stream of rows, at eight bytes a row, spilled to disk if there are many."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Sequence
from typing import IO, Any

import duckdb
import numpy as np
import pyarrow as pa

from storage.errors import temporary_file_error
from storage.sql import quote_name

Hashes = np.ndarray[Any, np.dtype[np.uint64]]

MOST_IN_MEMORY = 262_144  # hashes; more are spilled to disk in parts, which are searched one by one
PART_BITS = 4  # the first bits of a hash choose its part


class Fingerprints:
    """The 64-bit hashes of some columns over all rows of a load.

    Equal keys have equal hashes. Different keys rarely share one: in a load of 5 million rows, the chance of a single
    such pair is one in a million. So only keys that look repeated are checked again exactly (`comparison`).

    Args:
        columns: The key. A row whose key columns are all NULL has no key.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        self._waiting: list[Hashes] = []
        self._waiting_count = 0
        self._parts: list[IO[bytes]] = []

    @staticmethod
    def expression(columns: Sequence[str], present: Collection[str] | None = None) -> str:
        """The hash as DuckDB SQL, the same over a batch as over a file of it.

        Args:
            columns: Columns to hash.
            present: Columns that the batch has; the others are NULL, as they are in the file once a later batch has
                them. None for all.
        """
        return f"hash({', '.join(quote_name(column) if present is None or column in present else 'null' for column in columns)})"

    def hash_of_key(self, rows: pa.Table) -> str:
        """The hash as DuckDB SQL over these rows, NULL for a row without a key."""
        present = [column for column in self.columns if column in rows.column_names]
        hashed = self.expression(self.columns, present)
        if any(rows.column(column).null_count == 0 for column in present):
            return hashed
        has_key = " or ".join(f"{quote_name(column)} is not null" for column in present)
        return f"case when {has_key or 'false'} then {hashed} end"

    def add(self, hashes: Hashes) -> None:
        """Add the hashes of a batch."""
        self._waiting.append(hashes)
        self._waiting_count += len(hashes)
        if self._waiting_count > MOST_IN_MEMORY:
            self._spill()

    def repeated(self) -> Hashes:
        """The hashes that occur more than once, sorted; clears what was added."""
        found = [_repeated(hashes) for hashes in self._take_out()]
        return np.concatenate(found) if found else np.empty(0, np.uint64)

    def _spill(self) -> None:
        hashes = np.concatenate(self._waiting)
        self._waiting, self._waiting_count = [], 0
        if not self._parts:
            self._parts = [tempfile.TemporaryFile(prefix="salesops-keys-") for _ in range(2**PART_BITS)]  # noqa: SIM115 - closed in `_take_out`
        part_of = (hashes >> np.uint64(64 - PART_BITS)).astype(np.uint8)
        try:
            for number, file in enumerate(self._parts):
                file.write(hashes[part_of == number].tobytes())
                file.flush()
        except OSError as error:
            raise temporary_file_error("The keys of a load cannot be kept while it is read", error) from error

    def _take_out(self) -> Iterator[Hashes]:
        """The added hashes, in parts that share no hash."""
        if self._parts and self._waiting:
            self._spill()
        if self._waiting:
            yield np.concatenate(self._waiting)
            self._waiting, self._waiting_count = [], 0
        for file in self._parts:
            with file:
                file.seek(0)
                yield np.frombuffer(bytearray(file.read()), np.uint64)
        self._parts = []


def add_rows(connection: duckdb.DuckDBPyConnection, rows: pa.Table, all_prints: Sequence[Fingerprints]) -> None:
    """Add the hashes of a batch of rows to each of the fingerprints."""
    needed = {column for prints in all_prints for column in prints.columns if column in rows.column_names}
    if not needed:
        return
    connection.register("batch", rows.select(sorted(needed)))
    hashes = ", ".join(f"{prints.hash_of_key(rows)} as h{number}" for number, prints in enumerate(all_prints))
    found = connection.sql(f"select {hashes} from batch").to_arrow_table()
    connection.unregister("batch")
    for prints, column in zip(all_prints, found.columns, strict=True):
        prints.add(column.drop_null().to_numpy())


def _repeated(hashes: Hashes) -> Hashes:
    hashes.sort()
    return np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
