"""Names of a load's columns: what a source chose never meets a name of ours, and keeps one spelling over all loads.

What belongs here: the names under which a source's columns are stored. What does not: which columns a source must have
(`contracts`), and the name a source's own format gives a field (the sources).
DuckDB and Delta compare names without regard to case, so `Region` and `region` are one column to them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import pyarrow as pa

from ingestion.contracts import LakeTable
from ingestion.errors import ContractBroken
from storage.lake import RESERVED_COLUMNS

# Names that our own queries over the lake's files add, and those that DuckDB adds to the rows of a file.
_QUERY_COLUMNS = (
    "filename",
    "file_row_number",
    "file_index",
    "_is_shared",
    "_was_shared",
    "_position",
    "_is_the_persons",
)
# A trailing underscore makes another name of it; the one who already has that gets one more, so no two names become one.
_OURS = re.compile(rf"(?:{'|'.join((*RESERVED_COLUMNS, *_QUERY_COLUMNS))})_*", re.IGNORECASE | re.ASCII)


def storable_name(name: str) -> str:
    """The name under which a source's column is stored: its own, with `_` appended where it is one of ours.

    >>> storable_name("filename"), storable_name("Filename_"), storable_name("file name")
    ('filename_', 'Filename__', 'file name')
    """
    return f"{name}_" if _OURS.fullmatch(name) else name


class ColumnNames:
    """The names of one load's columns.

    Args:
        table: The load's table. The names in its key and rules are spelled as they are there.
        held: Columns that the lake's table has. A column that differs from one of them only in case is that column.
    """

    def __init__(self, table: LakeTable, held: Iterable[str]) -> None:
        self._table = table.name
        own = dict.fromkeys([*table.key, *(column for rule in table.rules for column in rule.columns)])
        known = [*own, *(name for name in held if name not in RESERVED_COLUMNS)]
        self._exact = frozenset(known)
        self._spelled: dict[str, str] = {}
        for name in known:
            self._spelled.setdefault(_folded(name), name)

    def apply(self, rows: pa.Table) -> pa.Table:
        """The rows under the names to store.

        Raises:
            ContractBroken: A column has no name, or two names differ only in case. Nothing landed.
        """
        names = [self._name(name) for name in rows.column_names]
        counts = Counter(map(_folded, names))
        if len(counts) < len(names):
            self._refuse([name for name in rows.column_names if counts[_folded(self._name(name))] > 1])
        return rows if names == rows.column_names else rows.rename_columns(names)

    def _name(self, name: str) -> str:
        if not name.strip() or "\0" in name:  # DuckDB ends a name at a NUL
            raise ContractBroken(
                "A column has no name that can be stored. The load was refused; what had landed before stays.",
                where=f"lake table {self._table}",
                fix="Name the column at its source, or leave it out.",
            )
        stored = storable_name(name)
        return stored if stored in self._exact else self._spelled.get(_folded(stored), stored)

    def _refuse(self, names: list[str]) -> None:
        shown = " and ".join(f"'{name}'" for name in names[:2])
        raise ContractBroken(
            f"The columns {shown} differ in no more than case. The load was refused; what had landed before stays.",
            where=f"lake table {self._table}",
            fix="Rename one of them, or leave it out.",
        )


def _folded(name: str) -> str:
    """As DuckDB compares names: regardless of the case of ASCII letters."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in name)
