"""Read one tabular file strictly, every column as text. The only place where files and feeds are opened."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from ingestion.sources.files.errors import FileUnreadable
from ingestion.sources.files.layout import FileFormat, check_header
from ingestion.sources.files.spreadsheet import SUFFIXES, read_spreadsheet
from ingestion.sources.files.strict_csv import csv_unreadable, iterate_csv, scan_csv

_BLOCK_BYTES = 1 << 20  # no record may be longer; Arrow reads up to 32 blocks ahead
_BATCH_ROWS = 1 << 16
_BYTES = (
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_binary_view,
    pa.types.is_fixed_size_binary,  # an interval, too
)


@dataclass(frozen=True)
class TabularFile:
    """A file as read: every column text, blank values NULL, rows in the file's order.

    `notice` is a sentence on what of it was left out; empty if nothing was.
    """

    path: Path
    sha256: str
    rows: pa.Table
    notice: str = ""


@dataclass(frozen=True)
class TabularStream:
    """A file that was opened and found well-formed; its rows are still to be read.

    Attributes:
        path: The file.
        sha256: Of its bytes.
        schema: Its columns, all text.
        row_count: How many rows it has.
        batches: Its rows in the file's order, blank values NULL; they can be iterated once. Iterating raises
            `FileUnreadable` if a value cannot be read, and at the end if the file has changed since it was opened.
        notice: A sentence on what of it was left out; empty if nothing was.
    """

    path: Path
    sha256: str
    schema: pa.Schema
    row_count: int
    batches: Iterator[pa.RecordBatch]
    notice: str = ""


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes.

    Raises:
        FileUnreadable: The file is missing or cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        there = ", ".join(sorted(entry.name for entry in path.parent.iterdir())) if path.parent.is_dir() else ""
        fix = (
            f"The folder holds: {there or 'nothing'}."
            if path.parent.is_dir()
            else f"The folder {path.parent} does not exist; check the path given."
        )
        raise FileUnreadable(f"The file {path.name} is missing.", where=str(path), fix=fix) from None
    except OSError as error:
        raise FileUnreadable(
            f"The file {path.name} cannot be read: {error.strerror}.", where=str(path), fix="Check its permissions."
        ) from None


def open_tabular(path: Path, file_format: FileFormat | None = None, *, required: Sequence[str] = ()) -> TabularStream:
    """Open a CSV file, Parquet file or spreadsheet, to be read batch by batch in memory that does not grow with the file.

    A file is taken or refused as a whole: if a row has more or fewer fields than the header, nobody can say which value
    belongs to which name. Parquet values become text the way feeds and exports write them: `true`, `2026-01-05`,
    `2026-01-05T10:00:00.000Z`.

    Args:
        path: The file.
        file_format: How it is written; by default UTF-8 and commas, CSV, Parquet or spreadsheet by its suffix.
        required: Columns without which the file is refused.

    Raises:
        FileUnreadable: Missing, empty, ragged, wrongly encoded, a header with a blank or repeated name, or a required column missing.
    """
    file_format = file_format or FileFormat()
    stamp = _stamp(path)
    sha256 = hash_file(path)
    notice = ""
    kind = file_format.kind or _kind_by_suffix(path)
    if kind == "parquet":
        names, row_count = _open_parquet(path)
        batches = _parquet_batches(path, file_format)
    elif kind == "spreadsheet":
        names, records, left_out, others = read_spreadsheet(path, file_format)
        row_count, batches = len(records), _record_batches(records, names, file_format)
        unread = f"Not read of {path.name}: the sheets {', '.join(others)}." if others else ""
        notice = " ".join(filter(None, [left_out.describe(path.name), unread]))
    else:
        scanned = scan_csv(path, file_format)
        names, row_count, file_format = scanned.header, scanned.count, scanned.file_format
        notice = scanned.left_out.describe(path.name)
        # Arrow cannot leave lines out.
        read = _csv_batches if scanned.is_plain else _trimmed_csv_batches
        batches = read(path, file_format, names)
    require_columns(path, names, required)
    schema = pa.schema([(name, pa.string()) for name in names])
    return TabularStream(path, sha256, schema, row_count, _guard(path, stamp, row_count, batches), notice)


def read_tabular(path: Path, file_format: FileFormat | None = None, *, required: Sequence[str] = ()) -> TabularFile:
    """Read a whole file; see `open_tabular`.

    Raises:
        FileUnreadable: As `open_tabular`, or a value cannot be read.
    """
    stream = open_tabular(path, file_format, required=required)
    return TabularFile(path, stream.sha256, pa.Table.from_batches(stream.batches, stream.schema), stream.notice)


def require_columns(path: Path, present: Sequence[str], required: Sequence[str]) -> None:
    """Refuse a file that lacks a required column.

    Raises:
        FileUnreadable: Names the missing columns and, unless all are missing, the existing ones.
    """
    if missing := [column for column in required if column not in present]:
        fix = f"The columns there are: {', '.join(present)}."
        if len(missing) == len(required):  # then the first line may be a person's row, which no message may quote
            fix = f"None of the {len(present)} columns has a name that is looked for: check that the first line is the header."
        raise FileUnreadable(
            f"{path.name} lacks the column {', '.join(repr(name) for name in missing)}.", where=str(path), fix=fix
        )


def _guard(
    path: Path, stamp: tuple[int, ...], row_count: int, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """The batches; raises unless every counted row came, from the unchanged file."""
    read = 0
    for batch in batches:
        read += batch.num_rows
        if batch.num_rows:
            yield batch
    if _stamp(path) != stamp:
        fix = "Let other systems write under another name, such as .part at the end, and rename the file when it is complete."
        raise FileUnreadable(
            f"{path.name} was changed while it was read. Nothing of it was taken.", where=str(path), fix=fix
        )
    if read != row_count:
        why = f"one reader finds {row_count} records in it, another {read}"
        fix = "Check the quotes around values that hold a line break or a delimiter, and export the file again."
        raise FileUnreadable(
            f"{path.name} cannot be trusted: {why}. Nothing of the file was taken.", where=str(path), fix=fix
        )


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        stat = path.stat()
    except OSError:
        return ()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _kind_by_suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix in (".parquet", ".pq"):
        return "parquet"
    return "spreadsheet" if suffix in SUFFIXES else "csv"


def _trimmed_csv_batches(path: Path, file_format: FileFormat, header: list[str]) -> Iterator[pa.RecordBatch]:
    return _record_batches(iterate_csv(path, file_format), header, file_format)


def _record_batches(
    records: Iterable[list[str]], names: list[str], file_format: FileFormat
) -> Iterator[pa.RecordBatch]:
    blank = set(file_format.blank_values)
    waiting = iter(records)
    while taken := list(islice(waiting, _BATCH_ROWS)):
        columns = [[None if value in blank else value for value in column] for column in zip(*taken, strict=True)]
        yield pa.record_batch([pa.array(column, pa.string()) for column in columns], names=names)


def _csv_batches(path: Path, file_format: FileFormat, header: list[str]) -> Iterator[pa.RecordBatch]:
    try:
        with pacsv.open_csv(
            path,
            read_options=pacsv.ReadOptions(
                encoding=file_format.arrow_encoding,
                block_size=_BLOCK_BYTES,
                use_threads=False,
                column_names=list(file_format.columns),
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=file_format.field_delimiter, quote_char=file_format.quote, newlines_in_values=True
            ),
            convert_options=pacsv.ConvertOptions(
                column_types={name: pa.string() for name in header},
                strings_can_be_null=True,
                null_values=list(file_format.blank_values),
            ),
        ) as reader:
            if reader.schema.names != header:
                raise csv_unreadable(path, file_format, "two readers find different headers in it")
            yield from reader
    except (pa.ArrowInvalid, UnicodeError) as error:
        raise csv_unreadable(path, file_format, str(error)) from None


def _open_parquet(path: Path) -> tuple[list[str], int]:
    """Column names and number of rows; a type without a text form is refused before anything is read."""
    try:
        with pq.ParquetFile(path) as file:
            schema, row_count = file.schema_arrow, file.metadata.num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise _parquet_unreadable(path, error) from None
    check_header(path, schema.names)
    for field in schema:
        _as_text(path, field.name, pa.nulls(0, field.type))
    return schema.names, row_count


def _parquet_batches(path: Path, file_format: FileFormat) -> Iterator[pa.RecordBatch]:
    blank = pa.array(file_format.blank_values, pa.string())
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            for batch in file.iter_batches(_BATCH_ROWS, use_threads=False):
                texts = [
                    _as_text(path, field.name, column)
                    for field, column in zip(batch.schema, batch.columns, strict=True)
                ]
                columns = [pc.if_else(pc.is_in(text, blank), None, text) for text in texts]
                yield pa.record_batch(columns, names=batch.schema.names)
    except (pa.ArrowInvalid, OSError) as error:
        raise _parquet_unreadable(path, error) from None


def _parquet_unreadable(path: Path, error: Exception) -> FileUnreadable:
    why = str(error).splitlines()[0] if str(error) else type(error).__name__
    return FileUnreadable(f"{path.name} cannot be read as Parquet: {why}", where=str(path), fix="Write the file again.")


def _as_text(path: Path, name: str, values: pa.Array) -> pa.Array:
    kind = values.type
    if pa.types.is_dictionary(kind):
        return _as_text(path, name, values.cast(kind.value_type))
    if pa.types.is_timestamp(kind):
        text = pc.strftime(values.cast(pa.timestamp("ms", kind.tz), safe=False), format="%Y-%m-%dT%H:%M:%S")
        if kind.tz is None:
            return text
        return pc.strftime(pc.cast(values, pa.timestamp("ms", "UTC"), safe=False), format="%Y-%m-%dT%H:%M:%SZ")
    if isinstance(kind, pa.UuidType):
        return pa.array([None if value is None else str(value) for value in values.to_pylist()], pa.string())
    if pa.types.is_nested(kind) or any(is_bytes(kind) for is_bytes in _BYTES):
        raise FileUnreadable(
            f"The column '{name}' of {path.name} holds {kind} values.",
            where=str(path),
            fix="Write it as plain columns, or leave it out.",
        )
    return values.cast(pa.string())
