"""Records that tests put over those of the company's files: new and changed ones, deleted and purged ones, new objects, new columns.

A record that was put stays as it was put, whatever the files say of it and whatever the clock shows. The rows lie in DuckDB tables beside those
made from the files, and a view shows both as one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from simulation.servers.state import StateTable

STAMPS = ("CreatedDate", "LastModifiedDate", "SystemModstamp")


@dataclass(frozen=True)
class ChangedTable(StateTable):
    """The view that shows an object's files and its changed records as one.

    Attributes:
        files: The files' rows alone, with every column of the view and none of them hidden; None without files.
        changes: The table with the changed rows.
    """

    files: StateTable | None = None
    changes: str = ""


@dataclass
class ChangedObject:
    """What was changed of one object.

    Attributes:
        name: The table in DuckDB with the changed rows, whole ones; purged ids are in none of them.
        columns: Column name → DuckDB type of that table.
        added: Columns that the files lack, with what a record has in them that was not put with another value.
        view: What shows files and changed rows as one, until something changes or the files' table is made anew.
    """

    name: str
    columns: dict[str, str] = field(default_factory=lambda: {"Id": "VARCHAR"})
    added: dict[str, str | None] = field(default_factory=dict)
    view: tuple[str | None, ChangedTable] | None = None


class RecordChanges:
    """The changed rows of all objects. Not safe for several threads: `ChangeableCompany` calls it under its lock."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._objects: dict[str, ChangedObject] = {}

    def names(self) -> set[str]:
        """The objects of which something was changed."""
        return set(self._objects)

    def show(self, name: str, base: StateTable | None) -> StateTable | None:
        """The object as files (`base`) and changes give it; None where there is neither."""
        changed = self._objects.get(name)
        if changed is None:
            return base
        made_from = base.name if base else None
        if changed.view is None or changed.view[0] != made_from:
            changed.view = (made_from, self._make_view(changed, base))
        return changed.view[1]

    def put(
        self,
        name: str,
        rows: Sequence[Mapping[str, Any]],
        types: Mapping[str, str],
        base: StateTable | None,
        now: datetime,
    ) -> None:
        """Add records or change them.

        A column that a row does not name keeps its value; a new record has NULL there, or false, or `now` as its stamp.

        Args:
            name: The object.
            rows: Each with an `Id`; values as JSON has them, instants and dates in ISO 8601. Of two rows with one Id the later holds.
            types: DuckDB types of columns, where the values do not show them or a column shall change its type.
            base: The object as the files give it.
            now: The stamp of a new record that brings none.

        Raises:
            ValueError: A row has no Id.
            duckdb.Error: A value does not fit its column.
        """
        if any(not isinstance(row.get("Id"), str) for row in rows):
            raise ValueError("every row needs an Id")
        batches: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
        for row in rows:
            batches.setdefault(tuple(row), []).append(row)
        for columns, batch in batches.items():
            self._put_batch(name, columns, batch, types, base, now)

    def purge(self, name: str, ids: Sequence[str], base: StateTable | None) -> None:
        """Take records away, as when they have left the bin: no query shows them any more."""
        changed = self._find(name, base)
        self._connection.execute(f'delete from {changed.name} where "Id" in (select unnest(?))', [list(ids)])
        self._connection.execute(f"insert into {changed.name}_gone select unnest(?)", [list(ids)])

    def add_column(self, name: str, column: str, kind: str, value: object, base: StateTable | None) -> None:
        """Give every record of the object one more column with the same value."""
        changed = self._find(name, base)
        changed.added[column] = None if value is None else str(value)
        changed.columns[column] = kind
        self._connection.execute(f'alter table {changed.name} add column "{column}" {kind}')
        self._connection.execute(f'update {changed.name} set "{column}" = ?', [changed.added[column]])
        changed.view = None

    def _find(self, name: str, base: StateTable | None) -> ChangedObject:
        if name not in self._objects:
            changed = ChangedObject(
                f"changed_{len(self._objects) + 1}", dict(base.columns) if base else {"Id": "VARCHAR"}
            )
            columns = ", ".join(f'"{column}" {kind}' for column, kind in changed.columns.items())
            self._connection.execute(f"create table {changed.name} ({columns})")
            self._connection.execute(f'create table {changed.name}_gone ("Id" varchar)')
            self._objects[name] = changed
        return self._objects[name]

    def _put_batch(
        self,
        name: str,
        columns: tuple[str, ...],
        rows: Sequence[Mapping[str, Any]],
        types: Mapping[str, str],
        base: StateTable | None,
        now: datetime,
    ) -> None:
        changed = self._find(name, base)
        incoming = pa.table({column: _as_arrow([row[column] for row in rows]) for column in columns})
        self._connection.register("incoming", incoming.append_column("_place", pa.array(range(len(rows)))))
        try:
            for column in columns:
                kind = (
                    types.get(column)
                    or changed.columns.get(column)
                    or self._guess_type(column, incoming.schema.field(column).type)
                )
                if changed.columns.get(column) != kind:
                    self._set_column(changed, column, kind)
            present = self.show(name, base)
            assert present is not None  # the object has just been found
            values = ", ".join(
                f'{_fill(changed, column, column in columns)} as "{column}"' for column in changed.columns
            )
            self._connection.execute(
                f"""
                create or replace temp table batch as
                select {values}
                from (from incoming qualify row_number() over (partition by "Id" order by _place desc) = 1) fresh
                left join {present.name} old on old."Id" = fresh."Id"
                """,
                {"now": now} if "$now" in values else {},
            )
        finally:
            self._connection.unregister("incoming")
        self._connection.execute("begin")
        for table in (changed.name, f"{changed.name}_gone"):
            self._connection.execute(f'delete from {table} where "Id" in (select "Id" from batch)')
        self._connection.execute(f"insert into {changed.name} by name select * from batch")
        self._connection.execute("commit")

    def _set_column(self, changed: ChangedObject, column: str, kind: str) -> None:
        if column in changed.columns:
            self._connection.execute(f'alter table {changed.name} alter column "{column}" type {kind}')
        else:
            self._connection.execute(f'alter table {changed.name} add column "{column}" {kind}')
        changed.columns[column] = kind
        changed.view = None

    def _guess_type(self, column: str, kind: pa.DataType) -> str:
        if pa.types.is_boolean(kind):
            return "BOOLEAN"
        if pa.types.is_integer(kind):
            return "BIGINT"
        if pa.types.is_floating(kind):
            return "DOUBLE"
        for pattern, named in ((r"\d{4}-\d\d-\d\dT\d\d:\d\d.*", "TIMESTAMP"), (r"\d{4}-\d\d-\d\d", "DATE")):
            row = self._connection.execute(
                f'select bool_and(regexp_full_match("{column}"::varchar, ?)) from incoming', [pattern]
            ).fetchall()
            if row[0][0]:
                return named
        return "VARCHAR"

    def _make_view(self, changed: ChangedObject, base: StateTable | None) -> ChangedTable:
        view = f"{changed.name}_shown"
        parts = [f"select * from {changed.name}"]
        files = None if base is None else self._widen(changed, base)
        if files is not None:
            hidden = f'select "Id" from {changed.name} union all select "Id" from {changed.name}_gone'
            parts.insert(0, f'select * from {files.name} where "Id" not in ({hidden})')
        self._connection.execute(f"create or replace view {view} as {' union all by name '.join(parts)}")
        return ChangedTable(view, self._describe(view), files=files, changes=changed.name)

    def _widen(self, changed: ChangedObject, base: StateTable) -> StateTable:
        """The files' rows with the columns that were added beside theirs."""
        more = [
            f'{_quote(changed.added.get(column))}::{kind} as "{column}"'
            for column, kind in changed.columns.items()
            if column not in base.columns
        ]
        if not more:
            return base
        view = f"{changed.name}_files"
        self._connection.execute(f"create or replace view {view} as select *, {', '.join(more)} from {base.name}")
        return StateTable(view, self._describe(view))

    def _describe(self, view: str) -> dict[str, str]:
        return {str(name): str(kind) for name, kind, *_ in self._connection.execute(f"describe {view}").fetchall()}


def _as_arrow(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # values of several types: as text, to be cast to the column's type
        return pa.array([None if value is None else str(value) for value in values], pa.string())


def _fill(changed: ChangedObject, column: str, is_given: bool) -> str:
    """What a changed row has in a column."""
    kind = changed.columns[column]
    if is_given:
        return f'fresh."{column}"::timestamptz::timestamp' if kind == "TIMESTAMP" else f'fresh."{column}"::{kind}'
    if column in changed.added:
        default = f"{_quote(changed.added[column])}::{kind}"
    elif column in STAMPS and kind == "TIMESTAMP":
        default = "$now::timestamp"
    else:
        default = "false" if kind == "BOOLEAN" else "null"
    return f"""case when old."Id" is null then {default} else old."{column}" end"""


def _quote(text: str | None) -> str:
    return "null" if text is None else "'" + text.replace("'", "''") + "'"
