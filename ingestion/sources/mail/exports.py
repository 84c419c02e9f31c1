"""Mail exported to files: mbox files, and folders of single messages, in the layouts that mail programs write.

<folder>/jane@acme.example.mbox           the mailbox jane@acme.example, as one mbox file; or without the ending
<folder>/jane@acme.example.mbox/mbox      the same as Apple Mail exports it
<folder>/bob@acme.example/Sent.mbox       mbox files of one mailbox, one per folder of it
<folder>/bob@acme.example/Inbox.sbd/Old   the same as Thunderbird keeps them, with or without an Inbox.msf beside Inbox
<folder>/bob@acme.example/**/0001.eml     single messages, whatever their names

What belongs here: which mailbox and folder a file stands for, and what of the export was not read. What does not: what
a file is (`file_kinds`).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

from ingestion.errors import MailboxUnreadable, contain
from ingestion.sources.mail.file_kinds import kind_of, without_length
from ingestion.sources.mail.maildir import read_beginning
from ingestion.sources.mail.mbox import is_mbox, read_mbox
from ingestion.sources.mail.messages import MESSAGES_AT_ONCE, Kept, MessageRow, Portion, mask, message_row, name_place

MBOX = ".mbox"
_ENDINGS = (MBOX, ".sbd")
_EXAMPLES = 5
_FIX = "Check SALESOPS_MAIL_EXPORTS, what lies in that folder (docs/mail.md), and its permissions."


def read_exports(folder: Path, cursor: Mapping[str, Any], kept: Kept) -> Iterator[Portion]:
    """The messages of every file that is new or has changed since the cursor.

    A changed file is re-read in full. A message is identified by its content, so a copy of a file, or a longer file
    that replaces it, brings only what is new. A file that cannot be read holds back no other.

    Args:
        folder: The folder described above.
        cursor: Place → size and modification time of the files there when last read.
        kept: What to store of a message.

    Raises:
        MailboxUnreadable: The folder cannot be read, or it holds no mail.
    """
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise _unreadable(folder, error) from None
    not_read: list[Path] = []
    found = 0
    for entry in entries:
        try:
            if entry.is_dir():
                found += 1
                yield from _read_mailbox(folder, entry, cursor, kept, not_read)
                continue
            kind = kind_of(entry)
            if kind == "mbox":
                found += 1
                yield from _read_contained(folder, entry, _read_mbox_file(entry, _mailbox(entry), None, cursor, kept))
            elif kind in ("message", "other"):
                not_read.append(entry)
        except OSError as error:
            found += 1
            yield Portion([], asked=0, failure=_unreadable(folder, error))
    if not found:
        raise MailboxUnreadable(
            "The folder of mail exports holds neither mbox files nor folders.", where=str(folder), fix=_FIX
        )
    if not_read:
        yield Portion([], asked=0, notice=_describe(folder, not_read))


def _describe(folder: Path, not_read: list[Path]) -> str:
    what = "1 file is" if len(not_read) == 1 else f"{len(not_read)} files are"
    shown = ", ".join(_shown(folder, path) for path in not_read[:_EXAMPLES])
    return (
        f"In the folder of mail exports {what} neither an mbox file nor a message in the folder of a mailbox, and not read: "
        f"{shown}{' …' if len(not_read) > _EXAMPLES else ''}. Export other formats (.pst, .olm, .msg) as mbox or .eml files."
    )


def _read_contained(folder: Path, path: Path, portions: Iterator[Portion]) -> Iterator[Portion]:
    """The portions of one file; where it cannot be read to its end, the last of them says why."""
    try:
        yield from portions
    except OSError as error:
        yield Portion([], asked=0, failure=_unreadable(folder, error))
    except Exception as error:
        failure = contain(
            error,
            "A file of the mail export was not read to its end; the others were.",
            where=_where(folder, path),
            fix="Until it is fixed, take the file out of the folder.",
        )
        yield Portion([], asked=0, failure=failure)


def _unreadable(folder: Path, error: OSError) -> MailboxUnreadable:
    path = Path(os.fsdecode(error.filename)) if isinstance(error.filename, (str, bytes)) else folder
    return MailboxUnreadable(
        f"A mail export cannot be read: {error.strerror or error}.", where=_where(folder, path), fix=_FIX
    )


def _where(folder: Path, path: Path) -> str:
    return f"{folder}/{_shown(folder, path)}" if path != folder and path.is_relative_to(folder) else str(folder)


def _shown(folder: Path, path: Path) -> str:
    """What may be shown of a path below the folder: folders and mbox files are named after addresses."""
    first, *rest = path.relative_to(folder).parts
    return "/".join([mask(first), *rest]).encode("utf-8", "backslashreplace").decode()


def _mailbox(entry: Path) -> str:
    """The mailbox that a file or folder stands for."""
    return _text(entry.stem if entry.suffix.lower() in _ENDINGS else entry.name)


def _folder_name(path: PurePath) -> str | None:
    """The folder of the mailbox that an mbox file stands for, given the file's path in the mailbox's folder."""
    if path.name.lower() == "mbox":  # Apple Mail: `Sent.mbox/mbox`
        path = path.parent
    names = [part[: -len(ending)] if (ending := _ending(part)) else part for part in path.parts]
    return _text("/".join(names)) or None


def _ending(name: str) -> str:
    return next((ending for ending in _ENDINGS if name.lower().endswith(ending) and name.lower() != ending), "")


def _text(name: str) -> str:
    """A file name as text that can be stored: bytes that are not UTF-8 are replaced."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _read_mbox_file(
    path: Path, mailbox: str, inside: PurePath | None, cursor: Mapping[str, Any], kept: Kept
) -> Iterator[Portion]:
    """The messages of an mbox file; `inside` is its path in the mailbox's folder, None where the file is all there is."""
    name, state = _folder_name(inside) if inside else None, _state(path)
    place = name_place("mbox", mailbox, name or "")
    if path.suffix.lower() != MBOX:  # `Sent` and `Sent.mbox` are two files of one folder
        place = name_place("mbox file", mailbox, str(inside or ""))
    if cursor.get(place) == state:
        return
    yield from _read_messages(path, mailbox, name, kept, place, state)


def _read_messages(
    path: Path, mailbox: str, name: str | None, kept: Kept, place: str = "", state: str | None = None
) -> Iterator[Portion]:
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


def _read_mailbox(
    exports: Path, folder: Path, cursor: Mapping[str, Any], kept: Kept, not_read: list[Path]
) -> Iterator[Portion]:
    mailbox, singles = _mailbox(folder), []
    stats = hashlib.blake2b(digest_size=16)
    for path in _list_files(folder):
        try:
            kind = kind_of(path)
            if kind == "mbox":
                inside = path.relative_to(folder)
                yield from _read_contained(exports, path, _read_mbox_file(path, mailbox, inside, cursor, kept))
            elif kind == "message":
                singles.append(path)
                stats.update(f"{path.relative_to(folder)}\0{_state(path)}\0".encode("utf-8", "replace"))
            elif kind == "other":
                not_read.append(path)
        except OSError as error:
            yield Portion([], asked=0, failure=_unreadable(exports, error))
    place, state = name_place("files", mailbox), stats.hexdigest()
    if not singles or cursor.get(place) == state:
        return
    has_failed = False
    for start in range(0, len(singles), MESSAGES_AT_ONCE):
        rows: list[MessageRow] = []
        for path in singles[start : start + MESSAGES_AT_ONCE]:
            for portion in _read_contained(exports, path, _read_single(path, mailbox, folder, kept)):
                rows += portion.rows
                if portion.failure:
                    has_failed = True
                    yield portion
        is_last = start + MESSAGES_AT_ONCE >= len(singles)
        yield Portion(rows, asked=len(rows), place=place, reached=state if is_last and not has_failed else None)


def _read_single(path: Path, mailbox: str, folder: Path, kept: Kept) -> Iterator[Portion]:
    """The file's message; its messages, where it is an mbox file by another name."""
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        content = read_beginning(file.fileno(), size, kept)
        file.seek(0)
        digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    if is_mbox(content):
        yield from _read_messages(path, mailbox, _folder_name(path.relative_to(folder).with_suffix("")), kept)
        return
    content, size = without_length(content, size)
    inside = path.parent.relative_to(folder).as_posix()
    row = message_row(
        content,
        message_key=f"file/{digest}",
        mailbox=mailbox,
        source="file",
        size=size,
        kept=kept,
        folder=None if inside == "." else _text(inside),
    )
    yield Portion([row], asked=1)


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
