"""Read the headers of one message. Nothing in them is trusted: broken encodings, dates and addresses never raise."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from email.header import decode_header
from email.utils import parsedate_tz

from ingestion.sources.mail.addresses import read_addresses
from ingestion.sources.unicode_text import with_whole_characters

Headers = dict[str, list[str]]  # lower-case name → values, in order

_FIELD_NAME = re.compile(rb"[!-9;-~]+")
_MESSAGE_ID = re.compile(r"<[^<>\s]+>")
_BOUNCING = frozenset({"mailer-daemon", "postmaster"})
_BULK = frozenset({"bulk", "list", "junk"})


def read_headers(head: bytes) -> dict[str, str | None]:
    """The columns of `mail__message` that come from a message's headers.

    Args:
        head: The message up to its first empty line, or further.

    Returns:
        message_id, thread_id (the thread's first message, as far as these headers tell), in_reply_to, references_ids
        (ids separated by a blank), from_address, to_addresses and cc_addresses (JSON lists), date (ISO 8601 UTC, NULL
        where it cannot be read), date_raw, subject_sha256, subject, is_auto_reply, is_bounce, is_newsletter.
    """
    headers = split_headers(head)
    # Who sent a message on need not have written it: without a readable author, it is set aside with that reason.
    author = "from" if _first(headers, "from") else "sender"
    sender = next(iter(read_addresses(headers.get(author, ()))), None)
    date_raw = _first(headers, "date")
    subject = _first(headers, "subject")
    subject = with_whole_characters(decode_words(subject).replace("\x00", "")) if subject else None
    references = " ".join(headers.get("references", ())).split()
    message_id, in_reply_to = _first(headers, "message-id"), _first(headers, "in-reply-to")
    return {
        "message_id": message_id,
        "thread_id": next(iter(references), None) or _first_id(in_reply_to) or message_id,
        "in_reply_to": in_reply_to,
        "references_ids": " ".join(references) or None,
        "from_address": sender,
        "to_addresses": json.dumps(read_addresses(headers.get("to", ()))),
        "cc_addresses": json.dumps(read_addresses(headers.get("cc", ()))),
        "date": read_date(date_raw) if date_raw else None,
        "date_raw": date_raw,
        "subject_sha256": hashlib.sha256(subject.encode("utf-8")).hexdigest() if subject is not None else None,
        "subject": subject,
        "is_auto_reply": _flag(_is_auto_reply(headers)),
        "is_bounce": _flag(_is_bounce(headers, sender)),
        "is_newsletter": _flag(_is_newsletter(headers)),
    }


def split_headers(head: bytes) -> Headers:
    """Unfold and decode the header lines up to the first empty line; lines that are not headers are skipped."""
    headers: Headers = {}
    values: list[str] | None = None
    for line in head.splitlines():
        if not line:
            break
        if line[:1] in b" \t":
            if values is not None:
                values[-1] = f"{values[-1]} {_decode(line).strip()}".strip()
            continue
        name, colon, value = line.partition(b":")
        name = name.rstrip()
        if not colon or not _FIELD_NAME.fullmatch(name):
            values = None  # an mbox "From " line, or garbage
            continue
        values = headers.setdefault(name.decode("ascii").lower(), [])
        values.append(_decode(value).strip())
    return headers


def _decode(line: bytes) -> str:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        text = line.decode("latin-1")  # every byte has a character there
    return text.replace("\x00", "")


def _first(headers: Headers, name: str) -> str | None:
    return next((value for value in headers.get(name, ()) if value), None)


def _first_id(text: str | None) -> str | None:
    """The first `<id>` of a header; old mail programs wrote words around it."""
    found = _MESSAGE_ID.search(text or "")
    return found[0] if found else None


def decode_words(text: str) -> str:
    """Decode RFC 2047 words (`=?utf-8?b?…?=`) and collapse white space; undecodable words stay as they are."""
    if "=?" in text:
        try:
            parts = decode_header(text)
            text = "".join(part if isinstance(part, str) else _decode_charset(part, charset) for part, charset in parts)
        except Exception:  # the standard library raises many kinds on malformed words; none of them may stop a load
            pass
    return " ".join(text.split())


def _decode_charset(part: bytes, charset: str | None) -> str:
    try:
        return part.decode(charset or "ascii")
    except (LookupError, UnicodeDecodeError):
        return _decode(part)


def read_date(text: str) -> str | None:
    """An RFC 2822 date, obsolete and broken forms included, as ISO 8601 UTC.

    A date without a zone counts as UTC; None where the date makes no sense.
    """
    try:
        parts = parsedate_tz(text)
        if parts is None:
            return None
        moment = datetime(*parts[:5], min(parts[5], 59), tzinfo=UTC).timestamp() - (parts[9] or 0)
        return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment > 0 else None
    except Exception:  # as above
        return None


def _is_auto_reply(headers: Headers) -> bool:
    submitted = (_first(headers, "auto-submitted") or "no").partition(";")[0].strip().lower()
    marked = any(name in headers for name in ("x-autoreply", "x-autorespond", "x-autoresponder"))
    return submitted not in ("no", "") or marked or _precedence(headers) == "auto_reply"


def _is_bounce(headers: Headers, sender: str | None) -> bool:
    content_type = (_first(headers, "content-type") or "").lower()
    is_report = content_type.startswith("multipart/report") and "delivery-status" in content_type
    return is_report or "x-failed-recipients" in headers or (sender or "").partition("@")[0] in _BOUNCING


def _is_newsletter(headers: Headers) -> bool:
    return "list-unsubscribe" in headers or "list-id" in headers or _precedence(headers) in _BULK


def _precedence(headers: Headers) -> str:
    return (_first(headers, "precedence") or "").lower()


def _flag(value: bool) -> str:
    return "true" if value else "false"
