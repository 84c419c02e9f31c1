"""The value types of plan and board files (ids, percents, amounts, tags) and the base of their models."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from storage.operator_files import OperatorModel, refuse

_IDENTIFIER = r"^[a-z][a-z0-9_]*$"


class PlanModel(OperatorModel):
    """Base of everything in a plan or board file; blanks around a text do not count."""

    model_config = ConfigDict(populate_by_name=True, str_strip_whitespace=True)


def _check_identifier(text: Any) -> Any:
    if isinstance(text, str) and not re.fullmatch(_IDENTIFIER, text.strip()):
        refuse(
            f"The value '{text}' does not have the form {_IDENTIFIER}.",
            "Ids are lower case letters, digits and underscores.",
        )
    return text


def _check_tag(tag: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*:[a-z0-9_]+", tag):
        refuse(
            f"'{tag}' is no tag.", "Write it as kind:value in lower case with underscores, such as type:new_business."
        )
    return tag


def _list_of_one(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


# Part of line ids, which people type: no spaces, no slashes.
Identifier = Annotated[
    str,
    Field(pattern=_IDENTIFIER, max_length=60, description="Lower case letters, digits and underscores."),
    BeforeValidator(_check_identifier),
]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Percent = Annotated[Decimal, Field(ge=0, lt=100_000, decimal_places=4, description="In percent: 5 means 5 %.")]
Money = Annotated[Decimal, Field(max_digits=16, decimal_places=2)]
PositiveMoney = Annotated[Decimal, Field(gt=0, max_digits=16, decimal_places=2)]
Weight = Annotated[
    int, Field(ge=1, le=1_000_000, description="A share by weight: 1 and 1 are halves, 85 and 15 are 85 % and 15 %.")
]
Tag = Annotated[str, AfterValidator(_check_tag)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_list_of_one), Field(min_length=1)]
