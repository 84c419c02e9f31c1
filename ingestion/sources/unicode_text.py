"""Storable text: what is not Unicode becomes the replacement character, whatever the source.

What belongs here: the one rule for half characters and broken bytes. What does not: which encoding a source's bytes are
in.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator

REPLACEMENT = "\ufffd"
# JSON may hold half of a character beyond the first 65,536 (`"\ud83d"`, an emoji cut to a field's length), which UTF-8
# cannot encode.
_HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")


def with_whole_characters(text: str) -> str:
    r"""The text, with the replacement character for each half character.

    >>> with_whole_characters("cut \ud83d") == "cut \ufffd"
    True
    """
    return text if text.isascii() else _HALF_A_CHARACTER.sub(REPLACEMENT, text)


def with_valid_utf8(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """UTF-8 in pieces of any size, with the replacement character for invalid bytes."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for piece in pieces:
        yield decoder.decode(piece).encode()
    yield decoder.decode(b"", final=True).encode()
