"""How much of a value a message may show: its shape, not its content."""

from __future__ import annotations

LONGEST_SHOWN = 40


def shape_of(text: str | None) -> str:
    """A value's shape, for messages: digits as 9, letters as a.

    >>> shape_of("26-Feb-2018")
    '99-aaa-9999'
    >>> shape_of(None)
    '(empty)'
    """
    if text is None:
        return "(empty)"
    return "".join(
        "9" if character.isdigit() else "a" if character.isalpha() else character for character in text[:LONGEST_SHOWN]
    )
