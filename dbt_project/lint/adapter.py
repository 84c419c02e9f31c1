"""What sqlfluff's templater takes for dbt's `adapter`: a dispatched macro renders as its own name, which lints like a column.

One that stands for a whole query (`*_spine`) renders as a query.
"""

from __future__ import annotations

from collections.abc import Callable


def dispatch(name: str, macro_namespace: str | None = None) -> Callable[..., str]:
    """Stand in for `adapter.dispatch`: whatever the arguments, the macro's name."""
    return lambda *arguments, **named: f"select 1 as {name}" if name.endswith("_spine") else name


def quote(identifier: str) -> str:
    """Stand in for `adapter.quote`."""
    return f'"{identifier}"'
