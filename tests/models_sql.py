"""Turns a dbt model into the SQL that DuckDB runs, without starting dbt: for tests of one model on tables of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import jinja2

DBT = Path(__file__).parents[1] / "dbt_project"


class _Dispatch:
    """dbt's `adapter.dispatch` for DuckDB: the macro of the same name with `duckdb__` before it."""

    def __init__(self) -> None:
        self.macros: jinja2.environment.TemplateModule | None = None

    def dispatch(self, name: str, _: str) -> Callable[..., str]:
        found: Callable[..., str] = getattr(self.macros, f"duckdb__{name}")
        return found


def render(name: str) -> str:
    """SQL of a model by its name; `ref('x')` is the table x."""
    adapter, salesops = _Dispatch(), {}  # type: ignore[var-annotated]
    known = {"adapter": adapter, "salesops": salesops, "ref": lambda model: model}
    environment = jinja2.Environment(autoescape=False)
    source = "".join((DBT / "macros" / f"{file}.sql").read_text(encoding="utf-8") for file in ("calendar", "money"))
    adapter.macros = environment.from_string(source, globals=known).make_module()
    salesops.update(
        {macro: getattr(adapter.macros, macro) for macro in dir(adapter.macros) if not macro.startswith("_")}
    )
    (path,) = (DBT / "models").rglob(f"{name}.sql")
    return environment.from_string(path.read_text(encoding="utf-8"), globals={**known, **salesops}).render()
