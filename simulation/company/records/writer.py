"""Write the company's files: one Parquet file per table, with one row group per region."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from simulation.company.records.schema import SCHEMAS


class RecordWriter:
    """Writes rows of any table; every table of the interface gets a file, even if it is empty.

    Args:
        folder: Where the files go.
        schemas: Schema by file name without extension.
    """

    def __init__(self, folder: Path, schemas: Mapping[str, pa.Schema] = SCHEMAS) -> None:
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._schemas = schemas
        for name, schema in schemas.items():
            path = folder / f"{name}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writers[name] = pq.ParquetWriter(path, schema, compression="zstd", compression_level=1)

    def write(self, name: str, columns: Mapping[str, pa.Array]) -> None:
        """Append rows; missing columns of the schema become NULL.

        Raises:
            KeyError: A column is not in the schema.
        """
        schema = self._schemas[name]
        unknown = set(columns) - set(schema.names)
        if unknown:
            raise KeyError(f"{name} has no columns {sorted(unknown)}")
        size = len(next(iter(columns.values())))
        arrays = [
            _typed(columns[field.name], field.type) if field.name in columns else pa.nulls(size, field.type)
            for field in schema
        ]
        if size:
            self._writers[name].write_table(pa.Table.from_arrays(arrays, schema=schema))

    def __enter__(self) -> RecordWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._writers.values():
            writer.close()


def _typed(values: pa.Array | pa.ChunkedArray, kind: pa.DataType) -> pa.Array:
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else pa.array(values)
    return array if array.type == kind else array.cast(kind)
