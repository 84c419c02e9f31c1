"""A provider's call records as text rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from ingestion.sources.phone_numbers import e164_reader
from ingestion.sources.unicode_text import with_whole_characters

FROM_E164 = "from_e164"
TO_E164 = "to_e164"
UNREAD_NUMBERS = "unread_numbers"

Record = Mapping[str, Any]
Parties = Callable[[Mapping[str, str | None]], tuple[str | None, str | None]]


def table_of(records: Sequence[Record], key: str) -> pa.Table:
    """Records as text columns, in the order their names first occur; lists and objects are left out.

    Args:
        records: One per row.
        key: The column that exists even without records.
    """
    names = dict.fromkeys(
        name for record in records for name, value in record.items() if not isinstance(value, (dict, list))
    )
    if not names:
        return pa.table({key: pa.array([], pa.string())})
    return pa.table({name: pa.array([text_of(record.get(name)) for record in records], pa.string()) for name in names})


def text_of(value: Any) -> str | None:
    """A JSON value as the lake holds it: `true`, plain digits, NULL for null and the empty string."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return with_whole_characters(str(value))


def with_e164(rows: pa.Table, parties: Parties, region: str) -> pa.Table:
    """Add both numbers in E.164 to the rows.

    `from_e164` and `to_e164` are NULL where a number cannot be read. `unread_numbers` then names the sides with such a
    number ("from", "to", "from,to"); it is NULL where every number was read.

    Args:
        rows: Text rows.
        parties: Returns the numbers of the calling and the called side of a row, as they came.
        region: Country of numbers without a country code.
    """
    read = e164_reader(region)
    columns: dict[str, list[str | None]] = {FROM_E164: [], TO_E164: [], UNREAD_NUMBERS: []}
    for row in rows.to_pylist():
        sides = dict(zip(("from", "to"), parties(row), strict=True))
        numbers = {side: read(text) for side, text in sides.items()}
        columns[FROM_E164].append(numbers["from"])
        columns[TO_E164].append(numbers["to"])
        columns[UNREAD_NUMBERS].append(
            ",".join(side for side, text in sides.items() if text and not numbers[side]) or None
        )
    for name, values in columns.items():
        rows = rows.append_column(name, pa.array(values, pa.string()))
    return rows


def flatten(record: Record, parts: Mapping[str, Sequence[str]], *, without: Sequence[str] = ()) -> dict[str, Any]:
    """Flatten one level: the named parts of nested objects become `<object>__<part>`.

    Other lists and objects are dropped, and so are the names in `without`.
    """
    plain = {
        name: value for name, value in record.items() if name not in without and not isinstance(value, (dict, list))
    }
    for name, inner_names in parts.items():
        inner = record.get(name)
        plain.pop(name, None)
        plain |= {f"{name}__{part}": inner.get(part) if isinstance(inner, dict) else None for part in inner_names}
    return plain


def iso(instant: datetime) -> str:
    """`2026-01-05T10:00:00Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
