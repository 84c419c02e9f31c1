"""The kinds of value that plan and board files are made of: ids, percents, amounts, tags, and the base of every model in them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, NoReturn

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

# Keys that had another name once → their name now. A field takes both; a file with the old one works, with a notice.
OLD_KEYS = {"on": "basis"}


class PlanModel(BaseModel):
    """Base of everything in a plan or board file: unknown keys are refused, and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, str_strip_whitespace=True)


def refuse(what: str, fix: str) -> NoReturn:
    """Report a broken rule from inside a validator.

    Args:
        what: What is wrong, without the place; the reader of the file adds it.
        fix: What to do.
    """
    raise PydanticCustomError("plan_rule", "{what}", {"what": what, "fix": fix})


def _check_tag(tag: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*:[a-z0-9_]+", tag):
        refuse(f"'{tag}' is no tag.", "Write it as kind:value in lower case with underscores, such as type:new_business.")
    return tag


def _list_of_one(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


# Part of line ids, which people type: no spaces, no slashes.
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60, description="Lower case letters, digits and underscores.")]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Percent = Annotated[Decimal, Field(ge=0, lt=100_000, decimal_places=4, description="In percent: 5 means 5 %.")]
Money = Annotated[Decimal, Field(max_digits=16, decimal_places=2)]
PositiveMoney = Annotated[Decimal, Field(gt=0, max_digits=16, decimal_places=2)]
Weight = Annotated[int, Field(ge=1, le=1_000_000, description="A share by weight: 1 and 1 are halves, 85 and 15 are 85 % and 15 %.")]
Tag = Annotated[str, AfterValidator(_check_tag)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_list_of_one), Field(min_length=1)]
