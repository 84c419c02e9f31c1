"""Plain mart descriptions for publishing, supplied by the caller, which reads them from dbt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Audience = Literal["general", "pay"]


@dataclass(frozen=True)
class Column:
    """A described column of a mart.

    Attributes:
        description: What it holds; becomes the column comment in the published file.
        is_pii: Whether it can hold an outside person's address, number or name, or free text.
        pii_where: Boolean column of the same mart that marks the rows with personal data; None means all rows.
    """

    description: str = ""
    is_pii: bool = False
    pii_where: str | None = None


@dataclass(frozen=True)
class Mart:
    """A table to publish.

    Attributes:
        description: What it holds, with its grain; becomes the table comment.
        columns: The described columns by name; the table may have more.
        audience: Marts for `pay` go to the restricted part of a set.
        grains: Values of `period_grain` that get their own view in the published file: `kpi_rep_period` has
            `kpi_rep_month`.
    """

    description: str = ""
    columns: Mapping[str, Column] = field(default_factory=dict)
    audience: Audience = "general"
    grains: tuple[str, ...] = ()


Marts = Mapping[str, Mart]

_PERIOD = "_period"


def list_grain_views(name: str, mart: Mart) -> dict[str, str]:
    """The views of a mart with several period grains: view name → grain.

    >>> list_grain_views("kpi_rep_period", Mart(grains=("month", "quarter")))
    {'kpi_rep_month': 'month', 'kpi_rep_quarter': 'quarter'}
    """
    return {f"{name.removesuffix(_PERIOD)}_{grain}": grain for grain in mart.grains}


def list_pii(marts: Marts) -> list[str]:
    """Every marked column as `mart.column`, sorted."""
    return sorted(
        f"{name}.{column}"
        for name, mart in marts.items()
        for column, described in mart.columns.items()
        if described.is_pii
    )
