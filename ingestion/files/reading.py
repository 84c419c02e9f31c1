"""Read one tabular file strictly, every column as text. The only place where files and feeds are opened."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from ingestion.files.errors import FileUnreadable

_MAX_FIELD_CHARACTERS = 1 << 24


@dataclass(frozen=True)
class FileFormat:
    """How a file is written.

    Attributes:
        kind: `csv` or `parquet`; None to go by the file's ending.
        delimiter: One character between fields.
        quote: Character around fields that hold the delimiter or a line break; doubled inside.
        encoding: As Python names it; a byte order mark of UTF-8 is skipped.
        blank_values: Texts that mean "no value", quoted or not. `NA` is a value unless it is listed here.
        columns: Names of the columns of a CSV file without a header row, in order; empty where the first row names them.
    """

    kind: Literal["csv", "parquet"] | None = None
    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    blank_values: tuple[str, ...] = ("",)
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class TabularFile:
    """A file as read: every column text, blank values NULL, rows in the file's order."""

    path: Path
    sha256: str
    rows: pa.Table


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
            f"The folder holds: {there or 'nothing'}." if path.parent.is_dir() else f"The folder {path.parent} does not exist; check the path given."
        )
        raise FileUnreadable(f"The file {path.name} is missing.", where=str(path), fix=fix) from None
    except OSError as error:
        raise FileUnreadable(f"The file {path.name} cannot be read: {error.strerror}.", where=str(path), fix="Check its permissions.") from None


def read_tabular(path: Path, file_format: FileFormat | None = None, *, required: Sequence[str] = ()) -> TabularFile:
    """Read a CSV or Parquet file with every column as text.

    A whole file is taken or refused: a row with more or fewer fields than the header means that nobody can say which value stands under
    which name. Parquet values are written as text the way feeds and exports write them: `true`, `2026-01-05`, `2026-01-05T10:00:00.000Z`.

    Args:
        path: The file.
        file_format: How it is written; by default UTF-8, comma, CSV or Parquet by its ending.
        required: Columns without which the file is refused.

    Raises:
        FileUnreadable: Missing, empty, ragged, wrongly encoded, a header with a blank or repeated name, or a required column missing.
    """
    file_format = file_format or FileFormat()
    sha256 = hash_file(path)
    is_parquet = file_format.kind == "parquet" or (file_format.kind is None and path.suffix.lower() in (".parquet", ".pq"))
    rows = _read_parquet(path, file_format) if is_parquet else _read_csv(path, file_format)
    require_columns(path, rows.column_names, required)
    return TabularFile(path, sha256, rows)


def require_columns(path: Path, present: Sequence[str], required: Sequence[str]) -> None:
    """Refuse a file that lacks a column.

    Raises:
        FileUnreadable: Names the missing columns and the ones that are there.
    """
    if missing := [column for column in required if column not in present]:
        fix = f"The columns there are: {', '.join(present)}."
        raise FileUnreadable(f"{path.name} lacks the column {', '.join(repr(name) for name in missing)}.", where=str(path), fix=fix)


def _read_csv(path: Path, file_format: FileFormat) -> pa.Table:
    header, count = _scan(path, file_format)
    try:
        rows = pacsv.read_csv(
            path,
            read_options=pacsv.ReadOptions(encoding=_encoding(file_format), column_names=list(file_format.columns)),
            parse_options=pacsv.ParseOptions(delimiter=file_format.delimiter, quote_char=file_format.quote, newlines_in_values=True),
            convert_options=pacsv.ConvertOptions(
                column_types={name: pa.string() for name in header}, strings_can_be_null=True, null_values=list(file_format.blank_values)
            ),
        )
    except (pa.ArrowInvalid, UnicodeError) as error:
        raise _unreadable_text(path, file_format, str(error).splitlines()[0]) from None
    if rows.num_rows != count or rows.column_names != header:
        raise _unreadable_text(path, file_format, f"one reader finds {count} records in it, another {rows.num_rows}")
    return rows


def _scan(path: Path, file_format: FileFormat) -> tuple[list[str], int]:
    """Header and number of records, by a strict reader of its own: Arrow takes a quote that is never closed for a long value."""
    try:
        with path.open(encoding=_python_encoding(file_format), newline="") as file:
            records = _records(file, file_format)
            header = list(file_format.columns)
            if not header:
                _, header = next(records, (1, []))
            _check_header(path, header)
            count = 0
            for line, record in records:
                if len(record) != len(header):
                    named = f"its mapping names {len(header)} columns" if file_format.columns else f"the header has {len(header)}"
                    raise FileUnreadable(
                        f"Line {line} of {path.name} has {len(record)} fields, but {named}. Nothing of the file was taken.",
                        where=f"{path}, line {line}",
                        fix="Look for a missing quote or a stray delimiter on that line, or name the right `delimiter`, and export the file again.",
                    )
                count += 1
            return header, count
    except LookupError:
        fix = "Use a name that Python knows, such as utf-8 or cp1252."
        raise FileUnreadable(f"'{file_format.encoding}' is no encoding.", where=str(path), fix=fix) from None
    except (UnicodeError, csv.Error) as error:
        raise _unreadable_text(path, file_format, str(error)) from None


def _check_header(path: Path, header: list[str]) -> None:
    if not header:
        raise FileUnreadable(f"{path.name} is empty: not even a header.", where=str(path), fix="Export it again, with a header row.")
    where = f"{path}, line 1"
    for position, name in enumerate(header, start=1):
        if not name.strip():
            raise FileUnreadable(f"Column {position} of {path.name} has no name.", where=where, fix="Name it in the header, or leave the column out.")
        if header.count(name) > 1:
            raise FileUnreadable(f"The column '{name}' occurs {header.count(name)} times in {path.name}.", where=where, fix="Rename one of them.")


def _records(file: TextIO, file_format: FileFormat) -> Iterator[tuple[int, list[str]]]:
    """Each record that is no empty line, with the line it begins on."""
    csv.field_size_limit(_MAX_FIELD_CHARACTERS)
    reader = csv.reader(file, delimiter=file_format.delimiter, quotechar=file_format.quote, strict=True)
    begins = 1
    try:
        for record in reader:
            if record:
                yield begins, record
            begins = reader.line_num + 1
    except csv.Error as error:
        raise csv.Error(f"the record that begins on line {begins} does not end well ({error})") from None


def _unreadable_text(path: Path, file_format: FileFormat, why: str) -> FileUnreadable:
    fix = f"It was read as {file_format.encoding}, delimiter '{file_format.delimiter}': check the encoding, the delimiter and unclosed quotes."
    return FileUnreadable(f"{path.name} cannot be read as CSV: {why.rstrip('.')}. Nothing of the file was taken.", where=str(path), fix=fix)


def _encoding(file_format: FileFormat) -> str:
    return "utf8" if file_format.encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig") else file_format.encoding


def _python_encoding(file_format: FileFormat) -> str:
    return "utf-8-sig" if _encoding(file_format) == "utf8" else file_format.encoding


def _read_parquet(path: Path, file_format: FileFormat) -> pa.Table:
    try:
        rows = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise FileUnreadable(
            f"{path.name} cannot be read as Parquet: {str(error).splitlines()[0]}", where=str(path), fix="Write the file again."
        ) from None
    blank = pa.array(file_format.blank_values, pa.string())
    columns = [_as_text(path, field.name, rows.column(field.name)) for field in rows.schema]
    return pa.table([pc.if_else(pc.is_in(text, blank), None, text) for text in columns], names=rows.column_names)


def _as_text(path: Path, name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = values.type
    if pa.types.is_dictionary(kind):
        return _as_text(path, name, values.cast(kind.value_type))
    if pa.types.is_timestamp(kind):
        text = pc.strftime(values.cast(pa.timestamp("ms", kind.tz), safe=False), format="%Y-%m-%dT%H:%M:%S")
        if kind.tz is None:
            return text
        return pc.strftime(pc.cast(values, pa.timestamp("ms", "UTC"), safe=False), format="%Y-%m-%dT%H:%M:%SZ")
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise FileUnreadable(
            f"The column '{name}' of {path.name} holds {kind} values.", where=str(path), fix="Write it as plain columns, or leave it out."
        )
    try:
        return values.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # Arrow knows no text form of the type, an interval for one
        raise FileUnreadable(
            f"The column '{name}' of {path.name} holds {kind} values.", where=str(path), fix="Write it as text or leave it out."
        ) from None
