"""Quote names and paths in SQL text, for the places that take no bound parameter."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def quote_name(name: str) -> str:
    """A column or table name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """A text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def quote_path(path: Path | str) -> str:
    """A path inside an SQL string, for statements such as attach and copy."""
    return str(path).replace("'", "''")


def quote_list(paths: Iterable[Path | str]) -> str:
    """Paths as an SQL list, for table functions in a subquery."""
    return "[" + ", ".join(f"'{quote_path(path)}'" for path in paths) + "]"
