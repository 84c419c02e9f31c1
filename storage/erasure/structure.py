"""What an erasure must know about a lake: which tables hold which personal data, and which of their columns stay.

What belongs here: the form of that description. What does not: the tables and columns themselves, which the packages
that fill the lake name (`ingestion.personal_data`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from storage.stamps import RESERVED_COLUMNS


@dataclass(frozen=True)
class PersonTable:
    """A table whose records are people.

    Attributes:
        key: Column that identifies a record.
        same_person: Columns that name another record of the same person.
        only_where: A column that must be `true`; None where every row is a person.
    """

    key: str
    same_person: tuple[str, ...] = ()
    only_where: str | None = None


@dataclass(frozen=True)
class PersonalData:
    """Which tables hold which personal data.

    Patterns match a column's whole name; a column of a person's row that none of them keeps is erased.

    Attributes:
        people: Tables whose records are people.
        about_people: Tables whose rows are about people, with the columns that name the person.
        staff: Tables of our own people, who are not erased.
        messages: Prefixes of the names of tables with messages.
        calls: Prefixes of the names of tables with calls.
        kept: Columns of a person's row that keep their value.
        kept_of_message: The same for a message: who wrote to whom (addresses are replaced), when, and how it is marked.
        kept_history: Fields whose old and new values in a history are not personal data.
        history_field: Column of a history that names the field.
        history_values: Columns of a history with the old and the new value.
        message_record: Column of a message that names the record it is about.
        free_text_of_call: Columns of a call with what somebody said or wrote; its numbers are handled separately.
        phones: Columns that hold phone numbers, in lower case.
        phones_of_call: The same for a call.
        no_phones: Columns that never hold phone numbers.
        names: Columns that hold a full name.
        name_parts: Columns that hold a name in two parts, in the order in which it is written.
    """

    people: Mapping[str, PersonTable]
    about_people: Mapping[str, tuple[str, ...]]
    staff: tuple[str, ...]
    messages: tuple[str, ...]
    calls: tuple[str, ...]
    kept: str
    kept_of_message: str
    kept_history: str
    history_field: str
    history_values: tuple[str, str]
    message_record: str
    free_text_of_call: str
    phones: str
    phones_of_call: str
    no_phones: str
    names: str
    name_parts: tuple[str, str]

    def stays(self, table: str, column: str) -> bool:
        """Whether a column of a person's row keeps its value."""
        if column in RESERVED_COLUMNS:
            return True
        if table.startswith(self.calls):
            return not re.fullmatch(self.free_text_of_call, column)
        return re.fullmatch(self.kept_of_message if table.startswith(self.messages) else self.kept, column) is not None

    def may_hold_phone(self, table: str, column: str) -> bool:
        """Whether a column holds phone numbers, by its name."""
        return self._is_phone(self.phones_of_call if table.startswith(self.calls) else self.phones, column)

    def may_hold_phone_of_call(self, name: str) -> bool:
        """The same for a name inside the JSON of a call's column."""
        return self._is_phone(self.phones_of_call, name)

    def is_name(self, column: str) -> bool:
        """Whether a column holds a full name."""
        return re.fullmatch(self.names, column, re.IGNORECASE) is not None

    def _is_phone(self, pattern: str, column: str) -> bool:
        name = column.lower()
        return re.fullmatch(pattern, name) is not None and not re.fullmatch(self.no_phones, name)
