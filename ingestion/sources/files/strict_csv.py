"""Check that a CSV file is well-formed: every record as long as the header, every quote closed, every byte decodable.

What belongs here: reading a file's rows strictly. What does not: which rows are records (`layout`), their values, and
turning them into columns (`tabular`).
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from ingestion.sources.files.errors import FileUnreadable
from ingestion.sources.files.layout import (
    FileFormat,
    LeftOut,
    Row,
    list_records,
    read_header,
    refuse_skipped_record,
)

DELIMITERS = (",", ";", "\t", "|")

_LINES_JUDGED = 60
_MAX_FIELD_CHARACTERS = 1 << 24
_QUOTED_ROW = re.compile(r"(got \d+):.*")
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[\s"]*', re.IGNORECASE)
_MARK = "\ufeff"


@dataclass
class ScannedCsv:
    """A CSV file that was found well-formed.

    Attributes:
        header: The column names.
        count: How many records it has.
        file_format: Its format, with the delimiter that the file itself names.
        is_plain: Whether any reader finds the same header and records: nothing was left out or renamed.
        left_out: Lines that are no records.
    """

    header: list[str]
    count: int
    file_format: FileFormat
    is_plain: bool = True
    left_out: LeftOut = field(default_factory=LeftOut)


def scan_csv(path: Path, file_format: FileFormat) -> ScannedCsv:
    """Header and number of records, by a strict reader: Arrow would take an unclosed quote for a long value.

    Raises:
        FileUnreadable: Empty, ragged, wrongly encoded, a header with a blank or repeated name, or lines that read like a
            title or a footer and that the format does not leave out.
    """
    reader = _Reader(path, file_format)
    count = sum(1 for _ in reader.records())
    is_plain = not (reader.left_out.lines or reader.has_mark or reader.is_renamed)
    return ScannedCsv(reader.header, count, reader.file_format, is_plain, reader.left_out)


def iterate_csv(path: Path, file_format: FileFormat) -> Iterator[list[str]]:
    """The records of a file, each as long as its header.

    Raises:
        FileUnreadable: As `scan_csv`.
    """
    for _, record in _Reader(path, file_format).records():
        yield record


def csv_unreadable(path: Path, file_format: FileFormat, why: str) -> FileUnreadable:
    """The error for a file that is not valid CSV. A row quoted in `why` is left out: it may name a person."""
    why = _QUOTED_ROW.sub(r"\1", why.splitlines()[0]).rstrip(".")
    fix = f"It was read as {file_format.encoding}, delimiter '{file_format.field_delimiter}': check the encoding, the delimiter and unclosed quotes."
    return FileUnreadable(
        f"{path.name} cannot be read as CSV: {why}. Nothing of the file was taken.", where=str(path), fix=fix
    )


@dataclass(frozen=True)
class Separation:
    """How well a delimiter separates lines into fields.

    Attributes:
        lines: How many lines have the number of fields that most have; 0 if that is one field.
        fields: That number.
        delimiter: The delimiter.
    """

    lines: int
    fields: int
    delimiter: str


def measure_separation(lines: Sequence[str], delimiter: str, quote: str = '"') -> Separation:
    """How well a delimiter separates the lines, whatever titles and totals stand among them."""
    try:
        rows = [row for row in csv.reader(lines, delimiter=delimiter, quotechar=quote) if row]
    except csv.Error:
        rows = []
    counts = Counter(len(row) for row in rows)
    best = max(((number, width) for width, number in counts.items() if width > 1), default=(0, 1))
    return Separation(*best, delimiter)


def find_delimiter(lines: Sequence[str], quote: str = '"') -> Separation:
    """The delimiter that separates the most lines into as many fields, and the most fields."""
    return max(
        (measure_separation(lines, delimiter, quote) for delimiter in DELIMITERS),
        key=lambda found: (found.lines, found.fields),
    )


class _Reader:
    """One pass over a file."""

    def __init__(self, path: Path, file_format: FileFormat) -> None:
        self.path, self.file_format = path, file_format
        self.header: list[str] = []
        self.left_out = LeftOut()
        self.has_mark = self.is_renamed = False
        self._skipped = self._read_to = 0
        self._last_lines: list[str] = []

    def records(self) -> Iterator[Row]:
        try:
            with self.path.open(encoding=self.file_format.python_encoding, newline="") as file:
                rows = self._rows(self._lines(file))
                first = next(rows, None)
                self.header, ahead = read_header(
                    self.path, iter(()) if first is None else chain([first], rows), self.file_format
                )
                self.is_renamed = not self.file_format.columns and first is not None and self.header != first[1]
                if self.file_format.columns and first is not None:
                    ahead = [first]
                yield from list_records(self.path, self.header, chain(ahead, rows), self.file_format, self.left_out)
                self._judge_last_lines()
        except LookupError:
            fix = "Use a name that Python knows, such as utf-8 or cp1252."
            raise FileUnreadable(
                f"'{self.file_format.encoding}' is no encoding.", where=str(self.path), fix=fix
            ) from None
        except UnicodeError as error:
            raise self._wrongly_encoded(error) from None
        except csv.Error as error:
            raise csv_unreadable(self.path, self.file_format, str(error)) from None

    def _wrongly_encoded(self, error: UnicodeError) -> FileUnreadable:
        if not self.file_format.is_export:
            fix = "Save it as UTF-8: a feed has no other encoding."
        elif self._begins_with(codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            fix = "Write `encoding: utf-16` at the file in the mapping: it begins with the mark of it."
        else:
            fix = "Name its encoding at the file in the mapping, such as `encoding: cp1252`, which most Windows programs write."
        return FileUnreadable(
            f"{self.path.name} is not written in {self.file_format.encoding}: {error}. Nothing of the file was taken.",
            where=str(self.path),
            fix=fix,
        )

    def _begins_with(self, *marks: bytes) -> bool:
        with self.path.open("rb") as file:
            return file.read(2) in marks

    def _lines(self, file: TextIO) -> Iterator[str]:
        """The lines from the header to the last record."""
        lines = iter(file)
        first = next(lines, "")
        if first.startswith(_MARK):
            self.has_mark, first = True, first.removeprefix(_MARK)
        separator = _SEPARATOR_LINE.fullmatch(first.rstrip("\r\n") or first)
        if separator and not self.file_format.skip_lines:
            self._take_separator(separator[1])
            self._leave_out("lines that name the separator")
            first = next(lines, "")
        for _ in range(self.file_format.skip_lines):
            self._leave_out("lines of skip_lines")
            first = next(lines, "")
        rest = chain([first] if first else [], lines)
        ahead = list(islice(rest, _LINES_JUDGED))
        if not separator:
            self._judge_delimiter(ahead)
        rest = chain(ahead, rest)
        yield from self._hold_back(rest) if self.file_format.skip_last_lines else rest

    def _judge_delimiter(self, lines: Sequence[str]) -> None:
        """Refuse a file that another delimiter separates and its own does not: every other message would mislead."""
        own = measure_separation(lines, self.file_format.field_delimiter, self.file_format.quote)
        if own.lines == len(lines):  # as in nearly every file
            return
        found = find_delimiter(lines, self.file_format.quote)
        is_clear = found.lines > own.lines if found.fields > own.fields else found.lines >= 2 * max(own.lines, 1)
        if found.lines < 2 or not is_clear:
            return
        shown = "tab" if found.delimiter == "\t" else f'"{found.delimiter}"'
        raise FileUnreadable(
            f"The fields of {self.path.name} are separated by {shown} and not by '{self.file_format.field_delimiter}': "
            f"{found.lines} of its first {len(lines)} lines have {found.fields} of them.",
            where=str(self.path),
            fix=f"Write `delimiter: {shown}` at the file in the mapping."
            if self.file_format.is_export
            else "Save it with commas between the fields: a feed has no other delimiter.",
        )

    def _leave_out(self, why: str) -> None:
        self._skipped += 1
        self.left_out.add(why, self._skipped)

    def _take_separator(self, named: str) -> None:
        if self.file_format.delimiter not in (None, named):
            raise FileUnreadable(
                f"Line 1 of {self.path.name} says that '{named}' separates the fields, but its mapping says '{self.file_format.delimiter}'.",
                where=f"{self.path}, line 1",
                fix="Take `delimiter` out of the mapping, or pass the line over with `skip_lines: 1` if it is wrong.",
            )
        self.file_format = replace(self.file_format, delimiter=named)

    def _hold_back(self, lines: Iterator[str]) -> Iterator[str]:
        """All but the last lines; empty ones at the very end do not count."""
        held: deque[str] = deque()
        empty = 0
        for line in lines:
            held.append(line)
            empty = 0 if line.strip("\r\n") else empty + 1
            while len(held) - empty > (self.file_format.skip_last_lines or 0):
                yield held.popleft()
        self._last_lines = list(held)[: len(held) - empty]

    def _judge_last_lines(self) -> None:
        for number, line in enumerate(self._last_lines, start=self._read_to + 1):
            try:
                record = next(csv.reader([line], delimiter=self.file_format.field_delimiter), [])
            except csv.Error:
                record = []
            refuse_skipped_record(self.path, number, record, self.header)
            self.left_out.add("lines of skip_last_lines", number)

    def _rows(self, lines: Iterator[str]) -> Iterator[Row]:
        """Each row that is not an empty line, with the line it begins on."""
        csv.field_size_limit(_MAX_FIELD_CHARACTERS)
        first = next(lines, None)  # before the reader is made: the first line may name the delimiter
        if first is None:
            return
        reader = csv.reader(
            chain([first], lines),
            delimiter=self.file_format.field_delimiter,
            quotechar=self.file_format.quote,
            strict=True,
        )
        begins = self._skipped + 1
        try:
            for record in reader:
                if record:
                    yield begins, record
                begins = self._skipped + reader.line_num + 1
            self._read_to = begins - 1
        except csv.Error as error:
            raise csv.Error(f"the record that begins on line {begins} does not end well ({error})") from None
