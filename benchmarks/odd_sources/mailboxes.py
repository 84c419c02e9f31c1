"""A mailbox as a mail program exports it, with headers as people's programs write them."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.header import Header
from email.utils import format_datetime
from pathlib import Path

from benchmarks.odd_sources.outcome import Fault, Outcome
from ingestion.sources.mail.ingest import ingest_mail
from ingestion.sources.mail.tables import MESSAGE_TABLE
from ingestion.sources.settings import load_settings
from storage.lake import BROKEN_RULES, Lake

OWNER = "jane@acme.example"
_NAMES = ("", "Bob", '"Edwards, Bob"', "Bob (EMEA)", "Zoë Ångström", '"bob@other.example"', "B. O'Neil")


@dataclass
class Mailbox:
    """Messages and what they say.

    Attributes:
        layout: How they lie on disk.
        number: Its own number.
        messages: Their text, by message id.
        truth: Sender and recipients, by message id.
        odd: Message ids that must be set aside.
        others: Files beside them that hold no mail.
    """

    layout: str
    number: int = 0
    messages: dict[str, str] = field(default_factory=dict)
    truth: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    odd: set[str] = field(default_factory=set)
    others: list[str] = field(default_factory=list)


def draw_mailbox(chance: random.Random, number: int) -> Mailbox:
    """Draw a mailbox; `number` keeps its message ids apart from those of others."""
    box = Mailbox(chance.choice(("mbox", "mbox without ending", "maildir", "eml", "emlx", "eml in folders")), number)
    for place in range(chance.randint(1, 8)):
        key = f"<{number}.{place}@acme.example>"
        sender = f"bob{place}@b.example"
        to = tuple(f"r{each}@c.example" for each in range(chance.randint(1, 3)))
        at = datetime(2026, chance.randint(1, 12), chance.randint(1, 28), 9, 30, place, tzinfo=UTC)
        lines = [
            f"From: {_mailbox(chance, sender)}",
            f"To: {_list(chance, to)}",
            f"Date: {format_datetime(at)}",
            f"Message-ID: {key}",
            f"Subject: {chance.choice(('Hello', Header('Grüße aus Øst', 'utf-8').encode(), 'Fwd: From here'))}",
        ]
        if chance.random() < 0.15:
            odd = chance.choice((0, 2))
            lines[odd] = ("From: undisclosed sender", "", "Date: yesterday")[odd]
            box.odd.add(key)
        else:
            box.truth[key] = (sender, to)
        body = chance.choice(("hello", "From the start\n\nFrom: nobody@x.example\n", ">From quoted\n", ""))
        box.messages[key] = "\n".join([*lines, "", body, ""])
    if chance.random() < 0.3 and box.layout != "maildir":
        box.others = chance.sample(["notes.docx", "archive.pst", ".DS_Store", "Inbox.msf"], 2)
    return box


def land_mailbox(lake: Lake, box: Mailbox, folder: Path, *, known_at: datetime) -> Outcome:
    """Write the mailbox, land it twice, and compare.

    Raises:
        Fault: A message was lost, or differs, or a file was left out without a word.
    """
    _write(box, folder)
    kind = {"maildir": folder} if box.layout == "maildir" else {"mail_exports": folder}
    settings = load_settings(_env_file=None, **kind)
    report = ingest_mail(settings, lake, known_at=known_at, run_id="drawn")
    if report.source_count != len(box.messages):
        raise Fault(f"{report.source_count} of {len(box.messages)} messages were read: {box.layout}")
    unread = sum(name in ("notes.docx", "archive.pst") for name in box.others)
    if unread and f"{unread} file" not in report.notice:
        raise Fault(f"{box.others} are left out without a word: '{report.notice}'")
    again = ingest_mail(settings, lake, known_at=known_at + timedelta(minutes=1), run_id="drawn")
    if again.landed:
        raise Fault(f"{again.landed} messages landed twice")
    rows = lake.query(MESSAGE_TABLE, "from lake")
    held = {str(row["message_id"]): row for row in rows.to_pylist()} if rows else {}
    for key, (sender, to) in box.truth.items():
        row = held.get(key) or held.get(key.strip("<>"))
        if row is None or row[BROKEN_RULES]:
            raise Fault(f"{key} is lost or set aside: {row}")
        if row["from_address"] != sender or tuple(json.loads(row["to_addresses"] or "[]")) != to:
            raise Fault(
                f"{key} is from {row['from_address']} to {row['to_addresses']}, not {sender} {to}:\n{box.messages[key]}"
            )
    for key in box.odd:
        row = held.get(key) or held.get(key.strip("<>"))
        if row is None or not row[BROKEN_RULES]:
            raise Fault(f"the odd message {key} was not set aside: {row}\n{box.messages[key]}")
    return Outcome("mailbox", len(box.truth), len(box.odd))


def _mailbox(chance: random.Random, address: str) -> str:
    name = chance.choice(_NAMES)
    if not name:
        return chance.choice((address, f"<{address}>", f"{address} (Bob)"))
    if not name.isascii():
        name = Header(name, "utf-8").encode()
    return f"{name} <{address}>"


def _list(chance: random.Random, addresses: tuple[str, ...]) -> str:
    shown = f"{chance.choice((',', ', ', ',' + chr(10) + ' '))}".join(_mailbox(chance, each) for each in addresses)
    return f"Team: {shown};" if chance.random() < 0.1 else shown


def _write(box: Mailbox, folder: Path) -> None:
    texts = list(box.messages.values())
    if box.layout.startswith("mbox"):
        name = f"{OWNER}.mbox" if box.layout == "mbox" else OWNER
        quoted = (
            "\n".join(f">{line}" if line.startswith("From ") else line for line in text.split("\n")) for text in texts
        )
        (folder / name).write_text("".join(f"From x@y.example Mon Jan  5 10:00:00 2026\n{text}\n" for text in quoted))
    elif box.layout == "maildir":
        for part in ("cur", "new", "tmp"):
            (folder / OWNER / part).mkdir(parents=True)
        for place, text in enumerate(texts):
            (folder / OWNER / "cur" / f"{box.number}.{place}.host:2,S").write_text(text)
    else:
        inner = folder / OWNER / ("Inbox" if box.layout == "eml in folders" else "")
        inner.mkdir(parents=True)
        for place, text in enumerate(texts):
            if box.layout == "emlx":
                (inner / f"{place}.emlx").write_text(f"{len(text.encode())}\n{text}<?xml version='1.0'?><plist/>")
            else:
                (inner / f"{place}.eml").write_text(text)
    beside = folder if box.layout.startswith("mbox") else folder / OWNER
    for name in box.others:
        (beside / name).write_bytes(b"\xd0\xcf\x11\xe0 no mail")
