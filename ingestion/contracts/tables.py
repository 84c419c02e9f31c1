"""What landing needs to know about a lake table; declared once, beside its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ingestion.contracts.rules import Rule


@dataclass(frozen=True)
class PersonalRows:
    """The personal data in a table's rows, for finding one person.

    Attributes:
        kind: `people`: a row is a person outside the company; `about_people`: it names one; `messages` and `calls`:
            people wrote or spoke to one another; `staff`: a row is one of the company's own people.
        columns: For `people`, columns that name another record of the same person; for `about_people`, columns that
            name the person a row is about.
        only_where: Column that is `true` in a row that is a person; None where every row is one.
    """

    kind: Literal["people", "about_people", "messages", "calls", "staff"]
    columns: tuple[str, ...] = ()
    only_where: str | None = None


@dataclass(frozen=True)
class LakeTable:
    """One table of the lake.

    Attributes:
        name: `<source>__<object>`.
        key: Columns that identify a record.
        version_column: Column that changes whenever the record does. With it, a row is held if the lake has its key and
            version. Without it, a row is held if the newest load with its key has the same values in every column.
        record_time_column: On a table's first load, `_known_from` is this stamp (ISO or RFC 2822 text, no later than
            the run's instant) and `_known_time_basis` is `record`. Rows without one, and every later load, carry the
            run's instant and `load`.
        rules: What its rows must satisfy; none for a table that we write ourselves.
        personal: The personal data in its rows; None where they have none.
    """

    name: str
    key: tuple[str, ...]
    version_column: str | None = None
    record_time_column: str | None = None
    rules: tuple[Rule, ...] = ()
    personal: PersonalRows | None = None
