"""Mail by IMAP, against a real Dovecot on loopback."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from imapclient import IMAPClient
from pydantic import SecretStr

from cli.doctor import examine
from ingestion.errors import IngestionError, MailIncomplete, MailServerRefused, MailServerUnreachable, MailSignInError
from ingestion.landing import LandingReport
from ingestion.sources.mail.accounts import Account
from ingestion.sources.mail.imap import ImapMailbox
from ingestion.sources.mail.imap_folder import read_folder
from ingestion.sources.mail.ingest import ingest_mail
from ingestion.sources.mail.messages import Kept
from ingestion.sources.mail.sign_in import Password
from ingestion.sources.mail.tables import MESSAGE_TABLE
from ingestion.sources.settings import PlatformSettings, load_settings
from storage.lake import Lake
from tests.dovecot_server import PASSWORD, Dovecot, run_dovecot
from tests.needed_programs import require_program
from tests.token_server import CLIENT_SECRET, REFRESH_TOKEN, TokenServer, run_token_server

SENT = "Gesendete Elemente"


def message(number: int, *, subject: str = "Your proposal", headers: str = "", body: str = "hello") -> bytes:
    text = (
        f"From: Jane <jane@acme.example>\r\nTo: bob@b.example\r\nSubject: {subject}\r\nDate: Mon, 05 Jan 2026 10:00:00 +0100\r\n"
        f"Message-ID: <{number}@acme.example>\r\n{headers}\r\n{body}\r\n"
    )
    return text.encode()


@pytest.fixture(scope="module")
def token_server() -> Iterator[TokenServer]:
    with run_token_server() as server:
        yield server


@pytest.fixture(scope="module")
def dovecot(token_server: TokenServer) -> Iterator[Dovecot]:
    with run_dovecot(require_program("dovecot", package="dovecot-imapd"), f"{token_server.url}/introspect") as server:
        yield server


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def mailbox(request: pytest.FixtureRequest) -> str:
    """An address of its own for each test: no test sees another's mail."""
    return f"{request.node.name.replace('[', '.').replace(']', '')}@acme.example".lower()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.sources.mail.imap.LONGEST_WAIT_SECONDS", 0.01)


def settings_for(folder: Path, server: Dovecot, *accounts: dict[str, Any], **more: Any) -> PlatformSettings:
    """Settings whose accounts file names these accounts; JSON is YAML."""
    usual = {"name": "sales", "host": "localhost", "port": server.tls_port}
    path = folder / "mail.yml"
    path.write_text(json.dumps({"accounts": [{**usual, **account} for account in accounts]}))
    secrets = {"sales": SecretStr(PASSWORD), **more.pop("secrets", {})}
    return load_settings(_env_file=None, mail_accounts=path, mail_secrets=secrets, mail_ca_file=server.ca_file, **more)


@pytest.fixture
def settings(tmp_path: Path, dovecot: Dovecot, mailbox: str) -> PlatformSettings:
    return settings_for(tmp_path, dovecot, {"mailboxes": [mailbox]})


def ingest(settings: PlatformSettings, lake: Lake, day: int = 10) -> LandingReport:
    return ingest_mail(settings, lake, known_at=datetime(2026, 1, day, tzinfo=UTC), run_id="run")


def rows(lake: Lake, sql: str) -> list[tuple[Any, ...]]:
    found = lake.query(MESSAGE_TABLE, sql)
    return [tuple(row.values()) for row in found.to_pylist()] if found else []


def open_mailbox(server: Dovecot, mailbox: str, port: int | None = None) -> ImapMailbox:
    account = Account.model_validate(
        {"name": "sales", "host": "localhost", "port": port or server.tls_port, "mailboxes": [{"address": mailbox}]}
    )
    return ImapMailbox(
        account,
        account.mailboxes[0],
        Password(mailbox, SecretStr(PASSWORD)),
        ca_file=server.ca_file,
        sleep=lambda seconds: None,
    )


def test_the_first_load_takes_inbox_and_sent_mail_by_its_use(
    dovecot: Dovecot, settings: PlatformSettings, lake: Lake, mailbox: str
) -> None:
    dovecot.deliver(mailbox, [message(1), message(2, headers="In-Reply-To: <1@acme.example>\r\n")])
    dovecot.deliver(mailbox, [message(3)], SENT)
    report = ingest(settings, lake)
    assert (report.landed, report.set_aside, report.unchanged) == (3, 0, 0)
    found = rows(
        lake,
        "select message_id, thread_id, folder, source, mailbox, size_bytes, received_at is not null from lake order by 1",
    )
    assert found == [
        ("<1@acme.example>", "<1@acme.example>", "INBOX", "imap", mailbox, str(len(message(1))), True),
        (
            "<2@acme.example>",
            "<1@acme.example>",
            "INBOX",
            "imap",
            mailbox,
            str(len(message(2, headers="In-Reply-To: <1@acme.example>\r\n"))),
            True,
        ),
        ("<3@acme.example>", "<3@acme.example>", SENT, "imap", mailbox, str(len(message(3))), True),
    ]
    assert rows(lake, "select distinct _known_time_basis, _known_from::varchar from lake") == [
        ("record", "2026-01-05 09:00:00")
    ]


def test_nothing_new_commits_nothing_and_new_mail_lands_alone(
    dovecot: Dovecot, settings: PlatformSettings, lake: Lake, mailbox: str
) -> None:
    dovecot.deliver(mailbox, [message(1), message(2)])
    ingest(settings, lake)
    before = lake.snapshot().fingerprint
    again = ingest(settings, lake, 11)
    assert (again.source_count, again.version) == (0, None)
    assert lake.snapshot().fingerprint == before

    dovecot.deliver(mailbox, [message(3)])
    report = ingest(settings, lake, 12)
    assert (report.source_count, report.landed) == (1, 1)
    assert ingest(settings, lake, 13).version is None


def test_mail_that_came_and_went_between_two_runs_brings_no_old_message_back(
    dovecot: Dovecot, settings: PlatformSettings, lake: Lake, mailbox: str
) -> None:
    dovecot.deliver(mailbox, [message(1), message(2)])
    ingest(settings, lake)
    dovecot.deliver(mailbox, [message(3)])
    with dovecot.client(mailbox) as client:
        client.delete_messages([3])
        client.expunge()
        assert client.search(["UID", "3:*"]) == [2]  # what the server makes of a range above its last message
    assert ingest(settings, lake, 11).source_count == 0


def test_even_a_folder_that_is_open_for_writing_is_only_peeked_at(
    dovecot: Dovecot, mailbox: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dovecot.deliver(mailbox, [message(1), message(2)])
    select = IMAPClient.select_folder
    asked: list[bool] = []

    def open_for_writing(client: IMAPClient, folder: str, readonly: bool = False) -> Any:
        asked.append(readonly)
        return select(client, folder, readonly=False)

    monkeypatch.setattr(IMAPClient, "select_folder", open_for_writing)
    with closing(open_mailbox(dovecot, mailbox)) as server:
        for kept in (Kept(), Kept(bodies=True)):
            assert [len(portion.rows) for portion in read_folder(server, "INBOX", {}, kept)] == [2]
    assert asked == [True, True]
    with dovecot.client(mailbox) as client:
        assert [b"\\Seen" in flags for flags in client.get_flags([1, 2]).values()] == [False, False]


def test_reading_marks_nothing_as_seen_and_flags_make_nothing_new(
    dovecot: Dovecot, settings: PlatformSettings, lake: Lake, mailbox: str
) -> None:
    dovecot.deliver(mailbox, [message(1), message(2)])
    ingest(settings, lake)
    with dovecot.client(mailbox) as client:
        assert [b"\\Seen" in flags for flags in client.get_flags([1, 2]).values()] == [False, False]
        client.add_flags([1], [b"\\Seen", b"\\Answered"])
    assert ingest(settings, lake, 11).source_count == 0


def test_a_renumbered_folder_is_read_anew_and_its_copies_have_other_keys(
    dovecot: Dovecot, settings: PlatformSettings, lake: Lake, mailbox: str
) -> None:
    dovecot.deliver(mailbox, [message(1), message(2)])
    ingest(settings, lake)
    dovecot.renumber(mailbox, 4_000_000_000)
    dovecot.deliver(mailbox, [message(3)])
    report = ingest(settings, lake, 11)
    assert (report.source_count, report.landed) == (3, 3)
    assert "numbered a folder's messages anew" in report.notice
    assert rows(lake, "select count(*), count(distinct message_key), count(distinct message_id) from lake") == [
        (5, 5, 3)
    ]
    assert ingest(settings, lake, 12).version is None


def test_messages_deleted_while_they_are_read_are_counted_as_gone(
    dovecot: Dovecot, mailbox: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.sources.mail.imap_folder.MESSAGES_AT_ONCE", 3)
    dovecot.deliver(mailbox, [message(number) for number in range(1, 10)])
    server = open_mailbox(dovecot, mailbox)
    with closing(server):
        portions = read_folder(server, "INBOX", {}, Kept())
        first = next(portions)
        with dovecot.client(mailbox) as client:
            client.delete_messages([2, 5, 8])
            client.expunge()
        rest = list(portions)
    assert [(portion.asked, portion.gone) for portion in [first, *rest]] == [(3, 0), (3, 1), (3, 1)]
    read = [row["message_id"] for portion in [first, *rest] for row in portion.rows]
    assert read == [f"<{number}@acme.example>" for number in (1, 2, 3, 4, 6, 7, 9)]
    assert rest[-1].reached["uid"] == 9


def test_a_large_folder_is_listed_in_slices_and_deletions_hide_nothing(
    dovecot: Dovecot, mailbox: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.sources.mail.imap_folder.UIDS_AT_ONCE", 4)
    dovecot.deliver(mailbox, [message(number) for number in range(1, 12)])
    server = open_mailbox(dovecot, mailbox)
    asked: list[Any] = []
    ask = server.ask

    def delete_after_the_first_slice(question: Any) -> Any:
        answer = ask(question)
        asked.append(answer)
        if len(asked) == 3:  # 1: the folder was found; 2: it was opened; 3: its last slice
            with dovecot.client(mailbox) as client:
                client.delete_messages([1, 2])
                client.expunge()
        return answer

    monkeypatch.setattr(server, "ask", lambda question: delete_after_the_first_slice(question))
    with closing(server):
        server.find_folder("\\Sent")
        found = [row["message_id"] for portion in read_folder(server, "INBOX", {}, Kept()) for row in portion.rows]
    assert asked[2] == [9, 10, 11]
    assert found == [f"<{number}@acme.example>" for number in range(3, 12)]


@contextmanager
def cutting_relay(to_port: int, cuts: list[int]) -> Iterator[int]:
    """A way to the server that breaks: connection k is cut after `cuts[k]` bytes of answers, later ones stay whole."""
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, target: socket.socket, room: int | None) -> None:
        try:
            while data := source.recv(4096):
                if room is not None and len(data) >= room:
                    target.sendall(data[:room])
                    break
                target.sendall(data)
                room = room - len(data) if room is not None else None
        except OSError:
            pass
        finally:
            for end in (source, target):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", to_port))
            room = cuts.pop(0) if cuts else None
            Thread(target=pump, args=(client, server, None), daemon=True).start()
            Thread(target=pump, args=(server, client, room), daemon=True).start()

    Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def test_a_broken_connection_is_made_again_and_reading_goes_on(
    dovecot: Dovecot, tmp_path: Path, lake: Lake, mailbox: str
) -> None:
    dovecot.deliver(mailbox, [message(number, headers=f"X-Filler: {'x' * 900}\r\n") for number in range(1, 101)])
    cuts = [10_000, 60_000, 90_000]
    with cutting_relay(dovecot.tls_port, cuts) as port:
        report = ingest(settings_for(tmp_path, dovecot, {"mailboxes": [mailbox], "port": port}), lake)
    assert cuts == []
    assert (report.landed, report.source_count) == (100, 100)
    assert rows(lake, "select count(distinct message_key) from lake") == [(100,)]


def test_where_the_connection_breaks_for_good_what_was_read_lands_and_the_next_run_takes_the_rest(
    dovecot: Dovecot, tmp_path: Path, lake: Lake, mailbox: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.sources.mail.imap_folder.MESSAGES_AT_ONCE", 10)
    dovecot.deliver(mailbox, [message(number, headers=f"X-Filler: {'x' * 900}\r\n") for number in range(1, 101)])
    with (
        cutting_relay(dovecot.tls_port, [50_000, *[3_000] * 20]) as port,
        pytest.raises(MailServerUnreachable) as caught,
    ):
        ingest(settings_for(tmp_path, dovecot, {"mailboxes": [mailbox], "port": port}), lake)
    (landed,) = rows(lake, "select count(*) from lake")[0]
    assert 0 < landed < 100
    assert f"({landed} messages)" in caught.value.what

    rest = ingest(settings_for(tmp_path, dovecot, {"mailboxes": [mailbox]}), lake, 11)
    assert (rest.landed, rest.unchanged) == (100 - landed, 0)
    assert rows(lake, "select count(distinct message_id) from lake") == [(100,)]


def test_a_wrong_password_is_reported_without_it_and_the_other_mailboxes_land(
    dovecot: Dovecot, tmp_path: Path, lake: Lake, mailbox: str
) -> None:
    dovecot.deliver(mailbox, [message(1)])
    settings = settings_for(
        tmp_path,
        dovecot,
        {"name": "old", "mailboxes": ["locked.out@acme.example"]},
        {"mailboxes": [mailbox]},
        secrets={"old": SecretStr("wrong-password-123")},
    )
    with pytest.raises(MailSignInError) as caught:
        ingest(settings, lake)
    printed = str(caught.value)
    assert "AUTHENTICATIONFAILED" in printed
    assert "mail account old, mailbox l***@acme.example" in printed
    assert "wrong-password-123" not in printed
    assert "locked.out" not in printed
    assert rows(lake, "select mailbox from lake") == [(mailbox,)]


def test_several_mailboxes_that_fail_are_reported_together(dovecot: Dovecot, tmp_path: Path, lake: Lake) -> None:
    accounts = [
        {"name": f"old{number}", "secret": "old", "mailboxes": [f"x{number}@acme.example"]} for number in range(3)
    ]
    with pytest.raises(MailIncomplete, match="3 of 3 mail sources"):
        ingest(settings_for(tmp_path, dovecot, *accounts, secrets={"old": SecretStr("wrong")}), lake)
    assert lake.tables() == []


def test_a_secret_that_is_not_set_names_its_variable(
    dovecot: Dovecot, tmp_path: Path, lake: Lake, mailbox: str
) -> None:
    settings = settings_for(tmp_path, dovecot, {"secret": "north", "mailboxes": [mailbox]})
    with pytest.raises(MailSignInError) as caught:
        ingest(settings, lake)
    assert "SALESOPS_MAIL_SECRETS__NORTH" in caught.value.fix


@pytest.mark.parametrize("security", ["starttls", "none"])
def test_the_other_ways_to_connect(dovecot: Dovecot, tmp_path: Path, lake: Lake, mailbox: str, security: str) -> None:
    dovecot.deliver(mailbox, [message(1)])
    assert (
        ingest(
            settings_for(tmp_path, dovecot, {"port": dovecot.port, "security": security, "mailboxes": [mailbox]}), lake
        ).landed
        == 1
    )


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_that_is_not_trusted_is_refused(
    dovecot: Dovecot, tmp_path: Path, lake: Lake, mailbox: str, security: str
) -> None:
    port = dovecot.tls_port if security == "tls" else dovecot.port
    settings = settings_for(tmp_path, dovecot, {"port": port, "security": security, "mailboxes": [mailbox]})
    with pytest.raises(MailServerUnreachable, match="certificate that is not trusted"):
        ingest(settings.model_copy(update={"mail_ca_file": None}), lake)


def test_a_folder_that_is_not_there_is_reported(dovecot: Dovecot, tmp_path: Path, lake: Lake, mailbox: str) -> None:
    dovecot.deliver(mailbox, [message(1)])
    with pytest.raises(MailServerRefused, match="refused a command"):
        ingest(settings_for(tmp_path, dovecot, {"folders": ["INBOX", "No such folder"], "mailboxes": [mailbox]}), lake)
    assert rows(lake, "select message_id from lake") == [("<1@acme.example>",)]


def test_a_use_that_no_folder_has_is_a_notice(dovecot: Dovecot, tmp_path: Path, lake: Lake, mailbox: str) -> None:
    dovecot.deliver(mailbox, [message(1)])
    report = ingest(settings_for(tmp_path, dovecot, {"folders": ["INBOX", "\\Flagged"], "mailboxes": [mailbox]}), lake)
    assert report.landed == 1
    assert "no folder for \\Flagged" in report.notice


def test_a_folder_with_a_name_in_another_script(dovecot: Dovecot, tmp_path: Path, lake: Lake, mailbox: str) -> None:
    with dovecot.client(mailbox) as client:
        client.create_folder("Входящие сделки")
    dovecot.deliver(mailbox, [message(1)], "Входящие сделки")
    assert (
        ingest(settings_for(tmp_path, dovecot, {"folders": ["Входящие сделки"], "mailboxes": [mailbox]}), lake).landed
        == 1
    )
    assert rows(lake, "select folder from lake") == [("Входящие сделки",)]


def test_broken_and_eight_bit_headers_land_or_are_set_aside(
    dovecot: Dovecot, settings: PlatformSettings, lake: Lake, mailbox: str
) -> None:
    messages = [
        message(1),
        b"From: J\xf6rg <joerg@acme.example>\r\nSubject: f\xfcr \xff\r\nDate: Mon, 05 Jan 2026 10:00:00 +0100\r\nMessage-ID: <8bit@x>\r\n\r\nx",
        b"From: a@b.example\r\nno header at all\r\n: empty\r\n\tfolded garbage\r\nDate: Mon, 05 Jan 2026 10:00:00 +0100\r\n\r\nx",
        b"Subject: =?utf-8?b?broken\r\nDate: yesterday\r\nFrom: <<>>\r\n\r\nx",
        b"\r\nonly a body",
        b"From: a@b.example\r\nDate: Mon, 05 Jan 2026 10:00:00 +0100\r\nX-Long: "
        + b"y" * 200_000
        + b"\r\nMessage-ID: <long@x>\r\n\r\nx",
    ]
    dovecot.deliver(mailbox, messages)
    report = ingest(settings, lake)
    assert (report.source_count, report.landed, report.set_aside) == (6, 4, 2)
    assert rows(lake, "select message_id from lake where from_address = 'joerg@acme.example'") == [("<8bit@x>",)]
    assert ingest(settings, lake, 11).version is None


def test_every_message_file_of_the_reference_data_comes_through_a_server(
    dovecot: Dovecot, settings: PlatformSettings, lake: Lake, mailbox: str, reference_data: Path
) -> None:
    files = sorted(path for path in (reference_data / "mail" / "rfc822").rglob("*") if path.is_file())
    assert len(files) == 132
    dovecot.deliver(mailbox, [path.read_bytes() for path in files])
    report = ingest(settings, lake)
    assert (report.source_count, report.unchanged) == (132, 0)
    assert report.landed >= 110
    assert rows(
        lake,
        "select count(*) from lake where (_broken_rules is null) <> (from_address is not null and date is not null)",
    ) == [(0,)]


def test_the_doctor_signs_in_and_opens_every_folder(
    dovecot: Dovecot, settings: PlatformSettings, tmp_path: Path, mailbox: str, capsys: pytest.CaptureFixture[str]
) -> None:
    examine(settings.model_copy(update={"home": tmp_path / "home"}))
    assert "mail sign-in: 1 mailboxes, 2 folders to read" in capsys.readouterr().out
    locked = {"mail_secrets": {"sales": SecretStr("wrong")}, "home": tmp_path / "home"}
    assert examine(settings.model_copy(update=locked)) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "wrong mail sign-in: The mail server refused to sign in (AUTHENTICATIONFAILED)." in printed
    assert mailbox not in printed


def test_by_default_no_subject_and_no_body_is_stored_and_the_switches_store_them(
    dovecot: Dovecot, settings: PlatformSettings, tmp_path: Path, lake: Lake, mailbox: str
) -> None:
    dovecot.deliver(mailbox, [message(1, subject="Secret plan", body="Between you and me")])
    ingest(settings, lake)
    everything = str(rows(lake, "select * from lake"))
    assert "Secret" not in everything
    assert "Between" not in everything

    other = Lake(tmp_path / "other")
    ingest(settings.model_copy(update={"mail_store_subjects": True, "mail_store_bodies": True}), other)
    assert rows(other, "select subject, body_text from lake") == [("Secret plan", "Between you and me")]
    with dovecot.client(mailbox) as client:
        assert b"\\Seen" not in client.get_flags([1])[1]


def xoauth2(grant: str, token_server: TokenServer, mailbox: str) -> dict[str, Any]:
    oauth = {"token_url": f"{token_server.url}/token", "grant": grant, "client_id": "app", "scope": "imap"}
    return {"sign_in": "xoauth2", "oauth": oauth, "secret": grant, "mailboxes": [mailbox]}


SECRETS = {"refresh_token": SecretStr(REFRESH_TOKEN), "client_credentials": SecretStr(CLIENT_SECRET)}


@pytest.fixture
def tokens(token_server: TokenServer, mailbox: str) -> TokenServer:
    token_server.user = mailbox
    token_server.forms.clear()
    token_server.live.clear()
    return token_server


@pytest.mark.parametrize("grant", list(SECRETS))
def test_signing_in_with_a_token(
    dovecot: Dovecot, tokens: TokenServer, tmp_path: Path, lake: Lake, mailbox: str, grant: str
) -> None:
    dovecot.deliver(mailbox, [message(1)])
    assert ingest(settings_for(tmp_path, dovecot, xoauth2(grant, tokens, mailbox), secrets=SECRETS), lake).landed == 1
    assert [(form["grant_type"], form["client_id"], form["scope"]) for form in tokens.forms] == [(grant, "app", "imap")]


def test_a_token_that_was_withdrawn_before_its_time_is_renewed_once(
    dovecot: Dovecot, tokens: TokenServer, tmp_path: Path, lake: Lake, mailbox: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dovecot.deliver(mailbox, [message(1)])
    give_token = tokens.give_token

    def give_dead_first(form: dict[str, str]) -> tuple[int, dict[str, object]]:
        answer = give_token(form)
        if len(tokens.forms) == 1:
            tokens.live.clear()
        return answer

    monkeypatch.setattr(tokens, "give_token", give_dead_first)
    assert (
        ingest(settings_for(tmp_path, dovecot, xoauth2("refresh_token", tokens, mailbox), secrets=SECRETS), lake).landed
        == 1
    )
    assert len(tokens.forms) == 2


def test_a_token_for_another_user_is_refused_after_one_renewal(
    dovecot: Dovecot, tokens: TokenServer, tmp_path: Path, lake: Lake, mailbox: str
) -> None:
    tokens.user = "someone.else@acme.example"
    with pytest.raises(MailSignInError, match="refused to sign in"):
        ingest(settings_for(tmp_path, dovecot, xoauth2("client_credentials", tokens, mailbox), secrets=SECRETS), lake)
    assert len(tokens.forms) == 2


def test_a_refused_token_request_names_the_code_only(
    dovecot: Dovecot, tokens: TokenServer, tmp_path: Path, lake: Lake, mailbox: str
) -> None:
    with pytest.raises(MailSignInError) as caught:
        ingest(
            settings_for(
                tmp_path,
                dovecot,
                xoauth2("refresh_token", tokens, mailbox),
                secrets={"refresh_token": SecretStr("stale-secret")},
            ),
            lake,
        )
    assert "invalid_grant" in caught.value.what
    assert mailbox not in str(caught.value)
    assert "stale-secret" not in str(caught.value)


def test_no_log_holds_secrets_or_people(
    dovecot: Dovecot, tokens: TokenServer, tmp_path: Path, lake: Lake, mailbox: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    dovecot.deliver(mailbox, [message(1)])
    by_password = {"name": "plain", "secret": "sales", "mailboxes": ["other@acme.example"]}
    ingest(
        settings_for(tmp_path, dovecot, xoauth2("refresh_token", tokens, mailbox), by_password, secrets=SECRETS), lake
    )
    load = lake.newest_load(MESSAGE_TABLE)
    seen = caplog.text + json.dumps(vars(load))
    for secret in (PASSWORD, REFRESH_TOKEN, *tokens.live, mailbox, "jane@acme.example"):
        assert secret not in seen


def test_every_error_is_one_of_ours() -> None:
    for error in (MailSignInError, MailServerUnreachable, MailServerRefused, MailIncomplete):
        assert issubclass(error, IngestionError)
