"""What of a value may be shown in a message: how it looks, not what it says."""

from __future__ import annotations

LONGEST_SHOWN = 40


def shape_of(text: str | None) -> str:
    """What a value looks like, for messages: digits as 9, letters as a.

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
