"""One message as a row of `mail__message`, and what every kind of mail source returns."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ingestion.errors import IngestionError
from ingestion.sources.mail.bodies import read_text_part
from ingestion.sources.mail.headers import read_headers

HEAD_BYTES = 8192
LARGEST_HEAD_BYTES = 1 << 20  # no mail server would have let a longer header through
LARGEST_BODY_BYTES = 1 << 18  # read of a message to find its text part; longer texts are cut
MESSAGES_AT_ONCE = 500

COLUMNS = (
    "message_key",
    "mailbox",
    "source",
    "folder",
    "message_id",
    "thread_id",
    "in_reply_to",
    "references_ids",
    "from_address",
    "to_addresses",
    "cc_addresses",
    "date",
    "date_raw",
    "received_at",
    "subject_sha256",
    "subject",
    "body_text",
    "is_auto_reply",
    "is_bounce",
    "is_newsletter",
    "size_bytes",
)

MessageRow = dict[str, str | None]


@dataclass(frozen=True)
class Kept:
    """What to store of a message beyond the plain facts in its headers; by default nothing.

    Attributes:
        subjects: The subject text, beside its hash.
        bodies: The beginning of the text part.
    """

    subjects: bool = False
    bodies: bool = False


@dataclass(frozen=True)
class Portion:
    """Some messages of one place (a folder on a server, a file), small enough to hold in memory.

    Attributes:
        rows: The messages that were read.
        asked: How many messages the source listed for this portion: those read and those gone by then.
        gone: Messages that were deleted at the source between listing and reading.
        place: Name of the place in the cursor; empty where the place needs none.
        reached: The cursor of the place once these rows have landed; None leaves it as it was.
        notice: A sentence for the user where there is something to say.
        failure: Why the rest of the place could not be read, where the source goes on with its other places.
    """

    rows: Sequence[MessageRow]
    asked: int
    gone: int = 0
    place: str = ""
    reached: Any = None
    notice: str = ""
    failure: IngestionError | None = None


def message_row(
    content: bytes,
    *,
    message_key: str,
    mailbox: str,
    source: str,
    size: int,
    kept: Kept,
    folder: str | None = None,
    received_at: str | None = None,
) -> MessageRow:
    """A message's row.

    Args:
        content: The message from its first byte; its head is enough unless bodies are kept.
        message_key: Identifies it permanently within its mailbox.
        mailbox: The mailbox it is in.
        source: imap, maildir, mbox or file.
        size: Bytes of the whole message.
        kept: What to store.
        folder: The folder of the mailbox that it is in.
        received_at: When the server received it, ISO 8601 UTC, if a server says so.
    """
    found = read_headers(content)
    subject = found.pop("subject")
    return {
        **found,
        "message_key": message_key,
        "mailbox": mailbox,
        "source": source,
        "folder": folder,
        "received_at": received_at,
        "subject": subject if kept.subjects else None,
        "body_text": read_text_part(content) if kept.bodies else None,
        "size_bytes": str(size),
    }


def name_place(*parts: str) -> str:
    """Name of a place in the cursor. Commits and reports show cursors, so it must not reveal a mailbox's address."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:20]


def mask(mailbox: str) -> str:
    """A mailbox as errors and notices may name it: enough to tell colleagues apart, not enough to write to."""
    name, at, domain = mailbox.partition("@")
    return f"{name[:1]}***{at}{domain}"
