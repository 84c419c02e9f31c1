"""Check that a CSV file is well-formed: every record as long as the header, every quote closed, every byte decodable.

What belongs here: judging a file's shape, record by record. What does not: its values, and turning them into columns
(`tabular`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

from ingestion.sources.files.errors import FileUnreadable

_MAX_FIELD_CHARACTERS = 1 << 24
_QUOTED_ROW = re.compile(r"(got \d+):.*")


@dataclass(frozen=True)
class FileFormat:
    """How a file is written.

    Attributes:
        kind: `csv` or `parquet`; None to decide by the file's suffix.
        delimiter: One character between fields.
        quote: Character around fields that hold the delimiter or a line break; doubled inside.
        encoding: As Python names it; a UTF-8 byte order mark is skipped.
        blank_values: Texts that mean "no value", quoted or not. `NA` is a value unless it is listed here.
        columns: Column names of a CSV file without a header row, in order; empty where the first row is the header.
    """

    kind: Literal["csv", "parquet"] | None = None
    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    blank_values: tuple[str, ...] = ("",)
    columns: tuple[str, ...] = ()

    @property
    def arrow_encoding(self) -> str:
        """The encoding as Arrow names it."""
        return "utf8" if self.encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig") else self.encoding

    @property
    def python_encoding(self) -> str:
        """The encoding as Python opens it."""
        return "utf-8-sig" if self.arrow_encoding == "utf8" else self.encoding


def scan_csv(path: Path, file_format: FileFormat) -> tuple[list[str], int]:
    """Header and number of records, by a strict reader: Arrow would take an unclosed quote for a long value.

    Raises:
        FileUnreadable: Empty, ragged, wrongly encoded, or a header with a blank or repeated name.
    """
    try:
        with path.open(encoding=file_format.python_encoding, newline="") as file:
            records = _records(file, file_format)
            header = list(file_format.columns)
            if not header:
                _, header = next(records, (1, []))
            check_header(path, header)
            count = 0
            for line, record in records:
                if len(record) != len(header):
                    named = (
                        f"its mapping names {len(header)} columns"
                        if file_format.columns
                        else f"the header has {len(header)}"
                    )
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
        raise csv_unreadable(path, file_format, str(error)) from None


def check_header(path: Path, header: Sequence[str]) -> None:
    """Refuse a file without columns, or with a blank or repeated column name.

    Raises:
        FileUnreadable: The message says which.
    """
    if not header:
        raise FileUnreadable(
            f"{path.name} is empty: not even a header.", where=str(path), fix="Export it again, with a header row."
        )
    where = f"{path}, line 1"
    for position, name in enumerate(header, start=1):
        if not name.strip():
            raise FileUnreadable(
                f"Column {position} of {path.name} has no name.",
                where=where,
                fix="Name it in the header, or leave the column out.",
            )
        if header.count(name) > 1:
            raise FileUnreadable(
                f"The column '{name}' occurs {header.count(name)} times in {path.name}.",
                where=where,
                fix="Rename one of them.",
            )


def csv_unreadable(path: Path, file_format: FileFormat, why: str) -> FileUnreadable:
    """The error for a file that is not valid CSV. A row quoted in `why` is left out: it may name a person."""
    why = _QUOTED_ROW.sub(r"\1", why.splitlines()[0]).rstrip(".")
    fix = f"It was read as {file_format.encoding}, delimiter '{file_format.delimiter}': check the encoding, the delimiter and unclosed quotes."
    return FileUnreadable(
        f"{path.name} cannot be read as CSV: {why}. Nothing of the file was taken.", where=str(path), fix=fix
    )


def _records(file: TextIO, file_format: FileFormat) -> Iterator[tuple[int, list[str]]]:
    """Each record that is not an empty line, with the line it begins on."""
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
