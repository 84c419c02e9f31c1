"""SOQL built from names that `describe` gave and stamps that are formatted here; nothing that a user typed gets in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

# Before the first record of any org: a window without a lower bound is cut as if it began here.
_FIRST_RECORD = datetime(1999, 1, 1, tzinfo=UTC)
_SMALLEST = timedelta(minutes=1)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Window:
    """Half-open `[since, until)` on one stamp; no `since` means from the start, no `until` to the end. One is set."""

    field: str
    since: datetime | None
    until: datetime | None

    @property
    def is_empty(self) -> bool:
        """Whether no record can be in it."""
        return self.since is not None and self.until is not None and self.since >= self.until

    @property
    def halves(self) -> tuple[Window, Window] | None:
        """The window cut in the middle; None where it is open to the end, or a minute or less."""
        since = self.since or _FIRST_RECORD
        if self.until is None or self.until - since <= _SMALLEST:
            return None
        middle = since + timedelta(seconds=(self.until - since) // timedelta(seconds=2))
        return replace(self, until=middle), replace(self, since=middle)

    @property
    def condition(self) -> str:
        """The WHERE condition."""
        bounds = ((">=", self.since), ("<", self.until))
        return " AND ".join(f"{_name(self.field)} {sign} {write_instant(bound)}" for sign, bound in bounds if bound)


def write_instant(instant: datetime) -> str:
    """An instant as SOQL and Bulk CSV write it: UTC, milliseconds, `Z`."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def read_instant(text: str) -> datetime:
    """The reverse of `write_instant`."""
    return datetime.fromisoformat(text)


def count_query(object_name: str, window: Window) -> str:
    """SOQL that counts the records of a window."""
    return f"SELECT count() FROM {_name(object_name)} WHERE {window.condition}"


def select_query(object_name: str, fields: Sequence[str], window: Window) -> str:
    """SOQL that selects the records of a window."""
    return f"SELECT {', '.join(_name(field) for field in fields)} FROM {_name(object_name)} WHERE {window.condition}"


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no Salesforce name")
    return name
