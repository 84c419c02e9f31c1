"""Bring spellings of one text to one form: pure functions on text; None where nothing is left."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence

STEPS: dict[str, Callable[[str], str]] = {
    "strip": str.strip,
    "collapse_spaces": lambda text: " ".join(text.split()),
    "casefold": str.casefold,
    "upper": str.upper,
    "nfkc": lambda text: unicodedata.normalize("NFKC", text),
}


def text_normaliser(steps: Sequence[str], aliases: Mapping[str, str] | None = None) -> Callable[[str], str | None]:
    """A function that applies named steps in order, then replaces aliases; None where nothing is left.

    Aliases are compared and returned in normalised form, so they need listing in one spelling only.

    >>> text_normaliser(["strip", "casefold"], {"GTXPro": "GTX Pro"})("  gtxPRO ")
    'gtx pro'
    """

    def apply(text: str) -> str:
        for step in steps:
            text = STEPS[step](text)
        return text

    stands_for = {apply(alias): apply(target) for alias, target in (aliases or {}).items()}

    def normalise(text: str) -> str | None:
        found = apply(text)
        return stands_for.get(found, found) or None

    return normalise
