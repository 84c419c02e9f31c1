"""Tell a file's records from what stands around them: titles, totals, footers, blank rows, headers with gaps.

What belongs here: which rows of a CSV file or spreadsheet are records, and what its columns are called. What does not:
reading rows (`strict_csv`, `spreadsheet`) and their values.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Literal

from ingestion.sources.files.errors import FileUnreadable

Row = tuple[int, list[str]]

_LOOKED_AT = 200
_FOOTER_WORDS = re.compile(
    r"(?i)\s*(?:(?:grand\s+|sub-?)?(?:totals?|sums?|summe|gesamt|copyright|confidential|generated)\b|©)[\W\d]*"
)
_HEADER_LOOKED_FOR = 50


@dataclass(frozen=True)
class FileFormat:
    """How a file is written.

    Attributes:
        kind: `csv`, `parquet` or `spreadsheet`; None to decide by the file's suffix.
        delimiter: One character between fields; None for the one that a line `sep=` names, else a comma.
        quote: Character around fields that hold the delimiter or a line break; doubled inside.
        encoding: As Python names it; a byte order mark is skipped.
        blank_values: Texts that mean "no value", quoted or not. `NA` is a value unless it is listed here.
        columns: Column names of a file without a header row, in order; empty where the first row is the header.
        sheet: Sheet of a spreadsheet; None if it has only one.
        skip_lines: Lines before the header that are left out.
        skip_last_lines: Lines at the end that are left out; empty ones at the very end do not count. None if the
            mapping does not say: then a file that seems to have a footer is refused.
        ends_before: The data end before the first row whose first field is one of these; `Total*` for all that begin so.
        leave_out_rows: Rows whose first field is one of these are left out.
        is_export: Whether to read it as an export, made for people: blank rows are left out, columns without a name or
            with a repeated one get a number (`number_names`), and titles and footers are looked for. A feed is read strictly:
            such a header is refused.
    """

    kind: Literal["csv", "parquet", "spreadsheet"] | None = None
    delimiter: str | None = None
    quote: str = '"'
    encoding: str = "utf-8"
    blank_values: tuple[str, ...] = ("",)
    columns: tuple[str, ...] = ()
    sheet: str | None = None
    skip_lines: int = 0
    skip_last_lines: int | None = None
    ends_before: tuple[str, ...] = ()
    leave_out_rows: tuple[str, ...] = ()
    is_export: bool = False

    @property
    def field_delimiter(self) -> str:
        """The character between fields."""
        return self.delimiter or ","

    @property
    def arrow_encoding(self) -> str:
        """The encoding as Arrow names it."""
        return "utf8" if self.encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig") else self.encoding

    @property
    def python_encoding(self) -> str:
        """The encoding as Python opens it."""
        return "utf-8-sig" if self.arrow_encoding == "utf8" else self.encoding


@dataclass
class LeftOut:
    """Lines of a file that are no records, by why they were left out. Filled while the file is read."""

    lines: dict[str, list[int]] = field(default_factory=dict)

    def add(self, why: str, line: int) -> None:
        """Note one line."""
        self.lines.setdefault(why, []).append(line)

    def describe(self, name: str) -> str:
        """A sentence for the user; empty if nothing was left out."""
        parts = [f"{why}: {len(lines)} ({_ranges(lines)})" for why, lines in self.lines.items()]
        return f"Left out of {name}: {'; '.join(parts)}." if parts else ""


def read_header(path: Path, rows: Iterator[Row], file_format: FileFormat) -> tuple[list[str], list[Row]]:
    """The column names, and rows that were looked at to be sure of them and are still to be read.

    Raises:
        FileUnreadable: No row, or a header with a blank or repeated name that may not be numbered.
    """
    if file_format.columns:
        return list(file_format.columns), []
    line, header = next(rows, (1, []))
    while file_format.is_export and header and not any(name.strip() for name in header):
        line, header = next(rows, (1, []))
    ahead: list[Row] = []
    if header and file_format.is_export:
        for row in rows:
            ahead.append(row)
            if len(ahead) == _HEADER_LOOKED_FOR:
                break
        _refuse_title(path, (line, header), ahead)
        header = number_names(header)
    check_header(path, header, line)
    return header, ahead


def list_records(
    path: Path, header: Sequence[str], rows: Iterable[Row], file_format: FileFormat, left_out: LeftOut
) -> Iterator[Row]:
    """The rows that are records, each as long as the header.

    Raises:
        FileUnreadable: A row has another number of fields, something reads like a footer, or something that the format
            leaves out reads like a record.
    """
    rows = iter(rows)
    tail: deque[Row] = deque(maxlen=_LOOKED_AT)
    is_dense = False
    for line, record in rows:
        if file_format.is_export and len(header) > 1 and not "".join(record).strip():
            left_out.add("blank rows", line)
            tail.append((line, record))
            continue
        if _matches(record, file_format.leave_out_rows):
            left_out.add("rows named in leave_out_rows", line)
            continue
        if _matches(record, file_format.ends_before):
            for after, rest in ((line, record), *rows):
                if after != line and reads_like_record(rest, header):
                    raise _record_left_out(path, after, "ends_before")
                left_out.add("lines from the first that ends_before names", after)
            return
        if len(record) != len(header):
            _refuse_ragged(path, header, (line, record), rows, file_format)
        is_dense = is_dense or (file_format.is_export and _count_filled(record) > 2)
        tail.append((line, record))
        yield line, record
    if file_format.skip_last_lines is None and len(header) > 2 and is_dense:
        _refuse_footer(path, header, list(tail))


def reads_like_record(record: Sequence[str], header: Sequence[str]) -> bool:
    """Whether a row is so full that it can hardly be a title, a total or a footer."""
    return (
        len(record) == len(header)
        and len(header) > 2
        and 2 * _count_filled(record) > len(header)
        and not _begins_like_footer(record)
    )


def refuse_skipped_record(path: Path, line: int, record: Sequence[str], header: Sequence[str]) -> None:
    """Refuse a file of which a line that `skip_last_lines` leaves out reads like a record.

    Raises:
        FileUnreadable: It does.
    """
    if reads_like_record(record, header):
        raise _record_left_out(path, line, "skip_last_lines")


def number_names(header: Sequence[str]) -> list[str]:
    """Column names that differ: blank ones become `column 3`, repeated ones `Amount (1)`, `Amount (2)`.

    >>> number_names(["Id", "Amount", "", "Amount", "Amount (1)"])
    ['Id', 'Amount (1) (1)', 'column 3', 'Amount (2)', 'Amount (1) (2)']
    """
    names = [name.strip() or f"column {position}" for position, name in enumerate(header, start=1)]
    while len(set(names)) < len(names):
        seen: dict[str, int] = {}
        repeated = {name for name in names if names.count(name) > 1}
        for position, name in enumerate(names):
            if name in repeated:
                seen[name] = seen.get(name, 0) + 1
                names[position] = f"{name} ({seen[name]})"
    return names


def check_header(path: Path, header: Sequence[str], line: int = 1) -> None:
    """Refuse a file without columns, or with a blank or repeated column name.

    Raises:
        FileUnreadable: The message says which.
    """
    if not header:
        raise FileUnreadable(
            f"{path.name} is empty: not even a header.", where=str(path), fix="Export it again, with a header row."
        )
    where = f"{path}, line {line}"
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


def _refuse_title(path: Path, first: Row, ahead: Sequence[Row]) -> None:
    """Refuse a first row that reads like a title, if a later one reads like the header."""
    line, header = first
    named = _count_filled(header)
    for number, (later, record) in enumerate(ahead[:-1]):
        filled = _count_filled(record)
        if filled >= 2 and filled >= 2 * named and _count_filled(ahead[number + 1][1]) > 1:
            raise FileUnreadable(
                f"Line {line} of {path.name} reads like a title and not like a header: it has {named} names, line {later} has {filled} fields.",
                where=f"{path}, line {line}",
                fix=f"If line {later} is the header, write `skip_lines: {later - 1}` at the file in the mapping. "
                f"If line {line} is, name all columns under `columns`, with `skip_lines: {line}`.",
            )


def _refuse_ragged(path: Path, header: Sequence[str], row: Row, rows: Iterator[Row], file_format: FileFormat) -> None:
    line, record = row
    rest, last = [record], line
    if file_format.is_export:
        for last, following in rows:  # noqa: B007 - the last line is needed
            rest.append(following)
            if len(rest) > _LOOKED_AT:
                break
    if file_format.is_export and len(rest) <= _LOOKED_AT and all(_is_sparse(each, header) for each in rest):
        raise FileUnreadable(
            f"Lines {line} to {last} of {path.name} read like a footer and not like records: the first has {len(record)} fields, but "
            f"{_named(header, file_format)}. Nothing of the file was taken.",
            where=f"{path}, line {line}",
            fix=f"If they are no records, write `skip_last_lines: {last - line + 1}` at the file in the mapping; or, as its length "
            "may change, `ends_before: [...]` with what stands in the first field of the first such line.",
        )
    key = " If it is no record, name its first field in `leave_out_rows`, or what the footer begins with in `ends_before`."
    raise FileUnreadable(
        f"Line {line} of {path.name} has {len(record)} fields, but {_named(header, file_format)}. Nothing of the file was taken.",
        where=f"{path}, line {line}",
        fix="Look for a missing quote or a stray delimiter on that line, or name the right `delimiter`, and export the file again."
        + (key if file_format.is_export else ""),
    )


def _refuse_footer(path: Path, header: Sequence[str], tail: Sequence[Row]) -> None:
    """Refuse a file whose last rows, each as long as the header, have hardly a value in them and begin like a footer."""
    start = len(tail)
    while start and _is_sparse(tail[start - 1][1], header):
        start -= 1
    block = tail[start:]
    written = [bool(_count_filled(record)) for _, record in block]
    if start == 0 or not any(written):
        return
    is_behind_blank = (False, True) in pairwise(written)
    if not is_behind_blank and not any(_begins_like_footer(record) for _, record in block):
        return
    first = next(line for (line, _), is_written in zip(block, written, strict=True) if is_written)
    last = block[-1][0]
    raise FileUnreadable(
        f"Lines {first} to {last} of {path.name} read like totals or a footer and not like records. Nothing of the file was taken.",
        where=f"{path}, line {first}",
        fix=f"If they are no records, write `skip_last_lines: {last - first + 1}` at the file in the mapping; or, as its length may "
        "change, `ends_before: [...]` with what stands in the first field of the first such line. If they are, write `skip_last_lines: 0`.",
    )


def _record_left_out(path: Path, line: int, key: str) -> FileUnreadable:
    return FileUnreadable(
        f"Line {line} of {path.name} is left out by `{key}`, but reads like a record. Nothing of the file was taken.",
        where=f"{path}, line {line}",
        fix="Correct it in the mapping: lower `skip_last_lines`, or use `ends_before` with a text that only the footer has; "
        "rows of totals between the records are named in `leave_out_rows`.",
    )


def _named(header: Sequence[str], file_format: FileFormat) -> str:
    return f"its mapping names {len(header)} columns" if file_format.columns else f"the header has {len(header)}"


def _is_sparse(record: Sequence[str], header: Sequence[str]) -> bool:
    filled = _count_filled(record)
    return filled <= 1 or (2 * filled <= len(header) and _begins_like_footer(record))


def _begins_like_footer(record: Sequence[str]) -> bool:
    """Whether the first field is a word such as Total, or begins with one and stands alone or beside figures.

    >>> _begins_like_footer(["Grand Total (2):", "Won", ""]), _begins_like_footer(["Total deals", "", "USD 30"])
    (True, True)
    >>> _begins_like_footer(["Total Wine", "Won", ""])
    False
    """
    found = _FOOTER_WORDS.match(record[0])
    if not found:
        return False
    others = [value for value in record[1:] if value.strip()]
    return found.end() == len(record[0]) or all(re.search("[0-9]", value) for value in others)


def _count_filled(record: Sequence[str]) -> int:
    return sum(1 for value in record if value.strip())


def _matches(record: Sequence[str], texts: Sequence[str]) -> bool:
    if not texts or not record:
        return False
    first = record[0].strip()
    return any(first.startswith(text[:-1]) if text.endswith("*") else first == text for text in texts)


def _ranges(lines: Sequence[int]) -> str:
    """Line numbers as ranges.

    >>> _ranges([2, 3, 4, 7])
    'lines 2-4, 7'
    """
    ranges: list[list[int]] = []
    for line in lines:
        if ranges and ranges[-1][1] == line - 1:
            ranges[-1][1] = line
        else:
            ranges.append([line, line])
    shown = [str(first) if first == last else f"{first}-{last}" for first, last in ranges[:5]]
    return f"{'line' if len(lines) == 1 else 'lines'} {', '.join(shown)}{' …' if len(ranges) > 5 else ''}"
