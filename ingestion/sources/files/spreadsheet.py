"""Read a sheet of a spreadsheet as rows of text.

What belongs here: choosing the sheet, and cells → text as an export would write it. What does not: which rows are
records (`layout`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

from ingestion.sources.files.errors import FileUnreadable
from ingestion.sources.files.layout import FileFormat, LeftOut, Row, list_records, read_header, refuse_skipped_record

SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")

_EXACT_DIGITS = 15  # spreadsheets keep no more digits of a number


def read_spreadsheet(
    path: Path, file_format: FileFormat
) -> tuple[list[str], list[list[str]], LeftOut, tuple[str, ...]]:
    """Header, records, what was left out, and the sheets that were not read.

    Days come as `2026-01-05`, times as `2026-01-05 10:00:00`, durations as `0:03:05`.

    Raises:
        FileUnreadable: No spreadsheet, a password, no or no clear sheet, or as `list_records`.
    """
    try:
        with CalamineWorkbook.from_path(str(path)) as book:
            name, others = _choose_sheet(path, book, file_format.sheet)
            cells = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except PasswordError:
        raise FileUnreadable(
            f"{path.name} is locked by a password.", where=str(path), fix="Save it without one."
        ) from None
    except (CalamineError, OSError) as error:
        fix = "Save it as .xlsx or CSV again; a web page or CSV file that is only called .xls needs `format: csv`."
        raise FileUnreadable(
            f"{path.name} cannot be read as a spreadsheet: {error}.", where=str(path), fix=fix
        ) from None
    rows = [(number, [_as_text(value) for value in row]) for number, row in enumerate(cells, start=1)]
    while rows and not any(rows[-1][1]):
        rows.pop()
    width = max((position for _, row in rows for position, value in enumerate(row, start=1) if value), default=0)
    rows = [(number, row[:width]) for number, row in rows]
    left_out = LeftOut()
    for number, _ in rows[: file_format.skip_lines]:
        left_out.add("lines of skip_lines", number)
    rows = rows[file_format.skip_lines :]
    last = rows[len(rows) - (file_format.skip_last_lines or 0) :] if file_format.skip_last_lines else []
    waiting: Iterator[Row] = iter(rows[: len(rows) - len(last)])
    header, ahead = read_header(path, waiting, file_format)
    records = [record for _, record in list_records(path, header, [*ahead, *waiting], file_format, left_out)]
    for number, record in last:
        refuse_skipped_record(path, number, record, header)
        left_out.add("lines of skip_last_lines", number)
    return header, records, left_out, others


def _choose_sheet(path: Path, book: CalamineWorkbook, named: str | None) -> tuple[str, tuple[str, ...]]:
    sheets = [sheet.name for sheet in book.sheets_metadata if sheet.visible == SheetVisibleEnum.Visible]
    if named is None and len(sheets) > 1:
        sheets = [name for name in sheets if book.get_sheet_by_name(name).height] or sheets
    there = ", ".join(f"'{name}'" for name in book.sheet_names)
    if named is not None and named not in book.sheet_names:
        raise FileUnreadable(
            f"{path.name} has no sheet '{named}'.", where=str(path), fix=f"The sheets there are: {there}."
        )
    if named is None and len(sheets) != 1:
        raise FileUnreadable(
            f"{path.name} has {len(sheets)} sheets that can be seen.",
            where=str(path),
            fix=f'Name one at the file in the mapping, `sheet: "{sheets[0] if sheets else ""}"`. The sheets there are: {there}.',
        )
    chosen = named if named is not None else sheets[0]
    return chosen, tuple(name for name in sheets if name != chosen)


def _as_text(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 10**_EXACT_DIGITS:
            return str(int(value))
        case dt.datetime():
            return value.isoformat(sep=" ", timespec="milliseconds" if value.microsecond else "seconds")
        case dt.timedelta():
            seconds = round(value.total_seconds())
            return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        case dt.date() | dt.time():
            return value.isoformat()
        case _:
            return str(value)
