"""What an erasure has to know of a lake: which tables hold what of people, and which columns of their rows stay.

What belongs here: the form in which that is said. What does not: the tables and columns themselves, which those who fill the lake name
(`ingestion.personal_data`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class PersonTable:
    """Records that stand for people.

    Attributes:
        key: Column that names a record.
        same_person: Columns that name another record of the same person.
        only_where: A column that must say `true`; None where every row is a person.
    """

    key: str
    same_person: tuple[str, ...] = ()
    only_where: str | None = None


@dataclass(frozen=True)
class PersonalData:
    """Which tables hold what of people. Columns are given by patterns that match the whole name; everything that none keeps goes.

    Attributes:
        people: Tables whose records stand for people.
        about_people: Tables whose rows are about people, with the columns that name whom.
        staff: Tables of our own people, who are not erased.
        messages: What the names of tables with messages begin with.
        calls: What the names of tables with calls begin with.
        kept: Columns of a person's row that keep their value.
        kept_of_message: The same of a message: who wrote to whom (addresses are replaced), when, and what marks it.
        kept_history: Fields whose old and new values in a history are no personal data.
        history_field: Column of a history that names the field, and
        history_values: those that hold what it was and became.
        message_record: Column of a message that names the record it is about.
        free_text_of_call: Columns of a call that hold what somebody said or wrote; its numbers are dealt with by themselves.
        phones: Columns that hold phone numbers, in lower case; those of a call are
        phones_of_call: these, and
        no_phones: never these.
        names: Columns that hold a full name; one in two parts is in
        name_parts: these columns, in the order in which it is written.
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
        if column.startswith("_"):
            return True
        if table.startswith(self.calls):
            return not re.fullmatch(self.free_text_of_call, column)
        return re.fullmatch(self.kept_of_message if table.startswith(self.messages) else self.kept, column) is not None

    def may_hold_phone(self, table: str, column: str) -> bool:
        """Whether a column holds phone numbers, by its name."""
        return self._is_phone(self.phones_of_call if table.startswith(self.calls) else self.phones, column)

    def may_hold_phone_of_call(self, name: str) -> bool:
        """The same of a name within what a call's column holds as JSON."""
        return self._is_phone(self.phones_of_call, name)

    def is_name(self, column: str) -> bool:
        """Whether a column holds a full name."""
        return re.fullmatch(self.names, column, re.IGNORECASE) is not None

    def _is_phone(self, pattern: str, column: str) -> bool:
        name = column.lower()
        return re.fullmatch(pattern, name) is not None and not re.fullmatch(self.no_phones, name)
