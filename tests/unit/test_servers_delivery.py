from __future__ import annotations

import csv
import email
import email.policy
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from simulation.delivery import deliver, maildir
from tests.servers_sample import CLOCK, MAIL, write_company

LATER = datetime(2026, 1, 20, tzinfo=UTC)


def read_tree(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def read_messages(simulation_dir: Path) -> dict[str, EmailMessage]:
    """By number, as the mailbox's reader sees them."""
    files = (simulation_dir / "maildir").glob("*/cur/*")
    return {
        file.name.partition(".")[0]: email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        for file in files
    }


def test_only_visible_messages_are_delivered_each_to_its_mailbox(tmp_path: Path) -> None:
    deliver(write_company(tmp_path), CLOCK)

    assert sorted(read_messages(tmp_path), key=int) == [str(number) for number in range(1, MAIL // 2 + 1)]
    assert (tmp_path / "maildir" / "rep1@northlight.example" / "cur" / "1.M1P1.mail:2,S").exists()
    assert all(
        (tmp_path / "maildir" / f"rep{number}@northlight.example" / name).is_dir()
        for number in range(3)
        for name in ("tmp", "new", "cur")
    )


def test_messages_read_back_with_their_headers(tmp_path: Path) -> None:
    deliver(write_company(tmp_path), CLOCK)
    messages = read_messages(tmp_path)

    second = messages["2"]
    assert second["Subject"] == "Angebot für Zoë"
    assert second["From"] == "rep2@northlight.example"
    assert [address.addr_spec for address in second["To"].addresses] == ["a@client.example", "b@client.example"]
    assert second["Cc"] is None
    assert second["Date"].datetime == datetime(2026, 1, 3, 2, tzinfo=UTC)
    assert (second["Message-ID"], second["In-Reply-To"], second["References"]) == tuple(
        f"<{n}@northlight.example>" for n in (2, 1, 1)
    )
    assert not second.defects
    assert second.get_content().strip()
    assert messages["7"]["Date"] is None
    assert messages["4"]["Auto-Submitted"] == "auto-replied"
    assert (messages["5"].get_content_type(), messages["5"]["Return-Path"]) == ("multipart/report", "<>")
    assert messages["6"]["List-Unsubscribe"]


def test_a_second_call_adds_what_became_visible_and_touches_nothing_else(tmp_path: Path) -> None:
    deliver(write_company(tmp_path), CLOCK)
    kept = {file: file.stat().st_mtime_ns for file in (tmp_path / "maildir").rglob("*mail:2,S")}

    deliver(tmp_path, LATER)

    assert len(read_messages(tmp_path)) == MAIL
    assert {file: file.stat().st_mtime_ns for file in kept} == kept


def test_a_kill_in_the_middle_leaves_no_half_message_and_the_next_call_completes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_company(tmp_path / "whole")
    deliver(tmp_path / "whole", LATER)
    write_company(tmp_path / "killed")
    moved = []

    def move_some(*args: object, **kwargs: object) -> None:
        moved.append(args)
        if len(moved) > 10:
            raise KeyboardInterrupt
        rename(*args, **kwargs)  # type: ignore[arg-type]

    rename = maildir.os.rename
    monkeypatch.setattr(maildir.os, "rename", move_some)
    with pytest.raises(KeyboardInterrupt):
        deliver(tmp_path / "killed", LATER)
    monkeypatch.undo()
    written = {file: file.stat().st_ino for file in (tmp_path / "killed" / "maildir").glob("*/cur/*")}
    assert len(written) == 10

    deliver(tmp_path / "killed", LATER)

    assert {file: file.stat().st_ino for file in written} == written
    assert read_tree(tmp_path / "killed" / "maildir") == read_tree(tmp_path / "whole" / "maildir")


def test_a_message_that_its_reader_removed_does_not_come_back(tmp_path: Path) -> None:
    deliver(write_company(tmp_path), CLOCK)
    (tmp_path / "maildir" / "rep1@northlight.example" / "cur" / "1.M1P1.mail:2,S").unlink()

    deliver(tmp_path, LATER)

    assert sorted(read_messages(tmp_path), key=int) == [str(number) for number in range(2, MAIL + 1)]


def test_day_by_day_ends_with_the_tree_of_one_call(tmp_path: Path) -> None:
    write_company(tmp_path / "daily")
    write_company(tmp_path / "once")
    for day in (1, 4, 10, 11, 15):
        deliver(tmp_path / "daily", datetime(2026, 1, day, tzinfo=UTC))
    deliver(tmp_path / "once", datetime(2026, 1, 15, tzinfo=UTC))

    for name in ("maildir", "feeds"):
        assert read_tree(tmp_path / "daily" / name) == read_tree(tmp_path / "once" / name)


def test_another_companys_mail_is_removed_first(tmp_path: Path) -> None:
    deliver(write_company(tmp_path), LATER)
    (tmp_path / "company" / "company.json").write_text('{"company_name": "Other"}')

    deliver(tmp_path, CLOCK)

    assert len(read_messages(tmp_path)) == MAIL // 2


def test_a_feed_shows_the_newest_visible_row_of_each_key(tmp_path: Path) -> None:
    write_company(tmp_path)
    file = tmp_path / "feeds" / "personnel.csv"

    deliver(tmp_path, CLOCK)
    with file.open(encoding="utf-8", newline="") as rows:
        assert list(csv.DictReader(rows)) == [
            {
                "employee_id": "E1",
                "effective_date": "2026-01-01",
                "full_name": 'Ann, "A"',
                "fte": "1.0",
                "leave_date": "",
            },
            {"employee_id": "E2", "effective_date": "2026-01-09", "full_name": "Bo", "fte": "0.5", "leave_date": ""},
        ]
    deliver(tmp_path, LATER)
    with file.open(encoding="utf-8", newline="") as rows:
        assert [row["leave_date"] for row in csv.DictReader(rows)] == ["2026-01-31", ""]


def test_a_feed_without_news_is_not_written_again(tmp_path: Path) -> None:
    deliver(write_company(tmp_path), CLOCK)
    file = tmp_path / "feeds" / "personnel.csv"
    before = file.stat()

    deliver(tmp_path, CLOCK + timedelta(hours=1))

    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert [entry.name for entry in file.parent.iterdir()] == ["personnel.csv"]
