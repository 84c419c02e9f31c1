"""An export of deals or calls as somebody's program writes it, and an operator who maps it by what refusals say."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from benchmarks.odd_sources.outcome import Fault, Outcome
from ingestion.sources.files.ingest import ingest_files
from ingestion.sources.files.mapping import load_mapping
from storage.errors import SalesopsError
from storage.lake import BROKEN_RULES, LOAD_ID, Lake
from storage.sql import quote_name
from tests.support.books import write_book

_ATTEMPTS = 8
_KEY_AND_VALUE = re.compile(r"`([a-z_]+): ([^`]+)`")
_EXCEL_FIRST = date(1899, 12, 30)

Truth = dict[str, str | None]


@dataclass
class Export:
    """One file and what it says.

    Attributes:
        table: The canonical object.
        key: Its key column.
        path: The file's name.
        header: Names of the columns, in order, by canonical name.
        rows: Its cells as they are written, without titles and totals.
        truth: What must be in the lake, by the key.
        odd: Keys of rows that cannot be read and must be set aside.
        file: The keys of the file's mapping that describe it.
        columns: By canonical column, the keys that describe how it is written.
        zone: The zone of times without one.
    """

    table: str
    key: str
    path: str = field(default="export.csv", kw_only=True)
    header: dict[str, str]
    rows: list[list[str]] = field(default_factory=list)
    truth: dict[str, Truth] = field(default_factory=dict)
    odd: set[str] = field(default_factory=set)
    file: dict[str, Any] = field(default_factory=dict)
    columns: dict[str, dict[str, Any]] = field(default_factory=dict)
    zone: str = "UTC"


@dataclass(frozen=True)
class Style:
    """How a kind of value is written, and the mapping's keys for it."""

    write: Callable[[Any], str]
    keys: Mapping[str, Any]


def _grouped(number: Decimal, point: str, mark: str, *, indian: bool = False) -> str:
    whole, _, places = f"{abs(number):.2f}".partition(".")
    if indian and len(whole) > 3:
        head, tail = whole[:-3], whole[-3:]
        whole = mark.join([*re.findall(r".{1,2}(?=(?:..)*$)", head), tail])
    else:
        whole = mark.join(re.findall(r".{1,3}(?=(?:...)*$)", whole))
    return f"{'-' if number < 0 else ''}{whole}{point}{places}"


def _bracketed(number: Decimal) -> str:
    text = _grouped(abs(number), ".", ",")
    return f"({text})" if number < 0 else text


NUMBERS = (
    Style(lambda number: f"{number:.2f}", {}),
    Style(lambda number: _grouped(number, ",", "."), {"decimal_mark": ",", "thousands_mark": "."}),
    Style(lambda number: _grouped(number, ".", ","), {"thousands_mark": ","}),
    Style(lambda number: _grouped(number, ",", "\u00a0"), {"decimal_mark": ",", "thousands_mark": " "}),
    Style(lambda number: _grouped(number, ".", "'"), {"thousands_mark": "'"}),
    Style(lambda number: _grouped(number, ".", ",", indian=True), {"thousands_mark": ",", "grouping": "indian"}),
    Style(lambda number: "€" + f"{abs(number):.2f}", {"currency_signs": {"€": "EUR"}}),
    Style(_bracketed, {"thousands_mark": ",", "negative": "parentheses"}),
    Style(
        lambda number: f"{abs(number):.2f}{'-' if number < 0 else ''}",
        {"negative": "trailing_minus"},
    ),
)
DAYS = (
    Style(lambda day: day.isoformat(), {}),
    Style(lambda day: f"{day:%d/%m/%Y}", {"format": "day_first"}),
    Style(lambda day: f"{day.month}/{day.day}/{day.year}", {"format": "month_first"}),
    Style(lambda day: f"{day:%d.%m.%Y}", {"format": "day_first"}),
    Style(lambda day: f"{day.day} {day:%b %Y}", {"format": "%d %b %Y"}),
    Style(lambda day: f"{day:%b} {day.day}, {day.year}", {"format": "%b %d, %Y"}),
    Style(lambda day: str((day - _EXCEL_FIRST).days), {"format": "excel_serial"}),
    Style(lambda day: f"{day:%Y/%m/%d}", {"format": "%Y/%m/%d"}),
)
DURATIONS = (
    Style(str, {}),
    Style(lambda seconds: str(timedelta(seconds=seconds)), {}),
    Style(lambda seconds: f"{seconds // 60}m {seconds % 60}s", {}),
    Style(lambda seconds: f"{seconds // 60}:{seconds % 60:02}", {"format": "m:ss"}),
)
TIMES = (
    Style(lambda at: f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000Z}", {}),
    Style(lambda at: at.isoformat(sep=" "), {}),
    Style(lambda at: f"{at:%Y-%m-%d %H:%M:%S}", {}),
    Style(lambda at: f"{at:%d/%m/%Y %H:%M:%S}", {"format": "day_first"}),
    Style(lambda at: f"{at:%m/%d/%Y %I:%M:%S %p}", {"format": "month_first"}),
)
ZONES = ("UTC", "America/New_York", "Europe/Oslo", "Asia/Kolkata", "Australia/Lord_Howe")
ODD_NAMES = ("filename", "_load_id", "Amount", "amount ", "", "select", "Ünïcode", "rowid", "Notes\nmore", 'a"b')
NOT_NUMBERS = ("n/a", "1,23,4.5.6", "--", "ten", "12 or 13")
NOT_DAYS = ("31/02/2026", "2026-02-30", "soon", "0000-00-00")


def draw_export(chance: random.Random, folder: Path) -> Export:
    """Draw an export and write its file into the folder."""
    export = _draw_deals(chance) if chance.random() < 0.6 else _draw_calls(chance)
    rows, names = export.rows, list(export.header.values())
    extra = [chance.choice(ODD_NAMES) for _ in range(chance.randint(0, 3))]
    lines = [[*names, *extra]]
    lines += [
        [*row, *(chance.choice(("x", "", " y ", "1;2", 'say "hi"', "two\nlines")) for _ in extra)] for row in rows
    ]
    width = len(lines[0])
    before: list[list[str]] = []
    after: list[list[str]] = []
    if chance.random() < 0.25 and width > 2:
        before = [["Weekly report"], *([[""]] if chance.random() < 0.5 else [])]
        export.file["skip_lines"] = len(before)
    if chance.random() < 0.25 and width > 2 and len(rows) > 1:
        after = [["Total"], *([["Copyright (c) 2026 Acme Inc."]] if chance.random() < 0.5 else [])]
        export.file["skip_last_lines"] = len(after)
    if chance.random() < 0.5:
        before, after = ([row + [""] * (width - len(row)) for row in part] for part in (before, after))
    if chance.random() < 0.15:
        export.path = "export.xlsx"
        write_book(folder / export.path, {"Sheet1": _cells([*before, *lines, *after])})
        return export
    delimiter = chance.choice((",", ";", "\t", "|"))
    text = "".join(_line(row, delimiter) for row in [*before, *lines, *after])
    if chance.random() < 0.1 and not before:
        text = f"sep={delimiter}\r\n{text}"
    elif delimiter != ",":
        export.file["delimiter"] = "tab" if delimiter == "\t" else delimiter
    encoding = chance.choice(("utf-8", "utf-8-sig", "utf-16", "cp1252"))
    try:
        content = text.encode(encoding)
    except UnicodeEncodeError:
        encoding, content = "utf-8", text.encode()
    if encoding in ("utf-16", "cp1252"):
        export.file["encoding"] = encoding
    (folder / export.path).write_bytes(content)
    return export


def land_export(lake: Lake, export: Export, folder: Path, *, known_at: datetime, is_known: bool) -> Outcome:
    """Map the export, land it, and mend the mapping by what is said until it lands exactly.

    Args:
        lake: The lake, with the settings in force.
        export: What `draw_export` drew.
        folder: Where its file is.
        known_at: The instant of the first load; each later one comes a minute later.
        is_known: Whether the operator knows how everything is written, or begins with plain column names.

    Raises:
        Fault: Something was lost, or differs, or was refused without a remedy that works.
    """
    outcome = Outcome("export")
    mapping: dict[str, Any] = {
        "version": 1,
        "name": "drawn",
        "timezone": export.zone,
        "files": {"export": {"path": export.path, **(export.file if is_known else {})}},
        "objects": {
            export.table: {
                "source": "export",
                "columns": {
                    name: {"from": source, **(export.columns.get(name, {}) if is_known else {})}
                    for name, source in export.header.items()
                },
            }
        },
    }
    path = folder / "mapping.yml"
    for attempt in range(_ATTEMPTS):
        path.write_text(yaml.safe_dump(mapping, allow_unicode=True, sort_keys=False), encoding="utf-8")
        try:
            (report,) = ingest_files(
                lake, load_mapping(path), folder, known_at=known_at + timedelta(minutes=attempt), run_id="drawn"
            )
        except SalesopsError as error:
            outcome.remedies.append(_take_remedy(export, mapping, error))
            continue
        wrong = _columns_set_aside(lake, export)
        mended = [name for name in wrong if _mend_column(export, mapping, name)]
        if mended:
            outcome.remedies += [f"rows set aside: {name}" for name in mended]
            continue
        if report.source_count != len(export.rows):
            raise Fault(f"{report.source_count} rows were counted, {len(export.rows)} were written")
        _compare(lake, export)
        outcome.landed, outcome.set_aside = len(export.truth), len(export.odd)
        return outcome
    raise Fault(f"not landed after {_ATTEMPTS} attempts: {outcome.remedies}")


def _take_remedy(export: Export, mapping: dict[str, Any], error: SalesopsError) -> str:
    """Change the mapping by what an error says; what it says must be true of the export."""
    if not error.fix:
        raise Fault(f"no remedy: {error}")
    file = mapping["files"]["export"]
    for key, value in _KEY_AND_VALUE.findall(error.fix):
        if key in export.file and key not in file and str(export.file[key]) == value.strip('"'):
            file[key] = export.file[key]
            return f"`{key}: {value}`"
    for key in ("encoding", "delimiter", "skip_lines", "skip_last_lines"):
        if key in error.fix and key in export.file and key not in file:
            file[key] = export.file[key]
            return f"{key}: named"
    for name, source in export.header.items():
        is_meant = f"'{source}'" in f"{error.what} {error.where}" or name in f"{error.what} {error.where}"
        if is_meant and _mend_column(export, mapping, name, said=error.fix):
            return f"{name}: as said"
    raise Fault(f"the remedy does not help: {error}\nfile {export.file} columns {export.columns} mapping {mapping}")


def _mend_column(export: Export, mapping: dict[str, Any], name: str, *, said: str = "") -> bool:
    """Give a column the keys that describe it; False if it has them. What is said must name them."""
    column, keys = mapping["objects"][export.table]["columns"][name], export.columns.get(name, {})
    if all(column.get(key) == value for key, value in keys.items()):
        return False
    if said and not any(key in said for key in keys):
        raise Fault(f"{name} is written with {dict(keys)}, but this was said: {said}")
    column.update(keys)
    return True


def _columns_set_aside(lake: Lake, export: Export) -> set[str]:
    """Columns whose rules newest rows break."""
    newest = f"qualify row_number() over (partition by {quote_name(export.key)} order by {LOAD_ID} desc) = 1"
    rows = lake.query(export.table, f"select {BROKEN_RULES} as broken from lake {newest}")
    rules = {rule for row in (rows.to_pylist() if rows else []) if row["broken"] for rule in row["broken"].split(";")}
    return {name for name in export.header if any(rule.startswith(f"{name}_") for rule in rules)}


def _compare(lake: Lake, export: Export) -> None:
    newest = f"qualify row_number() over (partition by {quote_name(export.key)} order by {LOAD_ID} desc) = 1"
    rows = lake.query(export.table, f"from lake {newest}")
    held = {row[export.key]: row for row in rows.to_pylist()} if rows else {}
    for key, truth in export.truth.items():
        row = held.get(key)
        if row is None:
            raise Fault(f"{key} is lost")
        if row[BROKEN_RULES]:
            raise Fault(f"{key} was set aside for {row[BROKEN_RULES]}: {truth}")
        for name, value in truth.items():
            if row.get(name) != value:
                raise Fault(
                    f"{key}.{name} is {row.get(name)!r}, not {value!r}; written with {export.columns.get(name)}"
                )
    for key in export.odd:
        if key not in held or not held[key][BROKEN_RULES]:
            raise Fault(f"the odd row {key} was not set aside: {held.get(key)}")


def _draw_deals(chance: random.Random) -> Export:
    columns = {
        "opportunity_id": "Deal ID",
        "opportunity_name": "Name",
        "stage_name": "Stage",
        "amount": "Amount (net)",
        "close_date": "Closes",
        "created_at": "Created",
    }
    export = Export("files__opportunity", "opportunity_id", columns)
    export.zone = chance.choice(ZONES)
    number, day, time = chance.choice(NUMBERS), chance.choice(DAYS), chance.choice(TIMES)
    export.columns = {"amount": dict(number.keys), "close_date": dict(day.keys), "created_at": dict(time.keys)}
    # Days of both halves of a month, and amounts with thousands, so that a wrong way of reading them shows.
    for place in range(chance.randint(2, 12)):
        key = f"D{place:03}"
        first = date(2026, chance.randint(1, 12), 13 + place % 15 if place < 2 else chance.randint(1, 28))
        amount = Decimal(chance.randint(100_000, 99_999_999)) / 100
        if number.keys.get("negative") and place == 0:
            amount = -amount
        at = datetime(
            2026, chance.randint(1, 12), 13 + place % 15, chance.randint(3, 22), 30, 15, tzinfo=ZoneInfo(export.zone)
        )
        name = chance.choice(("Acme", "Café Zoë", "O'Neil; Sons", 'The "Best"', "Two\nlines", " padded "))
        cells = [key, name, "Closed Won", number.write(amount), day.write(first), time.write(at)]
        if place >= 2 and chance.random() < 0.15:
            export.odd.add(key)
            spot, junk = chance.choice(((3, NOT_NUMBERS), (4, NOT_DAYS)))
            cells[spot] = chance.choice(junk)
        else:
            export.truth[key] = {
                "opportunity_name": name,
                "stage_name": "Closed Won",
                "amount": f"{amount:.2f}",
                "close_date": first.isoformat(),
                "created_at": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000Z}",
            }
        if chance.random() < 0.1:
            cells[0] = f" {key} "
        export.rows.append(cells)
        if place == 4 and chance.random() < 0.4:  # two records of one key: nobody can say which is right
            export.rows.append([*cells[:1], f"{name} II", *cells[2:]])
            export.truth.pop(key, None)
            export.odd.add(key)
    return export


def _draw_calls(chance: random.Random) -> Export:
    columns = {
        "call_leg_id": "uniqueid",
        "direction": "direction",
        "from_number": "src",
        "to_number": "dst",
        "user_id": "agent",
        "started_at": "Start time",
        "ended_at": "End time",
        "talk_seconds": "Talk",
    }
    export = Export("files__call", "call_leg_id", columns)
    export.zone = chance.choice(ZONES)
    lasted, time = chance.choice(DURATIONS), chance.choice(TIMES)
    export.columns = {
        "talk_seconds": dict(lasted.keys),
        "started_at": dict(time.keys),
        "ended_at": dict(time.keys),
    }
    for place in range(chance.randint(2, 10)):
        key = f"C{place:03}"
        seconds = chance.randint(61, 3500)
        start = datetime(
            2026, chance.randint(1, 12), 13 + place % 15, chance.randint(3, 20), 30, 15, tzinfo=ZoneInfo(export.zone)
        )
        end = (start.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(ZoneInfo(export.zone))
        cells = [
            key,
            "outbound",
            "+14155550100",
            "+4722334455",
            "E1",
            time.write(start),
            time.write(end),
            lasted.write(seconds),
        ]
        if place >= 2 and chance.random() < 0.15:
            export.odd.add(key)
            cells[chance.choice((5, 7))] = chance.choice(("soon", "1:2:3:4", "-5x"))
        else:
            export.truth[key] = {
                "direction": "outbound",
                "from_number": "+14155550100",
                "to_number": "+4722334455",
                "started_at": f"{start.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000Z}",
                "ended_at": f"{end.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000Z}",
                "talk_seconds": str(seconds),
            }
        export.rows.append(cells)
    return export


def _cells(rows: list[list[str]]) -> dict[str, object]:
    """The cells of a sheet, each as text, as a program writes them that does not know what they are."""
    return {
        f"{chr(ord('A') + column)}{number}": cell
        for number, row in enumerate(rows, start=1)
        for column, cell in enumerate(row)
        if cell
    }


def _line(cells: list[str], delimiter: str) -> str:
    quoted = []
    for cell in cells:
        if any(sign in cell for sign in (delimiter, '"', "\n", "\r")):
            cell = '"' + cell.replace('"', '""') + '"'
        quoted.append(cell)
    return delimiter.join(quoted) + "\r\n"
