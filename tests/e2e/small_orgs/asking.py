"""How a case asks: a question in SQL over the marts, and what is right."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.small_org import SmallOrg

Check = tuple[str, object]
Case = Callable[[SmallOrg], list[Check]]


def rep_month(figure: str, rep: str, month: str) -> str:
    """The question for a rep's figure in a month, 0 where there is no row."""
    where = f"rep_id = '{rep}' and period_grain = 'month' and period_start = date '{month}-01'"
    return f"select coalesce(sum({figure}), 0) from marts.kpi_rep_period where {where}"
