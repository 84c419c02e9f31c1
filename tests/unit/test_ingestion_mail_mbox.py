"""Where one message of an mbox file ends and the next begins."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.sources.mail.file_kinds import kind_of
from ingestion.sources.mail.mbox import LINE_BYTES, read_mbox

FROM = b"From jane@acme.example  Mon Jan  5 10:00:00 2026\n"
HEAD = b"From: jane@acme.example\nMessage-ID: <1@x>\n\n"


def split(content: bytes) -> list[bytes]:
    return [bytes(message.content) for message in read_mbox(BytesIO(content))]


@pytest.mark.parametrize(
    ("content", "messages"),
    [
        (b"", []),
        (b"\n\n", []),
        (FROM + HEAD + b"hi\n", [HEAD + b"hi\n"]),
        (FROM + HEAD + b"hi\n\n" + FROM + HEAD + b"ho\n\n", [HEAD + b"hi\n", HEAD + b"ho\n"]),
        (FROM + HEAD + b"x\n" + FROM, [HEAD + b"x\n" + FROM]),
        (
            FROM + HEAD + b"x\n\nFrom 10:00 on it was fine, in 2026\n",
            [HEAD + b"x\n\nFrom 10:00 on it was fine, in 2026\n"],
        ),
        (
            FROM + HEAD + b"x\n\n>From jane  Mon Jan  5 10:00:00 2026\n",
            [HEAD + b"x\n\n>From jane  Mon Jan  5 10:00:00 2026\n"],
        ),
        (b"From luc\xed at x.example  Mon Nov  7 18:44:27 2016\n" + HEAD + b"x\n", [HEAD + b"x\n"]),
        (b"From 17@xxx Mon Jan 05 10:00:00 +0000 2026\n" + HEAD + b"x\n", [HEAD + b"x\n"]),
        (HEAD + b"no separator\n", [HEAD + b"no separator\n"]),
        (
            (b"From \n" + HEAD + b"hi\n\nFrom \nhere it goes on\n\nFrom \n" + HEAD).replace(b"\n", b"\r\n"),
            [(HEAD + b"hi\n\nFrom \nhere it goes on\n").replace(b"\n", b"\r\n"), HEAD[:-1].replace(b"\n", b"\r\n")],
        ),
        (FROM + HEAD + b"hi\n\nFrom \n" + HEAD, [HEAD + b"hi\n\nFrom \n" + HEAD[:-1]]),
        (HEAD + b"before\n\n" + FROM + HEAD + b"after\n", [HEAD + b"before\n", HEAD + b"after\n"]),
        (
            (FROM + HEAD + b"hi\n\n" + FROM + HEAD).replace(b"\n", b"\r\n"),
            [(HEAD + b"hi\n").replace(b"\n", b"\r\n"), HEAD[:-1].replace(b"\n", b"\r\n")],
        ),
        (
            FROM + HEAD + b"z" * (LINE_BYTES * 2) + b"\n\n" + FROM + HEAD,
            [HEAD + b"z" * (LINE_BYTES * 2) + b"\n", HEAD[:-1]],
        ),
    ],
    ids=[
        "empty",
        "blank",
        "one",
        "two",
        "no blank line before",
        "no date in the line",
        "quoted",
        "no ascii",
        "takeout",
        "bare message",
        "newer Thunderbird",
        "a line From in another file",
        "something before",
        "internet newlines",
        "a line longer than one read",
    ],
)
def test_messages(content: bytes, messages: list[bytes]) -> None:
    assert split(content) == messages


def digest(content: bytes) -> str:
    (message,) = read_mbox(BytesIO(content))
    return message.digest


def test_a_message_keeps_its_name_while_what_it_says_stays() -> None:
    plain = digest(FROM + HEAD + b"hi\n")
    read = HEAD.replace(b"\n\n", b"\nStatus: RO\nX-Keywords: a\n  b\nX-Mozilla-Status2: 0000\n\n")
    assert digest(FROM + read + b"hi\n\n") == plain
    assert digest((FROM + HEAD + b"hi\n").replace(b"\n", b"\r\n")) == plain
    assert digest(FROM + HEAD + b"ho\n") != plain
    assert digest(FROM + HEAD.replace(b"1@x", b"2@x") + b"hi\n") != plain
    assert digest(FROM + HEAD + b"hi\nStatus: closed\n") != plain  # in the body it is a word like any other


@given(st.lists(st.binary(max_size=60).filter(lambda body: b"From " not in body and b"\r" not in body), max_size=5))
def test_no_message_is_lost_whatever_is_in_it(bodies: list[bytes]) -> None:
    content = b"".join(FROM + HEAD + b"body:" + body + b"\n\n" for body in bodies)
    found = list(read_mbox(BytesIO(content)))
    assert [bytes(message.content) for message in found] == [HEAD + b"body:" + body + b"\n" for body in bodies]
    assert [message.size for message in found] == [len(HEAD) + len(body) + 6 for body in bodies]


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("Inbox", FROM + HEAD, "mbox"),
        ("Inbox", b"From - Mon Mar 02 10:00:00 2026\r\nX-Mozilla-Status: 0001\r\n", "mbox"),
        ("INBOX", b"From \r\nReceived: by x\r\n", "mbox"),
        ("old.txt", b"\n\n" + FROM + HEAD, "mbox"),
        ("mbox", FROM, "mbox"),
        ("1.eml", b"garbage", "message"),
        ("1", HEAD, "message"),
        ("1", b"\xef\xbb\xbf" + HEAD, "message"),
        ("1", b"X-Trace: 1\r\nSubject: hi\r\n\r\n", "message"),
        ("7.emlx", b"57      \n" + HEAD, "message"),
        ("Inbox.msf", b'// <!-- <mdb:mork:z v="1.4"/> -->', "index"),
        ("table_of_contents", b"\x00\x01", "index"),
        ("Trash", b"", "empty"),
        ("notes.txt", b"Note: this is no mail\n\nDate: 1\n", "other"),
        ("notes.txt", b"From here on it is text.\n", "other"),
        ("a.json", b'{"from": 1}', "other"),
        ("a.pst", b"!BDN\x00\x01", "other"),
        ("a.msg", b"\xd0\xcf\x11\xe0", "other"),
    ],
)
def test_a_file_is_what_is_in_it(tmp_path: Path, name: str, content: bytes, kind: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert kind_of(tmp_path / name) == kind
