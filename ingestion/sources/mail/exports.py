"""Mail exported to files: mbox files, and folders of single messages.

<folder>/jane@acme.example.mbox           the mailbox jane@acme.example, as one mbox file
<folder>/bob@acme.example/Sent.mbox       mbox files of one mailbox, one per folder of it
<folder>/bob@acme.example/**/0001.eml     single messages, whatever their names
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ingestion.errors import MailboxUnreadable
from ingestion.sources.mail.maildir import read_beginning
from ingestion.sources.mail.mbox import read_mbox
from ingestion.sources.mail.messages import MESSAGES_AT_ONCE, Kept, MessageRow, Portion, mask, message_row, name_place

MBOX = ".mbox"
_FIX = "Check SALESOPS_MAIL_EXPORTS, what lies in that folder (docs/mail.md), and its permissions."


def read_exports(folder: Path, cursor: Mapping[str, Any], kept: Kept) -> Iterator[Portion]:
    """The messages of every file that is new or has changed since the cursor.

    A changed file is re-read in full. A message is identified by its content, so a copy of a file, or a longer file
    that replaces it, brings only what is new.

    Args:
        folder: The folder described above.
        cursor: Place → size and modification time of the files there when last read.
        kept: What to store of a message.

    Raises:
        MailboxUnreadable: The folder or a file in it cannot be read, or it holds no mail.
    """
    found = passed_over = 0
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
        for entry in entries:
            if entry.is_dir():
                found += 1
                yield from _read_mailbox(entry, cursor, kept)
            elif entry.suffix.lower() == MBOX:
                found += 1
                yield from _read_mbox_file(entry, entry.stem, None, cursor, kept)
            else:
                passed_over += 1
    except OSError as error:
        raise MailboxUnreadable(
            f"A mail export cannot be read: {error.strerror or error}.", where=_where(folder, error), fix=_FIX
        ) from None
    if not found:
        raise MailboxUnreadable(
            "The folder of mail exports holds neither .mbox files nor folders.", where=str(folder), fix=_FIX
        )
    if passed_over:
        what = "1 file is" if passed_over == 1 else f"{passed_over} files are"
        yield Portion(
            [],
            asked=0,
            notice=f"In the folder of mail exports {what} neither .mbox nor in the folder of a mailbox, and not read.",
        )


def _where(folder: Path, error: OSError) -> str:
    """The folder, and what may be shown of the path below it: folders and mbox files are named after addresses."""
    path = Path(os.fsdecode(error.filename)) if isinstance(error.filename, (str, bytes)) else folder
    inside = path.relative_to(folder).parts if path.is_relative_to(folder) else ()
    return "/".join([str(folder), *([mask(inside[0]), *inside[1:]] if inside else [])])


def _read_mbox_file(
    path: Path, mailbox: str, name: str | None, cursor: Mapping[str, Any], kept: Kept
) -> Iterator[Portion]:
    place, state = name_place("mbox", mailbox, name or ""), _state(path)
    if cursor.get(place) == state:
        return
    rows: list[MessageRow] = []
    with path.open("rb", buffering=1 << 20) as file:
        for message in read_mbox(file):
            row = message_row(
                bytes(message.content),
                message_key=f"mbox/{message.digest}",
                mailbox=mailbox,
                source="mbox",
                size=message.size,
                kept=kept,
                folder=name,
            )
            rows.append(row)
            if len(rows) == MESSAGES_AT_ONCE:
                yield Portion(rows, asked=len(rows))
                rows = []
    yield Portion(rows, asked=len(rows), place=place, reached=state)


def _read_mailbox(folder: Path, cursor: Mapping[str, Any], kept: Kept) -> Iterator[Portion]:
    mailbox, files = folder.name, _list_files(folder)
    singles = [path for path in files if path.suffix.lower() != MBOX]
    for path in files:
        if path.suffix.lower() == MBOX:
            yield from _read_mbox_file(path, mailbox, path.relative_to(folder).with_suffix("").as_posix(), cursor, kept)
    stats = hashlib.blake2b(digest_size=16)
    for path in singles:
        stats.update(f"{path.relative_to(folder)}\0{_state(path)}\0".encode("utf-8", "replace"))
    place, state = name_place("files", mailbox), stats.hexdigest()
    if not singles or cursor.get(place) == state:
        return
    for start in range(0, len(singles), MESSAGES_AT_ONCE):
        paths = singles[start : start + MESSAGES_AT_ONCE]
        rows = [_read_single(path, mailbox, folder, kept) for path in paths]
        yield Portion(
            rows, asked=len(paths), place=place, reached=state if start + MESSAGES_AT_ONCE >= len(singles) else None
        )


def _read_single(path: Path, mailbox: str, folder: Path, kept: Kept) -> MessageRow:
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        content = read_beginning(file.fileno(), size, kept)
        file.seek(0)
        digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    inside = path.parent.relative_to(folder).as_posix()
    return message_row(
        content,
        message_key=f"file/{digest}",
        mailbox=mailbox,
        source="file",
        size=size,
        kept=kept,
        folder=None if inside == "." else inside,
    )


def _list_files(folder: Path) -> list[Path]:
    found: list[Path] = []
    for parent, folders, names in os.walk(folder, onerror=_raise):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(parent, name) for name in names if not name.startswith(".")]
    return sorted(found)


def _raise(error: OSError) -> None:
    raise error


def _state(path: Path) -> str:
    stat = path.stat()
    return f"{stat.st_size}:{stat.st_mtime_ns}"
