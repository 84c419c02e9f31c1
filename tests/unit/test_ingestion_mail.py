"""Headers in any state, and Maildirs."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.errors import MailboxUnreadable
from ingestion.landing import LandingReport
from ingestion.sources.mail.addresses import read_addresses
from ingestion.sources.mail.bodies import read_text_part
from ingestion.sources.mail.headers import read_date, read_headers
from ingestion.sources.mail.ingest import ingest_maildir
from ingestion.sources.mail.tables import MESSAGE_TABLE
from storage.lake import Lake, LoadRecord
from storage.stamps import stamp_rows

PLAIN = b"""From: Jane Doe <Jane.Doe@Acme.example>
To: a@b.example,
\tBob <C@d.example>
Subject: Your
 proposal
Date: Mon, 05 Jan 2026 10:00:00 +0100
Message-ID: <1@acme.example>
In-Reply-To: <0@acme.example>
References: <-1@acme.example>
\t<0@acme.example>

From: not a header
"""


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["unix", "internet"])
def test_a_plain_message(newline: bytes) -> None:
    assert read_headers(PLAIN.replace(b"\n", newline)) == {
        "message_id": "<1@acme.example>",
        "thread_id": "<-1@acme.example>",
        "in_reply_to": "<0@acme.example>",
        "references_ids": "<-1@acme.example> <0@acme.example>",
        "from_address": "jane.doe@acme.example",
        "to_addresses": '["a@b.example", "c@d.example"]',
        "cc_addresses": "[]",
        "date": "2026-01-05T09:00:00Z",
        "date_raw": "Mon, 05 Jan 2026 10:00:00 +0100",
        "subject_sha256": sha("Your proposal"),
        "subject": "Your proposal",
        "is_auto_reply": "false",
        "is_bounce": "false",
        "is_newsletter": "false",
    }


@pytest.mark.parametrize(
    ("header", "addresses"),
    [
        (b'To: "Doe, Jane" <jane@acme.example>, bob@b.example', ["jane@acme.example", "bob@b.example"]),
        (b"To: =?utf-8?q?J=C3=B6rg?= <joerg@acme.example>", ["joerg@acme.example"]),
        (b"To: J\xf6rg <joerg@acme.example>", ["joerg@acme.example"]),
        (b"To: team: a@b.example, c@d.example;", ["a@b.example", "c@d.example"]),
        (b"To: a@b.example (home), A@B.example", ["a@b.example"]),
        (b"To: undisclosed-recipients:;", []),
        (b"To: <>", []),
        (b"To: 'jane@acme.example' <jane@acme.example>", ["jane@acme.example"]),
        (b"To: Jane @ Acme <jane@acme.example>", ["jane@acme.example"]),
        (b"To: jo@old.example <jane@acme.example>", ["jane@acme.example"]),
        (b"To: jane@acme.example via Offers <offers@own.example>", ["offers@own.example"]),
        (b"To: jane@acme.example via Offers", []),
        (b"To: Jane Doe jane@acme.example", []),
        (b"To: 'jane@acme.example'", []),
        (b'To: "jane@acme.example"', []),
        (b"To: Doe, Jane <jane@acme.example>", ["jane@acme.example"]),
        (b'To: "Jane <jane@acme.example>, bob@b.example', ["jane@acme.example", "bob@b.example"]),
        (b"To: Jane (Acme <jane@acme.example>", ["jane@acme.example"]),
        (b"To: Jane <jane@acme.example, Bob <bob@b.example>", ["bob@b.example"]),
        (b"To: J <j@old.example> <j@new.example>, bob@b.example", ["bob@b.example"]),
        (b'To: "J <j@old.example>" <j@new.example>', ["j@new.example"]),
        (b"To: =?utf-8?Q?Doe,_Jane_(x?= <jane@acme.example>", ["jane@acme.example"]),
        (b"To: =?utf-8?q?jane=40acme.example?=", []),
        (b"To: =?utf-8?q?jane?=@acme.example", []),
        (b"To: <@relay.example,@b.example:jane@acme.example>", ["jane@acme.example"]),
        (b"To: sales@own.example: a@b.example; c@d.example", ["a@b.example", "c@d.example"]),
        (b'To: "jane"@acme.example, "j d"@acme.example', ["jane@acme.example", '"j d"@acme.example']),
        (b"To: jane . doe @ acme . example (home (or not))", ["jane.doe@acme.example"]),
        (
            b"To: o'neil@acme.example, a..b@carrier.example, j@[192.0.2.1]",
            ["o'neil@acme.example", "a..b@carrier.example", "j@[192.0.2.1]"],
        ),
        (b"To: a@b@c.example, jane@, @acme.example, jane@acme.example., jane@-.example x", []),
        ("To: jörg@müller.example, ja\u200bne@acme.example".encode(), ["jörg@müller.example"]),
        (b"To: /o=ExchangeLabs/cn=jane, <jane>, mailer-daemon", []),
        (b"To: Jane <mailto:jane@acme.example>, MAILTO:bob@b.example", ["jane@acme.example", "bob@b.example"]),
        (b"To: a@b.example\nTo: c@d.example", ["a@b.example", "c@d.example"]),
    ],
)
def test_addresses(header: bytes, addresses: list[str]) -> None:
    assert json.loads(str(read_headers(header + b"\n\n")["to_addresses"])) == addresses


@pytest.mark.parametrize(
    ("head", "sender"),
    [
        (b"From: Jane <jane@acme.example>\nSender: list@own.example", "jane@acme.example"),
        (b"Sender: list@own.example", "list@own.example"),
        (b"From:\nSender: list@own.example", "list@own.example"),
        (b"From: jane@acme.example via List\nSender: list@own.example", None),
    ],
)
def test_who_sent_a_message_on_did_not_write_it(head: bytes, sender: str | None) -> None:
    assert read_headers(head + b"\n\n")["from_address"] == sender


LOCALS = st.from_regex(r"[a-z0-9'+_-]{1,8}(\.[a-z0-9]{1,5}){0,2}", fullmatch=True)
ADDRESSES = st.builds("{}@{}".format, LOCALS, st.from_regex(r"[a-z0-9]{1,8}(\.[a-z]{2,8}){1,2}", fullmatch=True))
# What people and programs put before the angle bracket: blanks, @, quotes, brackets that are never closed, other addresses.
NAMES = st.one_of(
    st.text("abJé .@'\u2019-_/*=?!&|[])\t", max_size=20),
    ADDRESSES,
    ADDRESSES.map("'{}'".format),
    ADDRESSES.map("{} via Offers".format),
)
QUOTED_NAMES = st.text("ab é.@',;:<>()[]", max_size=20).map('"{}"'.format)


@given(
    st.lists(st.tuples(st.one_of(NAMES, QUOTED_NAMES, st.just("(jo@x.example)")), ADDRESSES), min_size=1, max_size=4)
)
def test_what_stands_in_angle_brackets_is_the_address(entries: list[tuple[str, str]]) -> None:
    value = ", ".join(f"{name} <{address}>" for name, address in entries)
    assert read_addresses([value]) == list(dict.fromkeys(address for _, address in entries))


WORDS = st.one_of(
    ADDRESSES,
    LOCALS,
    st.sampled_from(["via", "<", ">", "<>", '"', "(", ")", ",", ";", ":", "[", "@", "'", "=?utf-8?q?a=40b.example?="]),
)


@given(st.lists(WORDS, max_size=12))
def test_no_address_is_put_together_from_words(words: list[str]) -> None:
    text = " ".join(words)
    spelled_out = {part for part in re.split(r"[\s<>\"(),;:\[\]]+", text)}
    for address in read_addresses([text]):
        local, _, domain = address.partition("@")
        assert (
            address in spelled_out
            or f"{local} @ {domain}" in text
            or f"{local}@ {domain}" in text
            or f"{local} @{domain}" in text
        )


@given(st.text(max_size=200) | st.text('<>"@.,;:()[]\\ab \n', max_size=400))
def test_any_header_gives_addresses_that_are_some(text: str) -> None:
    for address in read_addresses([text]):
        assert re.fullmatch(r'(?:"(?:[^"\\]|\\.)*"|[^\s"@]+)@[^\s@]+', address, re.DOTALL), address


@pytest.mark.parametrize("piece", ["<", '<"', '"\\', "(", "(a", "=?", "a@", '"<" <'])
def test_a_header_made_to_be_slow_is_not(piece: str) -> None:
    def least_time(length: int) -> float:
        def once() -> float:
            began = time.process_time()
            read_addresses([piece * length])
            return time.process_time() - began

        return min(once() for _ in range(3))

    # Four times the length; sixteen times the time would be quadratic.
    assert least_time(20_000) < 10 * max(least_time(5_000), 0.02)


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        (b"Subject: =?utf-8?b?QW5nZWJvdCBmw7xyIFpvw6s=?=", "Angebot für Zoë"),
        (b"Subject: =?iso-8859-1?q?Angebot_f=FCr?= =?iso-8859-1?q?_Zo=EB?=", "Angebot für Zoë"),
        (b"Subject: Angebot f\xfcr", "Angebot für"),
        ("Subject: Angebot für".encode(), "Angebot für"),
        (b"Subject: =?no-such-charset?q?hello?=", "hello"),
        (b"Subject: =?utf-8?b?broken", "=?utf-8?b?broken"),
    ],
)
def test_a_subject_has_one_hash_whatever_its_encoding(header: bytes, subject: str) -> None:
    assert read_headers(header + b"\n\n")["subject_sha256"] == sha(subject)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon, 05 Jan 2026 10:00:00 +0100", "2026-01-05T09:00:00Z"),
        ("5 Jan 2026 10:00:00 GMT", "2026-01-05T10:00:00Z"),
        ("Mon, 5 Jan 26 10:00 EST", "2026-01-05T15:00:00Z"),
        ("Mon, 05 Jan 2026 10:00:00 -0000 (comment)", "2026-01-05T10:00:00Z"),
        ("Mon, 05 Jan 2026 10:00:00", "2026-01-05T10:00:00Z"),
        ("Mon, 35 Jan 2026 10:00:00 +0000", None),
        ("Thu, 01 Jan 99999 00:00:00 +0000", None),
        ("yesterday", None),
    ],
)
def test_dates(text: str, expected: str | None) -> None:
    assert read_date(text) == expected


@pytest.mark.parametrize(
    ("header", "marked"),
    [
        (b"Auto-Submitted: auto-replied", "is_auto_reply"),
        (b"Auto-Submitted: no", None),
        (b"X-Autoreply: yes", "is_auto_reply"),
        (b"Content-Type: multipart/report; report-type=delivery-status; boundary=x", "is_bounce"),
        (b"From: MAILER-DAEMON@mx.example", "is_bounce"),
        (b"List-Unsubscribe: <mailto:x@y.example>", "is_newsletter"),
        (b"Precedence: bulk", "is_newsletter"),
        (b"Content-Type: multipart/report; report-type=disposition-notification", None),
    ],
)
def test_marks(header: bytes, marked: str | None) -> None:
    headers = read_headers(header + b"\n\n")
    assert [name for name in ("is_auto_reply", "is_bounce", "is_newsletter") if headers[name] == "true"] == (
        [marked] if marked else []
    )


@given(
    st.one_of(
        st.binary(max_size=300),
        st.text(max_size=200).map(lambda text: f"Subject: {text}\nDate: {text}\nFrom: {text}\nTo: {text}\n\n".encode()),
    )
)
def test_no_bytes_make_it_raise_and_every_value_can_be_stored(message: bytes) -> None:
    for value in read_headers(message).values():
        assert value is None or value.encode("utf-8") is not None


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for mailbox in ("jane@acme.example", "bob@acme.example"):
        for part in ("cur", "new", "tmp"):
            (tmp_path / "mail" / mailbox / part).mkdir(parents=True)
    return tmp_path / "mail"


def ingest(lake: Lake, folder: Path, day: int = 10) -> LandingReport:
    return ingest_maildir(folder, lake, known_at=datetime(2026, 1, day, tzinfo=UTC), run_id="run")


def test_messages_land_once_also_when_they_move(lake: Lake, folder: Path) -> None:
    new = folder / "jane@acme.example/new/1.M1P1.host"
    new.write_bytes(PLAIN)
    (folder / "bob@acme.example/cur/1.M1P1.host:2,S").write_bytes(PLAIN)
    (folder / "bob@acme.example/tmp/2.M1P1.host").write_bytes(PLAIN)  # not delivered yet
    assert ingest(lake, folder).landed == 2

    new.rename(folder / "jane@acme.example/cur/1.M1P1.host:2,RS")
    (folder / "jane@acme.example/new/3.M1P1.host").write_bytes(PLAIN)
    assert ingest(lake, folder, 11).landed == 1
    assert ingest(lake, folder, 12).version is None
    rows = lake.query(MESSAGE_TABLE, "select mailbox, message_key, size_bytes from lake order by all")
    assert rows is not None
    assert [tuple(row.values()) for row in rows.to_pylist()] == [
        ("bob@acme.example", "1.M1P1.host", str(len(PLAIN))),
        ("jane@acme.example", "1.M1P1.host", str(len(PLAIN))),
        ("jane@acme.example", "3.M1P1.host", str(len(PLAIN))),
    ]


def test_a_message_is_read_once(lake: Lake, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "jane@acme.example/cur/1:2,S").write_bytes(PLAIN)
    ingest(lake, folder)
    monkeypatch.setattr(
        "ingestion.sources.mail.maildir._read_message", lambda path: pytest.fail(f"{path} was read again")
    )
    assert ingest(lake, folder, 11).version is None


def test_a_lake_of_before_the_key_was_renamed_goes_on(lake: Lake, folder: Path) -> None:
    held = {"mailbox": "jane@acme.example", "maildir_key": "1.M1P1.host", "message_id": "<1@acme.example>"}
    known_at = datetime(2026, 1, 9, tzinfo=UTC)
    rows = stamp_rows(pa.Table.from_pylist([held]), load_id=f"{MESSAGE_TABLE}:000001:x", known_from=known_at)
    lake.commit(MESSAGE_TABLE, rows, LoadRecord(f"{MESSAGE_TABLE}:000001:x", known_at.isoformat(), 1, 1))
    for key in ("1.M1P1.host", "2.M1P1.host"):
        (folder / f"jane@acme.example/cur/{key}:2,S").write_bytes(PLAIN)
    report = ingest(lake, folder)
    assert (report.source_count, report.landed) == (1, 1)
    found = lake.query(MESSAGE_TABLE, "select maildir_key, message_key from lake order by all")
    assert found is not None
    assert [tuple(row.values()) for row in found.to_pylist()] == [("1.M1P1.host", None), (None, "2.M1P1.host")]


def test_subfolders_of_a_maildir_are_read_and_named(lake: Lake, folder: Path) -> None:
    for part in ("cur", "new", "tmp"):
        (folder / "jane@acme.example/.Sent.2026" / part).mkdir(parents=True)
    (folder / "jane@acme.example/cur/1:2,S").write_bytes(PLAIN)
    (folder / "jane@acme.example/.Sent.2026/cur/1:2,S").write_bytes(PLAIN)
    assert ingest(lake, folder).landed == 2
    rows = lake.query(MESSAGE_TABLE, "select message_key, folder from lake order by all")
    assert rows is not None
    assert [tuple(row.values()) for row in rows.to_pylist()] == [("1", None), ("Sent.2026/1", "Sent.2026")]
    assert ingest(lake, folder, 11).version is None


def test_no_column_holds_subject_or_body(lake: Lake, folder: Path) -> None:
    (folder / "jane@acme.example/cur/1:2,S").write_bytes(PLAIN)
    ingest(lake, folder)
    rows = lake.query(MESSAGE_TABLE, "select * from lake")
    assert rows is not None
    assert "proposal" not in str(rows.to_pylist())
    assert "not a header" not in str(rows.to_pylist())


def test_headers_longer_than_one_read_are_read_whole(lake: Lake, folder: Path) -> None:
    (folder / "jane@acme.example/cur/1:2,S").write_bytes(b"X-Trace: " + b"x" * 50_000 + b"\n" + PLAIN)
    ingest(lake, folder)
    rows = lake.query(MESSAGE_TABLE, "select message_id from lake")
    assert rows is not None
    assert rows.to_pylist() == [{"message_id": "<1@acme.example>"}]


def test_a_single_maildir_is_one_mailbox(lake: Lake, folder: Path) -> None:
    (folder / "jane@acme.example/cur/1:2,S").write_bytes(PLAIN)
    assert ingest(lake, folder / "jane@acme.example").landed == 1


@pytest.mark.parametrize("name", ["nowhere", "empty", "file"])
def test_a_folder_without_mail_is_reported(lake: Lake, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(MailboxUnreadable) as caught:
        ingest(lake, tmp_path / name)
    assert "SALESOPS_MAILDIR" in caught.value.fix
    assert lake.tables() == []


def test_a_message_without_sender_or_date_is_set_aside(lake: Lake, folder: Path) -> None:
    (folder / "jane@acme.example/cur/1").write_bytes(b"To: a@b.example\nDate: yesterday\n\n")
    report = ingest(lake, folder)
    assert (report.landed, report.set_aside) == (0, 1)
    rows = lake.query(MESSAGE_TABLE, "select _broken_rules, date_raw from lake")
    assert rows is not None
    assert rows.to_pylist() == [{"_broken_rules": "from_address_is_required;date_is_required", "date_raw": "yesterday"}]


def test_every_message_of_the_reference_data_lands_or_is_set_aside(
    lake: Lake, folder: Path, reference_data: Path
) -> None:
    files = [path for path in sorted((reference_data / "mail").rglob("*")) if path.is_file() and path.name != "LICENSE"]
    assert len(files) >= 144
    for number, path in enumerate(files):
        (folder / f"jane@acme.example/cur/{number}:2,S").write_bytes(path.read_bytes())
    report = ingest(lake, folder)
    assert report.source_count == len(files)
    assert report.landed >= 120
    assert report.set_aside <= 24


def test_half_an_emoji_in_a_subject_or_body_is_replaced() -> None:
    assert read_headers(b"Subject: =?utf-7?Q?cut_+2D0-?=\r\n\r\n")["subject"] == "cut \ufffd"
    assert read_text_part(b"Content-Type: text/plain; charset=utf-7\r\n\r\ncut +2D0-") == "cut \ufffd"


def test_what_is_no_maildir_is_named_without_its_owner(lake: Lake, folder: Path) -> None:
    (folder / "jane@acme.example/cur/1:2,S").write_bytes(PLAIN)
    (folder / "carol@acme.example").mkdir()
    (folder / "Inbox").write_bytes(PLAIN)
    report = ingest(lake, folder)
    assert report.landed == 1
    assert "2 entries are no Maildirs" in report.notice
    assert "c***@acme.example" in report.notice
    assert "carol" not in report.notice


def test_a_mailbox_that_cannot_be_read_holds_back_no_other(
    lake: Lake, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for mailbox in ("bob@acme.example", "jane@acme.example"):
        (folder / mailbox / "cur/1:2,S").write_bytes(PLAIN)
    opened = os.open

    def refuse(path: str, flags: int) -> int:
        if "bob@" in str(path):
            raise PermissionError(13, "Permission denied", path)
        return opened(path, flags)

    monkeypatch.setattr("ingestion.sources.mail.maildir.os.open", refuse)
    with pytest.raises(MailboxUnreadable, match="1 messages"):
        ingest(lake, folder)
    rows = lake.query(MESSAGE_TABLE, "select mailbox from lake")
    assert rows is not None
    assert rows.to_pylist() == [{"mailbox": "jane@acme.example"}]
