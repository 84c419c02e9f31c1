"""What landing must know of a lake table that a source fills, said once where the source is described."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ingestion.contracts.rules import Rule


@dataclass(frozen=True)
class PersonalRows:
    """What a table's rows hold of people, for the search for one of them.

    Attributes:
        kind: `people`: a row stands for a person outside the company; `about_people`: it names one; `messages` and `calls`: people wrote or
            spoke to one another in it; `staff`: a row stands for one of the company's own people.
        columns: Of `people` the columns that name another record of the same person; of `about_people` those that name whom a row is about.
        only_where: Column that says `true` in a row that stands for a person; None where every row does.
    """

    kind: Literal["people", "about_people", "messages", "calls", "staff"]
    columns: tuple[str, ...] = ()
    only_where: str | None = None


@dataclass(frozen=True)
class LakeTable:
    """One table of the lake.

    Attributes:
        name: `<source>__<object>`.
        key: Columns that name a record.
        version_column: Column that changes whenever the record does; with it a row is held when key and version are. Without it a row is held when
            the newest load that has its key has the same values in every column.
        record_time_column: On a table's first load, `_known_from` is this stamp (ISO or RFC 2822 text, no later than the run's instant) and
            `_known_time_basis` is `record`; rows without one, and every later load, carry the run's instant and `load`.
        rules: What its rows must satisfy; none for a table that we write ourselves.
        personal: How its rows tell about people; None where they do not.
    """

    name: str
    key: tuple[str, ...]
    version_column: str | None = None
    record_time_column: str | None = None
    rules: tuple[Rule, ...] = ()
    personal: PersonalRows | None = None
