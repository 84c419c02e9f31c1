"""How to read Salesforce, from `config/salesforce.yml`."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from ingestion.sources.salesforce.objects import OBJECTS, STAMPS, SalesforceObject, find_object
from storage.operator_files import OperatorModel, read_file

_Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
_FieldName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*\.[A-Za-z][A-Za-z0-9_]*$")]
_Part = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)?$")]


class SalesforceReading(OperatorModel):
    """What to read, and how much of the org's API it may use.

    Attributes:
        objects: Objects besides the standard ones.
        leave_out: Objects, standard ones too, and fields (`Object.Field`) that no run reads.
        api_budget_share: Share of the org's daily requests at which reading stops.
        full_read_days: Days after which an object is re-read in full, for its formula fields and for records that left
            the recycle bin unseen. An object that gains a field is re-read too, once one of its records changes. 0 for
            never, except after a gap of two weeks.
        vanished_share: Share of an object's records that a full read may mark deleted because the org no longer has
            them.
        accepted_types: `Object.Field` → its new type, for fields whose rows need no quarantine any more.
    """

    objects: tuple[_Name, ...] = ()
    leave_out: tuple[_Part, ...] = ()
    api_budget_share: Annotated[Decimal, Field(gt=0, le=1)] = Decimal("0.8")
    full_read_days: Annotated[int, Field(ge=0)] = 7
    vanished_share: Annotated[Decimal, Field(ge=0, le=1)] = Decimal("0.05")
    accepted_types: dict[_FieldName, str] = Field(default_factory=dict)

    @field_validator("objects")
    @classmethod
    def _land_in_tables_of_their_own(cls, objects: tuple[str, ...]) -> tuple[str, ...]:
        by_table = {each.table: each.name for each in OBJECTS}
        for name in objects:
            table = find_object(name).table
            other = by_table.setdefault(table, name)
            if other != name:
                raise ValueError(
                    f"{other} and {name} would both land in {table}; name one of them, spelled as Salesforce does"
                )
        return objects

    @model_validator(mode="after")
    def _leave_out_only_what_is_read(self) -> SalesforceReading:
        read = {each.name for each in self.all_objects}
        for part in self.leave_out:
            name, _, field = part.partition(".")
            if name not in read:
                alike = next((known for known in read if known.lower() == name.lower()), None)
                raise ValueError(
                    f"leave_out names {name}, which is no object that is read"
                    + (f"; did you mean {alike}?" if alike else f". Read are: {', '.join(sorted(read))}")
                )
            if field in ("Id", *STAMPS):
                raise ValueError(f"leave_out names {part}, without which {name} cannot be read; leave {name} out")
        return self

    @property
    def left_out_objects(self) -> frozenset[str]:
        """The objects that no run reads."""
        return frozenset(part for part in self.leave_out if "." not in part)

    @property
    def left_out_fields(self) -> tuple[tuple[str, str], ...]:
        """The fields that no run reads, each with its object."""
        return tuple((name, field) for name, dot, field in (part.partition(".") for part in self.leave_out) if dot)

    @property
    def all_objects(self) -> tuple[SalesforceObject, ...]:
        """The standard objects, then those that the file names; those that are left out too."""
        return (*OBJECTS, *(each for each in map(find_object, self.objects) if each not in OBJECTS))


def read_salesforce_settings(config_dir: Path) -> SalesforceReading:
    """Read `salesforce.yml`; without the file, the defaults apply.

    Raises:
        OperatorFileError: The file is not YAML, or a key or value in it cannot be used.
    """
    path = config_dir / "salesforce.yml"
    return read_file(path, SalesforceReading).content if path.exists() else SalesforceReading()
