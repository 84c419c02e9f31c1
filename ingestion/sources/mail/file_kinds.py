"""What a file in a mail export is, by what is in it: mail programs name their files as they like.

What belongs here: telling mbox files, single messages and the indexes of mail programs apart. What does not: reading
them (`mbox`, `exports`).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from ingestion.sources.mail.mbox import is_mbox

Kind = Literal["mbox", "message", "index", "empty", "other"]

_HEAD_BYTES = 65_536
# Files that mail programs keep beside their mail: Thunderbird's index of a folder, Apple's of an export, Dovecot's.
_INDEXES = re.compile(
    r"(?i).*\.(?:msf|cmeta|ev-summary.*)|table_of_contents|info\.plist|dovecot.*|popstate\.dat|msgfilterrules\.dat|filterlog\.html"
)
# An Apple Mail message begins with its length on a line of its own; what follows the message is Apple's.
_LENGTH = re.compile(rb"\s*(\d{1,12})[ \t]*\r?\n")
_FIRST_HEADER = re.compile(rb"(?:\xef\xbb\xbf)?(?:[ \t]*\r?\n)*(?:From [^\n]*\n)?[A-Za-z0-9_-]+[ \t]*:")
_MAIL_HEADER = re.compile(
    rb"(?im)^(?:from|to|date|subject|received|message-id|return-path|delivered-to|mime-version|x-mozilla-status)[ \t]*:"
)


def kind_of(path: Path) -> Kind:
    """What the file is. A name that ends in .eml or .mbox is believed, the first line of an .eml file more so.

    Raises:
        OSError: The file cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix in (".mbox", ".eml"):
        return "mbox" if suffix == ".mbox" else "message"
    if _INDEXES.fullmatch(path.name):
        return "index"
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head.strip():
        return "empty"
    if is_mbox(head):
        return "mbox"
    length = _LENGTH.match(head)
    return "message" if looks_like_message(head[length.end() :] if length else head) else "other"


def looks_like_message(head: bytes) -> bool:
    """Whether the text begins with headers, one of them a header that only mail has."""
    if not _FIRST_HEADER.match(head):
        return False
    headers = re.split(rb"\r?\n\r?\n", head.lstrip(), maxsplit=1)[0]
    return _MAIL_HEADER.search(headers) is not None


def without_length(content: bytes, size: int) -> tuple[bytes, int]:
    """The message in an Apple Mail file, and its size; any other content as it is."""
    length = _LENGTH.match(content)
    if length is None or not looks_like_message(content[length.end() :]):
        return content, size
    size = int(length[1])
    return content[length.end() : length.end() + size], size
