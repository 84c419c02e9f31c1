"""Read a yes or a no: pure functions on text."""

from __future__ import annotations

_YES = frozenset({"true", "t", "yes", "y", "1"})
_NO = frozenset({"false", "f", "no", "n", "0"})


def to_flag_text(text: str) -> str | None:
    """`true` or `false`; None for anything else.

    >>> to_flag_text(" TRUE "), to_flag_text("0"), to_flag_text("2024-01-01")
    ('true', 'false', None)
    """
    word = text.strip().casefold()
    return "true" if word in _YES else "false" if word in _NO else None
