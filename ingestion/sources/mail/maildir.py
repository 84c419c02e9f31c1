"""Messages in Maildirs, one folder per mailbox, named after its owner's address."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ingestion.errors import MailboxUnreadable
from ingestion.sources.mail.messages import (
    HEAD_BYTES,
    LARGEST_BODY_BYTES,
    LARGEST_HEAD_BYTES,
    MESSAGES_AT_ONCE,
    Kept,
    MessageRow,
    Portion,
    mask,
    message_row,
)
from storage.lake import Lake

_EXAMPLES = 5


def read_maildirs(folder: Path, known: set[tuple[str, str]], kept: Kept) -> Iterator[Portion]:
    """The messages not known yet. Mailbox and Maildir key identify a message whatever its flags, so it is read once.

    A mailbox that cannot be read holds back no other.

    Args:
        folder: A Maildir, or a folder of Maildirs.
        known: (mailbox, message key) of the messages in the lake.
        kept: What to store of a message.

    Raises:
        MailboxUnreadable: The folder is missing or holds no Maildir.
    """
    for box in _list_mailboxes(folder):
        try:
            yield from _read_mailbox(box, known, kept)
        except MailboxUnreadable as error:
            yield Portion([], asked=0, failure=error)
    if others := _list_others(folder):
        what = "1 entry is no Maildir" if len(others) == 1 else f"{len(others)} entries are no Maildirs"
        shown = ", ".join(map(mask, others[:_EXAMPLES])) + (" …" if len(others) > _EXAMPLES else "")
        notice = f"In the mail folder {what} and not read: {shown}. SALESOPS_MAIL_EXPORTS reads mbox and .eml files."
        yield Portion([], asked=0, notice=notice)


def _read_mailbox(box: Path, known: set[tuple[str, str]], kept: Kept) -> Iterator[Portion]:
    fresh = (found for found in _list_messages(box) if found[:2] not in known)
    while listed := list(islice(fresh, MESSAGES_AT_ONCE)):
        rows: list[MessageRow] = []
        for mailbox, key, subfolder, path in listed:
            message = _read_message(path, mailbox, kept)
            if message is None:
                continue
            content, size = message
            rows.append(
                message_row(
                    content, message_key=key, mailbox=mailbox, source="maildir", size=size, kept=kept, folder=subfolder
                )
            )
        yield Portion(rows, asked=len(listed), gone=len(listed) - len(rows))


def count_maildirs(folder: Path) -> int:
    """Count the mailboxes in a folder, without reading a message.

    Raises:
        MailboxUnreadable: The folder is missing or holds no Maildir.
    """
    return len(_list_mailboxes(folder))


def list_known(lake: Lake, table: str) -> set[tuple[str, str]]:
    """(mailbox, message key) of every Maildir message in the lake, quarantined ones included."""
    opened = lake.query(table, "select * from lake limit 0")
    if opened is None:
        return set()
    # Until version 0.1 the column was named after Maildir, then the only source.
    names = [name for name in ("message_key", "maildir_key") if name in opened.column_names]
    only = "where source is null or source = 'maildir'" if "source" in opened.column_names else ""
    held = lake.query(table, f"select mailbox, coalesce({', '.join(names)}) as message_key from lake {only}")
    return (
        set(zip(held.column("mailbox").to_pylist(), held.column("message_key").to_pylist(), strict=True))
        if held
        else set()
    )


def _list_messages(box: Path) -> Iterator[tuple[str, str, str | None, str]]:
    """(mailbox, message key, folder in the mailbox, path) of every delivered message, in order of folder and key."""
    # Maildir++: a subfolder is a Maildir of its own whose name begins with a dot.
    subfolders = sorted(path for path in _children(box, hidden=True) if _is_maildir(path))
    for part in (box, *subfolders):
        name = None if part == box else _text(part.name.lstrip("."))
        # The key comes before the flags: reading or answering a message moves its file and leaves its key.
        found = [
            (_text(entry.partition(":")[0]), f"{part}/{state}/{entry}")
            for state in ("cur", "new")
            for entry in _names(part / state)
        ]
        for key, path in sorted(found):
            yield _text(box.name), f"{name}/{key}" if name else key, name, path


def _list_others(folder: Path) -> list[str]:
    """Names in the folder of Maildirs that are no Maildir."""
    if _is_maildir(folder):
        return []
    return sorted(_text(path.name) for path in _children(folder) if not _is_maildir(path))


def _list_mailboxes(folder: Path) -> list[Path]:
    boxes = [folder] if _is_maildir(folder) else sorted(path for path in _children(folder) if _is_maildir(path))
    if not boxes:
        raise MailboxUnreadable(
            "There is no Maildir in the mail folder: none of its folders has cur/ and new/.",
            where=str(folder),
            fix="Point SALESOPS_MAILDIR at a Maildir, or at a folder with one Maildir per mailbox.",
        )
    return boxes


def _is_maildir(path: Path) -> bool:
    return (path / "cur").is_dir() and (path / "new").is_dir()


def _children(folder: Path, *, hidden: bool = False) -> Iterator[Path]:
    return (folder / name for name in _names(folder, hidden=hidden))


def _names(folder: Path, *, hidden: bool = False) -> list[str]:
    try:
        return [path.name for path in folder.iterdir() if path.name.startswith(".") == hidden]
    except OSError as error:
        raise MailboxUnreadable(
            f"A mail folder cannot be read: {error.strerror or error}.",
            where=f"SALESOPS_MAILDIR, mailbox {mask(folder.parent.name)}"
            if folder.name in ("cur", "new")
            else str(folder),
            fix="Check SALESOPS_MAILDIR and its permissions.",
        ) from None


def _read_message(path: str, mailbox: str, kept: Kept) -> tuple[bytes, int] | None:
    """The message's beginning and size; None if it has moved or gone since listing: the next load sees a moved one."""
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MailboxUnreadable(
            f"A message cannot be read: {error.strerror or error}.",
            where=f"SALESOPS_MAILDIR, mailbox {mask(mailbox)}, file {Path(path).name}",
            fix="Check the permissions of the mail folder.",
        ) from None
    try:
        size = os.fstat(file).st_size
        return read_beginning(file, size, kept), size
    finally:
        os.close(file)


def read_beginning(file: int, size: int, kept: Kept) -> bytes:
    """As much of an open message file as is needed: its head and, if bodies are kept, what may hold the text part."""
    content = os.read(file, HEAD_BYTES)
    while len(content) < min(size, LARGEST_HEAD_BYTES):
        is_head_read = b"\n\n" in content or b"\r\n\r\n" in content
        if is_head_read and (not kept.bodies or len(content) >= LARGEST_BODY_BYTES):
            break
        more = os.read(file, HEAD_BYTES * 8)
        if not more:
            break
        content += more
    return content


def _text(name: str) -> str:
    """A file name as text that can be stored: bytes that are not UTF-8 are replaced."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
