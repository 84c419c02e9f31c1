"""Exported mail: mbox files and single messages, the reference data's among them."""

from __future__ import annotations

import mailbox
import os
import shutil
import tempfile
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.errors import MailboxUnreadable, UnexpectedError
from ingestion.landing import LandingReport
from ingestion.sources.mail.exports import read_exports
from ingestion.sources.mail.ingest import ingest_mail
from ingestion.sources.mail.mbox import MboxMessage, read_mbox
from ingestion.sources.mail.messages import Kept
from ingestion.sources.mail.tables import MESSAGE_TABLE
from ingestion.sources.settings import load_settings
from storage.lake import Lake

# Files named .mbox, and what is in all files by content: 33 single messages begin with a `From ` line, as an mbox does.
MBOXES, MBOX_MESSAGES, MESSAGE_FILES = 12, 59, 97
BOX = "jane@acme.example"


def message(number: int, *, status: str = "", body: str = "hello") -> str:
    return (
        f"From jane@acme.example  Mon Jan  5 10:00:0{number % 10} 2026\nFrom: jane@acme.example\nTo: bob@b.example\n{status}"
        f"Date: Mon, 05 Jan 2026 10:00:00 +0100\nMessage-ID: <{number}@acme.example>\n\n{body}\n\n"
    )


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "exports").mkdir()
    return tmp_path / "exports"


def ingest(lake: Lake, folder: Path, day: int = 10, **more: Any) -> LandingReport:
    chosen = load_settings(_env_file=None, mail_exports=folder, **more)
    return ingest_mail(chosen, lake, known_at=datetime(2026, 1, day, tzinfo=UTC), run_id="run")


def rows(lake: Lake, sql: str) -> list[tuple[Any, ...]]:
    found = lake.query(MESSAGE_TABLE, sql)
    return [tuple(row.values()) for row in found.to_pylist()] if found else []


def test_every_message_of_the_reference_data_lands_or_is_set_aside_with_a_reason(
    lake: Lake, reference_data: Path
) -> None:
    mail = reference_data / "mail"
    assert len(list(mail.glob("*.mbox"))) == MBOXES
    report = ingest(lake, mail)
    assert "2 files are" in report.notice  # a licence and an SMTP transcript
    # Some messages lie in the folder twice, byte for byte, in one mailbox: such a copy counts as unchanged.
    assert report.source_count == MBOX_MESSAGES + MESSAGE_FILES
    assert rows(lake, "select source, count(*) from lake group by 1 order by 1") == [
        ("file", MESSAGE_FILES - report.unchanged),
        ("mbox", MBOX_MESSAGES),
    ]
    broken = rows(
        lake, "select count(*), count(_broken_rules) from lake where _broken_rules is not null and _broken_rules <> ''"
    )
    assert broken == [(report.set_aside, report.set_aside)]
    # Nothing but the sender and the date may keep one out: the rest of a header may be as it likes.
    reasons = {
        reason
        for (text,) in rows(lake, "select distinct _broken_rules from lake where _broken_rules is not null")
        for reason in text.split(";")
    }
    assert reasons == {"from_address_is_required", "date_is_required"}
    assert rows(
        lake,
        "select count(*) from lake where (_broken_rules is null) <> (from_address is not null and date is not null)",
    ) == [(0,)]
    assert report.landed >= 120
    assert ingest(lake, mail, 11).version is None


@pytest.mark.parametrize("name", ["mbox_iso8859_encoding.mbox", "mbox_unixfrom_encoding.mbox"])
def test_what_the_standard_library_cannot_read_is_read(
    lake: Lake, folder: Path, reference_data: Path, name: str
) -> None:
    path = Path(shutil.copy(reference_data / "mail" / name, folder))
    with pytest.raises(UnicodeDecodeError), closing(mailbox.mbox(path)) as box:
        list(box)
    report = ingest(lake, folder)
    assert (report.source_count, report.set_aside) == (1, 1)  # "luc at example.com" is no address
    assert rows(lake, "select _broken_rules, date is not null, message_id is not null from lake") == [
        ("from_address_is_required", True, True)
    ]


def test_a_file_that_did_not_change_is_not_read_and_a_longer_one_lands_what_is_new(
    lake: Lake, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / f"{BOX}.mbox"
    path.write_text(message(1) + message(2))
    assert ingest(lake, folder).landed == 2
    with path.open("a") as file:
        file.write(message(3))
    report = ingest(lake, folder, 11)
    assert (report.landed, report.unchanged) == (1, 2)

    monkeypatch.setattr(
        "ingestion.sources.mail.exports.read_mbox", lambda file: pytest.fail("a file that did not change was read")
    )
    assert ingest(lake, folder, 12).source_count == 0


@pytest.mark.parametrize("name", [f"{BOX}.mbox", f"{BOX}/1.eml"], ids=["mbox", "single message"])
def test_a_file_that_was_touched_without_new_mail_is_read_once_more_and_no_idle_run_commits(
    lake: Lake, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(message(1))
    ingest(lake, folder)
    before, loads = lake.snapshot().fingerprint, len(list(lake.loads(MESSAGE_TABLE)))
    path.write_text(message(1))
    os.utime(path, (1, 1))

    report = ingest(lake, folder, 11)
    assert (report.landed, report.unchanged, report.is_changed) == (0, 1, False)
    assert len(list(lake.loads(MESSAGE_TABLE))) == loads + 1
    assert lake.snapshot().fingerprint == before  # nothing for a build to do

    monkeypatch.setattr(
        "ingestion.sources.mail.exports.message_row",
        lambda *args, **more: pytest.fail("a file that was read was read again"),
    )
    assert ingest(lake, folder, 12).source_count == 0
    assert len(list(lake.loads(MESSAGE_TABLE))) == loads + 1


def test_a_file_that_fails_in_every_run_leaves_no_record_in_each(
    lake: Lake, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.sources.mail.exports.MESSAGES_AT_ONCE", 1)
    (folder / f"{BOX}.mbox").write_text(message(1))
    ingest(lake, folder)
    loads = len(list(lake.loads(MESSAGE_TABLE)))
    (folder / f"{BOX}.mbox").write_text(message(1) + message(2))

    def break_off(file: BinaryIO) -> Iterator[MboxMessage]:
        yield next(read_mbox(file))
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("ingestion.sources.mail.exports.read_mbox", break_off)
    for day in (11, 12):
        with pytest.raises(MailboxUnreadable, match="Input/output error"):
            ingest(lake, folder, day)
    assert len(list(lake.loads(MESSAGE_TABLE))) == loads


def test_a_message_that_a_mail_program_marked_as_read_is_the_same_message(lake: Lake, folder: Path) -> None:
    path = folder / f"{BOX}.mbox"
    path.write_text(message(1) + message(2))
    ingest(lake, folder)
    path.write_text(message(1, status="Status: RO\nX-Status: A\n") + message(2))
    report = ingest(lake, folder, 11)
    assert (report.unchanged, report.version) == (2, None)


def test_a_compacted_or_renamed_mbox_doubles_nothing(lake: Lake, folder: Path) -> None:
    path = folder / f"{BOX}.mbox"
    path.write_text(message(1) + message(2) + message(3))
    ingest(lake, folder)
    path.write_text(message(3) + message(1))
    assert ingest(lake, folder, 11).landed == 0
    assert rows(lake, "select count(*), count(distinct message_key) from lake") == [(3, 3)]


def test_single_messages_land_by_what_they_say(lake: Lake, folder: Path) -> None:
    (folder / BOX / "2026" / "01").mkdir(parents=True)
    plain = message(1).partition("\n")[2]
    (folder / BOX / "2026" / "01" / "a.eml").write_text(plain)
    (folder / BOX / "copy-of-a").write_text(plain)
    (folder / BOX / ".hidden").write_text("no mail")
    report = ingest(lake, folder)
    assert (report.landed, report.unchanged) == (1, 1)
    assert ingest(lake, folder, 11).version is None
    (folder / BOX / "copy-of-a").write_text(message(2).partition("\n")[2])  # a name that is used again
    assert ingest(lake, folder, 12).landed == 1
    assert rows(lake, "select message_id from lake order by 1") == [("<1@acme.example>",), ("<2@acme.example>",)]


def test_mbox_files_in_a_mailboxs_folder_are_its_folders(lake: Lake, folder: Path) -> None:
    (folder / BOX).mkdir()
    (folder / BOX / "Sent.mbox").write_text(message(1))
    (folder / BOX / "Inbox.mbox").write_text(message(2))
    ingest(lake, folder)
    assert rows(lake, "select mailbox, folder, source from lake order by 2") == [
        (BOX, "Inbox", "mbox"),
        (BOX, "Sent", "mbox"),
    ]


def test_bodies_are_stored_only_where_switched_on_and_cut(lake: Lake, folder: Path, tmp_path: Path) -> None:
    (folder / f"{BOX}.mbox").write_text(message(1, body="word " * 100_000))
    ingest(lake, folder)
    assert rows(lake, "select body_text, subject from lake") == [(None, None)]
    other = Lake(tmp_path / "other")
    ingest(other, folder, mail_store_bodies=True)
    ((body,),) = rows(other, "select body_text from lake")
    assert body.startswith("word word")
    assert 60_000 < len(body) <= 65_536


@pytest.mark.parametrize("what", ["missing", "empty"])
def test_a_folder_without_exports_is_reported(lake: Lake, folder: Path, what: str) -> None:
    with pytest.raises(MailboxUnreadable) as caught:
        ingest(lake, folder / "nowhere" if what == "missing" else folder)
    assert "SALESOPS_MAIL_EXPORTS" in caught.value.fix
    assert lake.tables() == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_reported_without_its_owners_address(lake: Lake, folder: Path) -> None:
    path = folder / f"{BOX}.mbox"
    path.write_text(message(1))
    path.chmod(0)
    with pytest.raises(MailboxUnreadable) as caught:
        ingest(lake, folder)
    assert BOX not in str(caught.value)


def test_an_mbox_larger_than_memory_should_be_is_read_in_little(folder: Path) -> None:
    path = folder / f"{BOX}.mbox"
    with path.open("w") as file:
        for number in range(200):
            file.write(message(number, body="x" * 70 + "\n" + ("y" * 99 + "\n") * 5_000))  # half a megabyte each
    size = path.stat().st_size
    assert size > 90_000_000
    tracemalloc.start()
    count = sum(len(portion.rows) for portion in read_exports(folder, {}, Kept()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 200
    assert peak < size / 20


LAYOUTS = {
    "jane@acme.example": (BOX, None),  # as in /var/mail
    "jane@acme.example.mbox": (BOX, None),
    "jane@acme.example.mbox/mbox": (BOX, None),  # Apple Mail
    "jane@acme.example/Sent Messages.mbox/mbox": (BOX, "Sent Messages"),
    "jane@acme.example/Inbox": (BOX, "Inbox"),  # Thunderbird
    "jane@acme.example/Inbox.sbd/Old": (BOX, "Inbox/Old"),
    "jane@acme.example/ImapMail/imap.acme.example/Archives.sbd/2025": (BOX, "ImapMail/imap.acme.example/Archives/2025"),
    "jane@acme.example/Sent.mbox": (BOX, "Sent"),
    "jane@acme.example/all.eml": (BOX, "all"),
    "jane@acme.example/export.txt": (BOX, "export.txt"),
}


@pytest.mark.parametrize("path", LAYOUTS)
@pytest.mark.parametrize(
    "line", [None, "From - Mon Jan 05 10:00:00 2026\r\n", "From \n"], ids=["mboxo", "dashed", "bare"]
)
def test_an_mbox_is_read_whatever_its_name_and_read_on_as_it_grows(
    lake: Lake, folder: Path, path: str, line: str | None
) -> None:
    def written(number: int) -> bytes:
        separator, _, rest = message(number).partition("\n")
        return ((line or f"{separator}\n") + rest).encode()

    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(written(1) + written(2))
    report = ingest(lake, folder)
    assert (report.landed, report.set_aside, report.notice) == (2, 0, "")
    assert set(rows(lake, "select mailbox, folder from lake")) == {LAYOUTS[path]}
    with file.open("ab") as more:
        more.write(written(3))
    assert ingest(lake, folder, 11).landed == 1
    loads = len(list(lake.loads(MESSAGE_TABLE)))
    assert ingest(lake, folder, 12).source_count == 0
    assert len(list(lake.loads(MESSAGE_TABLE))) == loads


def test_what_is_no_mail_is_counted_and_named_and_indexes_are_not(lake: Lake, folder: Path) -> None:
    (folder / BOX / "Inbox.sbd").mkdir(parents=True)
    (folder / BOX / "Inbox").write_text(message(1))
    (folder / BOX / "Inbox.msf").write_text('// <!-- <mdb:mork:z v="1.4"/> -->')
    (folder / BOX / "Trash").write_text("")
    (folder / BOX / "archive.pst").write_bytes(b"!BDN\0")
    (folder / BOX / "Inbox.sbd" / "notes.txt").write_text("To do: write\n")
    (folder / "bob@acme.example.eml").write_text(message(2).partition("\n")[2])
    report = ingest(lake, folder)
    assert report.landed == 1
    assert "3 files are" in report.notice
    for shown in ("b***@acme.example.eml", "j***@acme.example/archive.pst", "j***@acme.example/Inbox.sbd/notes.txt"):
        assert shown in report.notice
    assert BOX not in report.notice


def test_an_apple_mail_message_is_read_without_what_is_around_it(lake: Lake, folder: Path) -> None:
    (folder / BOX / "INBOX.mbox" / "Messages").mkdir(parents=True)
    plain = message(1).partition("\n")[2]
    (folder / BOX / "INBOX.mbox" / "Messages" / "7.emlx").write_text(
        f"{len(plain)}      \n{plain}<?xml version='1.0'?><plist/>"
    )
    assert ingest(lake, folder, mail_store_bodies=True).landed == 1
    assert rows(lake, "select message_id, body_text, size_bytes from lake") == [
        ("<1@acme.example>", "hello", str(len(plain)))
    ]


@pytest.mark.parametrize(
    ("error", "kind"),
    [(OSError(5, "Input/output error"), MailboxUnreadable), (ValueError("jane is odd"), UnexpectedError)],
)
def test_an_error_in_one_file_stays_in_it(
    lake: Lake, folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[Exception]
) -> None:
    (folder / BOX).mkdir()
    for name in ("A", "B", "C"):
        (folder / BOX / name).write_text(message(ord(name)))
    (folder / BOX / "1.eml").write_text(message(1).partition("\n")[2])

    def fail_in_b(file: BinaryIO) -> Iterator[MboxMessage]:
        if file.name.endswith("B"):
            raise error
        yield from read_mbox(file)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("ingestion.sources.mail.exports.read_mbox", fail_in_b)
        with pytest.raises(kind, match="3 messages") as caught:
            ingest(lake, folder)
    assert "jane" not in str(caught.value)
    assert len(rows(lake, "select 1 from lake")) == 3
    assert ingest(lake, folder, 11).landed == 1


NAMES = st.sampled_from(
    [
        "Inbox",
        "Sent",
        "Gesendete Elemente",
        "a.b",
        "2025",
        "mbox",
        "x.mbox",
        "x.sbd",
        "All Mail.mbox",
        "drafts.txt",
        "1.eml",
        "Ärger",
    ]
)


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.lists(NAMES, min_size=1, max_size=3).map(tuple), st.sampled_from(["mbox", "message", "other"]), max_size=6
    )
)
def test_every_file_of_a_mailbox_lands_or_is_counted(files: dict[tuple[str, ...], str]) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "exports"
        (folder / BOX).mkdir(parents=True)
        messages = others = number = 0
        for parts, kind in files.items():
            path = (folder / BOX).joinpath(*parts)
            if path.exists() or any(parent.is_file() for parent in path.parents):
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            if kind == "mbox":
                path.write_text(message(number) + message(number + 1))
                messages += 2
            elif kind == "message" or path.suffix in (".mbox", ".eml"):  # believed to be mail
                path.write_text(message(number).partition("\n")[2])
                messages += 1
            else:
                path.write_text("no mail\n")
                others += 1
            number += 2
        report = ingest(Lake(Path(place) / "lake"), folder)
        assert (report.landed, report.set_aside) == (messages, 0)
        assert report.notice.count("not read") == bool(others)
        assert not others or f" {others} file" in report.notice
