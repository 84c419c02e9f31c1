"""Read the messages of an mbox file one by one, in bounded memory whatever the file's size.

The standard library's reader decodes the separator line as ASCII and fails on real files; this one works on bytes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from ingestion.sources.mail.messages import LARGEST_BODY_BYTES, LARGEST_HEAD_BYTES

LINE_BYTES = 1 << 16  # a longer line comes in pieces
TAKEN_TOGETHER_BYTES = 1 << 20
_NEED_A_LOOK = b"F\r\n"  # a line with another first byte is neither a separator nor empty
_NEWLINE = ord("\n")
_SEPARATOR = re.compile(
    rb"From .*\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b.*\b\d{1,2}:\d{2}(?::\d{2})?\b.*\b\d{4}\b"
)
# Headers that mail programs write into messages in an mbox. They change when a message is read, and it stays the same.
_CHANGING = re.compile(
    rb"(?i)(?:x-)?(?:status|keywords|uid|imap|imapbase|gmail-labels|mozilla-[a-z0-9-]+|evolution[a-z-]*|content-length|lines)\s*:"
)


# Newer Thunderbirds write no sender and no date. Only a file that begins so has such lines, and headers follow each.
_BARE_SEPARATOR = re.compile(rb"From[ \t]*\r?\n")
_HEADER = re.compile(rb"[!-9;-~]+[ \t]*:")


@dataclass
class MboxMessage:
    """One message of an mbox file.

    Attributes:
        content: Its head, and the beginning of its body.
        size: Bytes of the whole message in the file.
        digest: Identifies the message by its content: the same in a copy of the file, and after the message was read or
            the file compacted.
    """

    content: bytearray = field(default_factory=bytearray)
    size: int = 0
    digest: str = ""


def is_mbox(head: bytes) -> bool:
    """Whether a file that begins so is an mbox file: a separator line, then a header."""
    first, _, rest = head.lstrip(b"\r\n").partition(b"\n")
    if not first.startswith(b"From ") and not _BARE_SEPARATOR.fullmatch(first + b"\n"):
        return False
    return _SEPARATOR.match(first) is not None or _HEADER.match(rest) is not None


def read_mbox(file: BinaryIO) -> Iterator[MboxMessage]:
    """Split a file at its separator lines: `From `, a sender, a date with a time, at the start of the file or after an empty line.

    In a file whose first line is `From ` and nothing else, such lines are separators too where a header follows. Text
    before the first separator is a message of its own, so no byte is skipped.
    """
    reading = _Reading()
    is_after_blank, is_line_start = True, True
    body: list[bytes] = []  # body lines that need no second look are taken together: nine tenths of most files
    waiting = 0
    has_bare_separators: bool | None = None
    next_line = file.readline(LINE_BYTES)
    while line := next_line:
        next_line = file.readline(LINE_BYTES)
        if has_bare_separators is None and line.strip():
            has_bare_separators = _BARE_SEPARATOR.fullmatch(line) is not None
        if reading.is_in_body and line[0] not in _NEED_A_LOOK:
            body.append(line)
            waiting += len(line)
            if waiting >= TAKEN_TOGETHER_BYTES:
                reading.add(b"".join(body), is_line_start=False)
                body, waiting = [], 0
            is_after_blank, is_line_start = False, line[-1] == _NEWLINE
            continue
        if body:
            reading.add(b"".join(body), is_line_start=False)
            body, waiting = [], 0
        if (
            is_line_start
            and is_after_blank
            and (
                _SEPARATOR.match(line)
                or (has_bare_separators and _BARE_SEPARATOR.fullmatch(line) and _HEADER.match(next_line))
            )
        ):
            if reading.is_begun:
                yield reading.end()
            reading = _Reading(is_begun=True)
        else:
            reading.add(line, is_line_start=is_line_start)
        is_after_blank = is_line_start and line in (b"\n", b"\r\n")
        is_line_start = line.endswith(b"\n")
    if body:
        reading.add(b"".join(body), is_line_start=False)
    if reading.is_begun:
        yield reading.end()


class _Reading:
    """A message while its lines come in.

    Empty lines are held back: the last one before a separator belongs to the file, not to the message.
    """

    def __init__(self, *, is_begun: bool = False) -> None:
        self.is_begun = is_begun
        self._message = MboxMessage()
        self._hash = hashlib.blake2b(digest_size=16)
        self._is_head, self._is_skipped = True, False
        self._blank = b""

    @property
    def is_in_body(self) -> bool:
        return self.is_begun and not self._is_head

    def add(self, line: bytes, *, is_line_start: bool) -> None:
        is_blank = is_line_start and line in (b"\n", b"\r\n")
        if is_blank and not self.is_begun:
            return
        self.is_begun = True
        if self._blank:
            self._take(self._blank)
            self._blank = b""
        if is_blank:
            self._blank, self._is_head = line, False
            return
        if self._is_head and is_line_start and line[:1] not in b" \t":
            self._is_skipped = _CHANGING.match(line) is not None
        self._take(line, is_hashed=not (self._is_head and self._is_skipped))

    def _take(self, line: bytes, *, is_hashed: bool = True) -> None:
        self._message.size += len(line)
        room = (LARGEST_HEAD_BYTES if self._is_head else LARGEST_BODY_BYTES) - len(self._message.content)
        if room > 0:
            self._message.content += line[:room]
        if is_hashed:
            self._hash.update(line.replace(b"\r\n", b"\n"))

    def end(self) -> MboxMessage:
        self._message.digest = self._hash.hexdigest()
        return self._message
