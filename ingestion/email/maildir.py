"""Messages that lie in Maildirs, one folder per mailbox, named by its owner's address."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from ingestion.email.headers import read_headers
from ingestion.errors import MailboxUnreadable
from ingestion.landing import LandingReport, land
from storage.lake import Lake

MESSAGE_TABLE = "mail__message"
HEAD_BYTES = 8192
LARGEST_HEAD_BYTES = 1 << 20  # what comes after that is no header any mail server would have let through
COLUMNS = (
    "maildir_key",
    "mailbox",
    "message_id",
    "in_reply_to",
    "references_ids",
    "from_address",
    "to_addresses",
    "cc_addresses",
    "date",
    "date_raw",
    "subject_sha256",
    "is_auto_reply",
    "is_bounce",
    "is_newsletter",
    "size_bytes",
)


def ingest_maildir(folder: Path, lake: Lake, *, known_at: datetime, run_id: str) -> LandingReport:
    """Land the headers of every message that the lake does not hold yet. A message is known by mailbox and Maildir key and read once.

    Args:
        folder: A Maildir, or a folder of Maildirs.
        lake: The lake.
        known_at: The run's instant.
        run_id: The orchestrator's run.

    Raises:
        MailboxUnreadable: The folder is missing, holds no Maildir, or a message may not be read. Nothing landed.
    """
    held = lake.query(MESSAGE_TABLE, "select mailbox, maildir_key from lake")
    known = set(zip(held.column("mailbox").to_pylist(), held.column("maildir_key").to_pylist(), strict=True)) if held else set()
    columns: dict[str, list[str | None]] = {name: [] for name in COLUMNS}
    count = 0
    for mailbox, key, path in _list_messages(folder):
        if (mailbox, key) in known:
            continue
        message = _read_message(path)
        if message is None:
            continue
        head, size = message
        row = {"maildir_key": key, "mailbox": mailbox, "size_bytes": str(size), **read_headers(head)}
        for name, values in columns.items():
            values.append(row[name])
        count += 1
    previous = lake.newest_load(MESSAGE_TABLE)
    if not count:
        return LandingReport(MESSAGE_TABLE, cursor=previous.cursor if previous else None)
    return land(
        lake,
        MESSAGE_TABLE,
        pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()}),
        key=["mailbox", "maildir_key"],
        version_column="maildir_key",
        known_at=known_at,
        cursor=None,
        window=(None, None),
        source_count=count,
        run_id=run_id,
        record_time_column="date",
    )


def _list_messages(folder: Path) -> Iterator[tuple[str, str, str]]:
    """(mailbox, Maildir key, path) of every delivered message, in order of mailbox and key."""
    boxes = [folder] if _is_maildir(folder) else sorted(path for path in _children(folder) if _is_maildir(path))
    if not boxes:
        raise MailboxUnreadable(
            "There is no Maildir in the mail folder: none of its folders has cur/ and new/.",
            where=str(folder),
            fix="Point SALESOPS_MAILDIR at a Maildir, or at a folder with one Maildir per mailbox.",
        )
    for box in boxes:
        # The key is what comes before the flags: a message that is read or answered moves, and is the same message.
        found = [(_text(name.partition(":")[0]), f"{box}/{part}/{name}") for part in ("cur", "new") for name in _names(box / part)]
        for key, path in sorted(found):
            yield _text(box.name), key, path


def _is_maildir(path: Path) -> bool:
    return (path / "cur").is_dir() and (path / "new").is_dir()


def _children(folder: Path) -> Iterator[Path]:
    return (folder / name for name in _names(folder))


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        raise MailboxUnreadable(
            f"A mail folder cannot be read: {error.strerror or error}.", where=str(folder), fix="Check SALESOPS_MAILDIR and its permissions."
        ) from None


def _read_message(path: str) -> tuple[bytes, int] | None:
    """The message's head and its size; None where it was moved or deleted since it was listed: the next load sees it, or nobody does."""
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MailboxUnreadable(
            f"A message cannot be read: {error.strerror or error}. Nothing landed.", where=path, fix="Check the permissions of the mail folder."
        ) from None
    try:
        size = os.fstat(file).st_size
        head = os.read(file, HEAD_BYTES)
        while len(head) < min(size, LARGEST_HEAD_BYTES) and b"\n\n" not in head and b"\r\n\r\n" not in head:
            more = os.read(file, HEAD_BYTES * 8)
            if not more:
                break
            head += more
        return head, size
    finally:
        os.close(file)


def _text(name: str) -> str:
    """A file name as text that can be stored: bytes that are no UTF-8 are replaced."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
