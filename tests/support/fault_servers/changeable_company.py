"""The company of the fault servers: the files' records under those that tests put, and fields that come, go and change their type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from simulation.servers.describe import Field
from simulation.servers.state import MOST_VALUES, CompanyState, StateTable
from tests.support.fault_servers.faults import AddField, RetypeField, SchemaFault, VanishField
from tests.support.fault_servers.record_changes import ChangedTable, RecordChanges


class ChangeableCompany(CompanyState):
    """The company with changes. Safe to use from several threads, as the company itself is.

    Attributes:
        fields_gone: (object, field) that the API does not know any more, though the table has the column.
        fields_calculated: (object, field) that `describe` calls a formula.
        fields_retyped: (object, field) → the type that `describe` shows instead of the column's.
    """

    def __init__(self, simulation_dir: Path) -> None:
        super().__init__(simulation_dir)
        self.fields_gone: set[tuple[str, str]] = set()
        self.fields_calculated: set[tuple[str, str]] = set()
        self.fields_retyped: dict[tuple[str, str], str] = {}
        self._changes = RecordChanges(self._connection)

    def object_names(self) -> list[str]:
        """The Salesforce objects there are, sorted."""
        with self._lock:
            return sorted(
                {*super().object_names(), *(name.removeprefix("salesforce/") for name in self._changes.names())}
            )

    def list_fields(self, object_name: str, table: StateTable) -> dict[str, Field]:
        """The fields of a Salesforce object, without those that are gone."""
        shown = {}
        for name, field in super().list_fields(object_name, table).items():
            place = (object_name, name)
            if place not in self.fields_gone:
                shown[name] = replace(
                    field, declared=self.fields_retyped.get(place), is_calculated=place in self.fields_calculated
                )
        return shown

    def table(self, relative: str, key: str, order: str) -> StateTable:
        """One object as at the clock with its changes; rows without ORDER BY come in the files' order, changed ones last.

        Raises:
            FileNotFoundError: There is neither a file nor a change.
        """
        with self._lock:
            shown = self._changes.show(relative, self._from_file(relative, key, order))
        if shown is None:
            raise FileNotFoundError(relative)
        return shown

    def values_in_use(self, table: StateTable, column: str) -> list[str]:
        """The different values of a column; one of the files stays although the last record that had it was changed."""
        if not isinstance(table, ChangedTable):
            return super().values_in_use(table, column)
        of_files = [] if table.files is None else super().values_in_use(table.files, column)
        return sorted({*of_files, *self._find_values(table.changes, column)})[:MOST_VALUES]

    def put_records(self, object_name: str, rows: Sequence[Mapping[str, Any]], types: Mapping[str, str]) -> None:
        """Add or change records of a Salesforce object, which may be a new one; see `RecordChanges.put`."""
        with self._lock:
            self._changes.put(
                _path_of(object_name), rows, types, self._find_files(object_name), self.now().replace(tzinfo=None)
            )

    def purge_records(self, object_name: str, ids: Sequence[str]) -> None:
        """Take records of a Salesforce object away, from queryAll too."""
        with self._lock:
            self._changes.purge(_path_of(object_name), ids, self._find_files(object_name))

    def change_schema(self, fault: SchemaFault) -> None:
        """Carry out a fault that changes an object's fields."""
        place = (fault.object, fault.field)
        if isinstance(fault, VanishField):
            self.fields_gone.add(place)
        elif isinstance(fault, RetypeField):
            self.fields_retyped[place] = fault.type
        elif isinstance(fault, AddField):
            if fault.calculated:
                self.fields_calculated.add(place)
            if place in self.fields_gone:  # it comes back as it was
                self.fields_gone.discard(place)
                return
            with self._lock:
                self._changes.add_column(
                    _path_of(fault.object), fault.field, fault.type, fault.value, self._find_files(fault.object)
                )

    def _find_files(self, object_name: str) -> StateTable | None:
        return self._from_file(_path_of(object_name), "Id", '"Id"')


def _path_of(object_name: str) -> str:
    return f"salesforce/{object_name}"
