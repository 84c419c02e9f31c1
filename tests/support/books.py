"""Write a small spreadsheet."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape


def write_book(path: Path, sheets: dict[str, dict[str, object]]) -> Path:
    """A minimal workbook. Style 1 shows a day, 2 a time, 3 a duration."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    names = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(sheets, 1))
    links = "".join(
        f'<Relationship Id="r{n}" Type="{office}/worksheet" Target="s{n}.xml"/>' for n in range(1, len(sheets) + 1)
    )
    formats = "".join(f'<xf numFmtId="{number}" applyNumberFormat="1"/>' for number in (0, 14, 22, 46))
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = "".join(
        f'<Override PartName="/s{n}.xml" ContentType="{kinds}.worksheet+xml"/>' for n in range(1, len(sheets) + 1)
    )
    with zipfile.ZipFile(path, "w") as book:
        book.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kinds}.sheet.main+xml"/>{parts.replace("/s", "/xl/s")}</Types>',
        )
        book.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships">'
            f'<Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        book.writestr("xl/workbook.xml", f'<workbook {main} xmlns:r="{office}"><sheets>{names}</sheets></workbook>')
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}/relationships">{links}'
            f'<Relationship Id="st" Type="{office}/styles" Target="styles.xml"/></Relationships>',
        )
        book.writestr("xl/styles.xml", f'<styleSheet {main}><cellXfs count="4">{formats}</cellXfs></styleSheet>')
        for number, cells in enumerate(sheets.values(), 1):
            rows: dict[str, str] = {}
            for place, value in cells.items():
                rows[place[1:]] = rows.get(place[1:], "") + _cell(place, value)
            content = "".join(f'<row r="{row}">{written}</row>' for row, written in rows.items())
            book.writestr(f"xl/s{number}.xml", f"<worksheet {main}><sheetData>{content}</sheetData></worksheet>")
    return path


def _cell(place: str, value: object) -> str:
    start = dt.datetime(1899, 12, 30)  # noqa: DTZ001
    match value:
        case str():
            return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
        case dt.datetime():
            return f'<c r="{place}" s="2"><v>{(value - start) / dt.timedelta(days=1)!r}</v></c>'
        case dt.date():
            return f'<c r="{place}" s="1"><v>{(value - start.date()).days}</v></c>'
        case dt.timedelta():
            return f'<c r="{place}" s="3"><v>{value / dt.timedelta(days=1)!r}</v></c>'
        case _:
            return f'<c r="{place}"><v>{value}</v></c>'
