"""The new messages of one folder on an IMAP server: by UID under UIDVALIDITY, headers only unless bodies are kept.

`SINCE` is not used: it filters by the day on which the server stored a message, in the server's own zone. Flags are not
read: reading or answering a message does not make it another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from imapclient import IMAPClient

from ingestion.errors import CountMismatch
from ingestion.sources.mail.imap import ImapMailbox, OpenFolder
from ingestion.sources.mail.messages import (
    LARGEST_BODY_BYTES,
    MESSAGES_AT_ONCE,
    Kept,
    MessageRow,
    Portion,
    message_row,
    name_place,
)

UIDS_AT_ONCE = 50_000  # an answer is one line, and Python's IMAP reader refuses lines of a million bytes
_FACTS = ("RFC822.SIZE", "INTERNALDATE")


def read_folder(server: ImapMailbox, wanted: str, cursor: Mapping[str, Any], kept: Kept) -> Iterator[Portion]:
    r"""The messages that came since the cursor; all of them if the server renumbered the folder.

    Args:
        server: The mailbox.
        wanted: The folder's name, or its use (`\Sent`).
        cursor: Place → UIDVALIDITY and highest UID that landed.
        kept: What to store of a message.

    Raises:
        MailSignInError: The server refused the credentials.
        MailServerUnreachable: It does not answer.
        MailServerRefused: It has no such folder.
        CountMismatch: It lists messages that it does not deliver.
    """
    name = server.find_folder(wanted)
    if name is None:
        yield Portion([], asked=0, notice=f"A mailbox has no folder for {wanted}: nothing to read there.")
        return
    folder = server.open_folder(name)
    place = name_place("imap", server.address, name)
    before = cursor.get(place) or {}
    is_renumbered = bool(before) and before["uidvalidity"] != folder.validity
    reached = 0 if is_renumbered else int(before.get("uid", 0))
    if is_renumbered:
        yield Portion(
            [], asked=0, notice="A mail server numbered a folder's messages anew: it was read from its beginning."
        )
    if folder.count == 0 or (folder.next_uid is not None and folder.next_uid <= reached + 1):
        return
    uids = _list_uids(server, folder, reached)
    for start in range(0, len(uids), MESSAGES_AT_ONCE):
        asked = uids[start : start + MESSAGES_AT_ONCE]
        found = _fetch(server, asked, kept)
        rows = [_row(folder, server.address, uid, found[uid], kept) for uid in asked if uid in found]
        yield Portion(
            rows, len(asked), len(asked) - len(rows), place, {"uidvalidity": folder.validity, "uid": asked[-1]}
        )


def _list_uids(server: ImapMailbox, folder: OpenFolder, reached: int) -> list[int]:
    """The UIDs above `reached`, ascending.

    A large folder is listed in slices from its end to its beginning. If messages are deleted meanwhile, those above
    move down into a slice that is still to be listed, never into one that already was.
    """
    found: set[int] = set()
    last = ((max(folder.count, 1) - 1) // UIDS_AT_ONCE) * UIDS_AT_ONCE + 1
    for first in range(last, 0, -UIDS_AT_ONCE):
        end = "*" if first == last else str(first + UIDS_AT_ONCE - 1)
        criteria = ["UID", f"{reached + 1}:*"] if last == 1 else [f"{first}:{end}", "UID", f"{reached + 1}:*"]
        found.update(server.ask(lambda client, criteria=criteria: client.search(criteria)))  # type: ignore[misc]
    return sorted(uid for uid in found if uid > reached)  # `n:*` gives the last message even if its UID is below n


def _fetch(server: ImapMailbox, uids: list[int], kept: Kept) -> dict[int, dict[bytes, Any]]:
    """The server's data on the messages still there; a message that is listed but not delivered is requested again."""
    found = _fetch_once(server, uids, kept)
    if missing := _still_listed(server, uids, found):
        found |= _fetch_once(server, missing, kept)
        if missing := _still_listed(server, missing, found):
            raise CountMismatch(
                f"The mail server lists {len(missing)} messages that it does not deliver. They and what comes after them wait for the next run.",
                where=server.where,
                fix="Run again; if it repeats, have the mailbox repaired on the server.",
            )
    return found


def _fetch_once(server: ImapMailbox, uids: list[int], kept: Kept) -> dict[int, dict[bytes, Any]]:
    part = f"BODY.PEEK[]<0.{LARGEST_BODY_BYTES}>" if kept.bodies else "BODY.PEEK[HEADER]"
    answer = server.ask(lambda client: client.fetch(uids, [*_FACTS, part]))
    return {uid: facts for uid, facts in answer.items() if _content(facts) is not None}


def _still_listed(server: ImapMailbox, uids: list[int], found: Mapping[int, Any]) -> list[int]:
    missing = [uid for uid in uids if uid not in found]
    if not missing:
        return []

    def look(client: IMAPClient) -> list[int]:
        client.noop()  # lets the server report deletions
        return list(client.search(["UID", ",".join(map(str, missing))]))

    listed = set(server.ask(look))
    return [uid for uid in missing if uid in listed]


def _content(facts: Mapping[bytes, Any]) -> bytes | None:
    for name, value in facts.items():
        if name.startswith(b"BODY[") and value is not None:
            return bytes(value)
    return None


def _row(folder: OpenFolder, mailbox: str, uid: int, facts: Mapping[bytes, Any], kept: Kept) -> MessageRow:
    content = _content(facts) or b""
    received = facts.get(b"INTERNALDATE")
    return message_row(
        content,
        message_key=f"imap/{folder.name}/{folder.validity}/{uid}",
        mailbox=mailbox,
        source="imap",
        size=int(facts.get(b"RFC822.SIZE") or len(content)),
        kept=kept,
        folder=folder.name,
        received_at=received.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(received, datetime) else None,
    )
