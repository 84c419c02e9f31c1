"""Find the person behind an address: all their records, and the names and numbers that are theirs alone.

What belongs here: searching. What does not: changing anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa

from storage.erasure.structure import PersonalData, PersonTable
from storage.errors import StorageError
from storage.lake import RESERVED_COLUMNS, Lake

_PHONE_TAIL = 10  # digits that are compared: a number is the same with or without a country prefix
_SHORTEST_PHONE = 7


class ErasureError(StorageError):
    """Nobody can be erased by this address. Nothing was changed."""


@dataclass(frozen=True, repr=False)
class Person:
    """A person as the lake knows them. Must not be logged or shown.

    Attributes:
        address: The mail address, lower case.
        record_ids: Keys of all their records.
        names: Their full names, lower case, that nobody else on file has.
        phones: Last digits of their numbers that nobody else on file has.
        shared: How many of their names and numbers somebody else has too; these stay where the lake cannot say whose
            they are.
    """

    address: str
    record_ids: frozenset[str]
    names: frozenset[str]
    phones: frozenset[str]
    shared: int

    def __repr__(self) -> str:
        return f"Person({len(self.record_ids)} records)"


def normalise_address(address: str) -> str:
    """The address in lower case, without surrounding blanks.

    Raises:
        ErasureError: It is not one mail address.
    """
    normal = address.strip().lower()
    if not re.fullmatch(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+", normal):
        raise ErasureError(
            "What was given is not one mail address.",
            fix="Give it plainly, as in: salesops erase --email someone@customer.example",
        )
    return normal


def find_person(lake: Lake, address: str, personal: PersonalData) -> Person:
    """Search every version of every record, quarantined rows included.

    Args:
        lake: The lake.
        address: A normalised address.
        personal: Which tables hold which personal data.

    Raises:
        ErasureError: The address belongs to a member of staff.
    """
    _refuse_staff(lake, address, personal)
    needed = {table: {kind.key, *filter(None, [kind.only_where])} for table, kind in personal.people.items()}
    held = {table: kind for table, kind in personal.people.items() if needed[table] <= set(lake.columns(table))}
    record_ids: set[str] = set()
    while True:
        grown = set(record_ids)
        for table, kind in held.items():
            grown |= _linked_records(lake, table, kind, address, grown)
        if grown == record_ids:
            break
        record_ids = grown
    names: set[str] = set()
    phones: set[str] = set()
    of_others: set[str] = set()
    for table, kind in held.items():
        own = own_rows(kind, _text_columns(lake, table))
        parameters: dict[str, object] = {"ids": sorted(record_ids), "address": address}
        for values, name_set, phone_set in (
            (f"where {own}", names, phones),
            (f"where not ({own})", of_others, of_others),
        ):
            rows = lake.query(
                table, f"select distinct {_named_columns(lake, table, personal)} from lake {values}", parameters
            )
            name_set |= _names_in(rows, personal)
            phone_set |= _phones_in(table, rows, personal)
    for table in personal.staff:
        rows = lake.query(table, "from lake")
        of_others |= _names_in(rows, personal) | _phones_in(table, rows, personal)
    return Person(
        address,
        frozenset(record_ids),
        frozenset(names - of_others),
        frozenset(phones - of_others),
        len((names | phones) & of_others),
    )


def own_rows(kind: PersonTable, columns: list[str]) -> str:
    """SQL: whether a row of a person table is the person's; needs `$ids` and `$address`."""
    addresses = ", ".join(
        f"lower(trim({quoted(column)}))" for column in columns if column == kind.key or is_own_address(column)
    )
    named = f"list_contains($ids::varchar[], {quoted(kind.key)}) or list_contains([{addresses}], $address)"
    links = [f"list_contains($ids::varchar[], {quoted(column)})" for column in kind.same_person if column in columns]
    found = " or ".join([named, *links])
    if kind.only_where is None:
        return f"coalesce({found}, false)"
    return (
        f"coalesce({quoted(kind.only_where)} = 'true' and ({found}), false)" if kind.only_where in columns else "false"
    )


def is_own_address(column: str) -> bool:
    """Whether a column of a person's record holds their own address, and not that of somebody they know."""
    name = column.lower()
    return "mail" in name and not re.search(
        r"refer|manager|assistant|owner|partner|sponsor|superior|supervisor|parent", name
    )


def quoted(column: str) -> str:
    """A column's name in SQL."""
    return '"' + column.replace('"', '""') + '"'


def phone_tail(text: str) -> str:
    """The digits by which numbers are compared."""
    return re.sub(r"[^0-9]", "", text)[-_PHONE_TAIL:]


def phone_tail_sql(column: str) -> str:
    """SQL for the digits by which numbers are compared."""
    return f"right(regexp_replace({quoted(column)}, '[^0-9]', '', 'g'), {_PHONE_TAIL})"


def _linked_records(lake: Lake, table: str, kind: PersonTable, address: str, record_ids: set[str]) -> set[str]:
    columns = _text_columns(lake, table)
    wanted = [kind.key, *(column for column in kind.same_person if column in columns)]
    selected = ", ".join(map(quoted, wanted))
    parameters: dict[str, object] = {"ids": sorted(record_ids), "address": address}
    rows = lake.query(table, f"select distinct {selected} from lake where {own_rows(kind, columns)}", parameters)
    return {value for column in (rows.columns if rows else []) for value in column.to_pylist() if value}


def _refuse_staff(lake: Lake, address: str, personal: PersonalData) -> None:
    for table in personal.staff:
        columns = ", ".join(f"lower(trim({quoted(column)}))" for column in _text_columns(lake, table))
        if not columns:
            continue
        found = lake.query(
            table, f"select 1 from lake where list_contains([{columns}], $address) limit 1", {"address": address}
        )
        if found is not None and found.num_rows:
            raise ErasureError(
                "This address belongs to a member of staff. What they were paid, and the records it was worked out from, must be kept.",
                where=f"lake table {table}",
                fix="End their employment in the personnel feed and the CRM. Once the law lets the records go, start a new lake without them.",
            )


def _text_columns(lake: Lake, table: str) -> list[str]:
    opened = lake.open(table)
    fields = opened.schema().fields if opened else []
    return [
        one.name for one in fields if one.name not in RESERVED_COLUMNS and getattr(one.type, "type", None) == "string"
    ]


def _named_columns(lake: Lake, table: str, personal: PersonalData) -> str:
    wanted = [
        name
        for name in _text_columns(lake, table)
        if name in personal.name_parts or personal.is_name(name) or personal.may_hold_phone(table, name)
    ]
    return ", ".join(map(quoted, wanted)) or "null as nothing"


def _names_in(rows: pa.Table | None, personal: PersonalData) -> set[str]:
    """Full names of two words or more; shorter ones do not tell one person from another."""
    found: set[str] = set()
    for row in rows.to_pylist() if rows else []:
        texts = [value for column, value in row.items() if personal.is_name(column)]
        texts.append(" ".join(filter(None, (row.get(part) for part in personal.name_parts))))
        found |= {" ".join(str(text).lower().split()) for text in texts if text}
    return {name for name in found if " " in name}


def _phones_in(table: str, rows: pa.Table | None, personal: PersonalData) -> set[str]:
    if rows is None:
        return set()
    columns = [name for name in rows.column_names if personal.may_hold_phone(table, name)]
    values = [value for column in columns for value in rows.column(column).to_pylist() if value]
    digits = {re.sub(r"[^0-9]", "", str(value)) for value in values}
    return {number[-_PHONE_TAIL:] for number in digits if len(number) >= _SHORTEST_PHONE}
