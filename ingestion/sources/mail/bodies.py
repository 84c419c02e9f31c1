"""The text part of a message, if bodies are switched on. Broken messages give None or what is readable, no error."""

from __future__ import annotations

from email.message import Message
from email.parser import BytesParser

from ingestion.sources.unicode_text import with_whole_characters

LONGEST_TEXT = 65_536  # characters


def read_text_part(content: bytes) -> str | None:
    """The first text/plain part that is not an attachment, at most `LONGEST_TEXT` characters; None where there is none.

    Args:
        content: The message, or its beginning; a part that is cut off is read as far as it goes.
    """
    try:
        part = next((part for part in BytesParser().parsebytes(content).walk() if _is_text(part)), None)
        payload = part.get_payload(decode=True) if part else None
        if part is None or not isinstance(payload, bytes):
            return None
        return _decode(payload, part.get_content_charset("utf-8")).replace("\x00", "")[:LONGEST_TEXT].strip() or None
    except Exception:  # the standard library raises many kinds on malformed messages; none of them may stop a load
        return None


def _is_text(part: Message) -> bool:
    return (
        part.get_content_type() == "text/plain"
        and not part.is_multipart()
        and part.get_content_disposition() != "attachment"
    )


def _decode(payload: bytes, charset: str) -> str:
    try:
        return with_whole_characters(payload.decode(charset, "replace"))
    except LookupError:
        return payload.decode("utf-8", "replace")
