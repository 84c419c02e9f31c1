"""Every mail source of the settings → one load of `mail__message`.

A mailbox that fails does not hold back the others: what they delivered lands, each cursor is where reading stopped, and
the run then fails with the problem.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from ingestion.errors import CountMismatch, IngestionError, MailIncomplete, contain
from ingestion.landing import Delivery, LandingReport, land
from ingestion.sources.http_session import RetryingSession
from ingestion.sources.mail.accounts import Account, Mailbox, read_accounts
from ingestion.sources.mail.exports import read_exports
from ingestion.sources.mail.imap import ImapMailbox
from ingestion.sources.mail.imap_folder import read_folder
from ingestion.sources.mail.maildir import list_known, read_maildirs
from ingestion.sources.mail.messages import COLUMNS, Kept, Portion, mask
from ingestion.sources.mail.settings import MailSettings
from ingestion.sources.mail.sign_in import Keyring
from ingestion.sources.mail.tables import MESSAGE_TABLE, MESSAGES
from storage.lake import Lake

SCHEMA = pa.schema([(name, pa.string()) for name in COLUMNS])
Cursor = dict[str, Any]  # place → what was reached there
Source = Callable[[Cursor], Iterator[Portion]]
_PROBLEMS_SHOWN = 5


def ingest_mail(settings: MailSettings, lake: Lake, *, known_at: datetime, run_id: str) -> LandingReport:
    """Land the headers of every message that came since the last load, from each source in the settings.

    Args:
        settings: The accounts, the folders, the secrets, and what to store of a message.
        lake: The lake.
        known_at: The run's instant.
        run_id: The orchestrator's run.

    Raises:
        OperatorFileError: The accounts file is missing or wrong. Nothing was read.
        MailSignInError: A server refused a mailbox's credentials. The other mailboxes' messages have landed,
            as with the errors below.
        MailServerUnreachable: A server does not answer.
        MailServerRefused: A server has no such folder.
        MailboxUnreadable: A folder of mail files cannot be read.
        CountMismatch: A server does not deliver what it lists.
        MailIncomplete: More than one of these happened.
    """
    kept = Kept(settings.mail_store_subjects, settings.mail_store_bodies)
    sources: list[Source] = []
    if settings.maildir:
        sources.append(_maildir_source(settings.maildir, lake, kept))
    if exports := settings.mail_exports:
        sources.append(lambda cursor: read_exports(exports, cursor, kept))
    if settings.mail_accounts:
        keys = Keyring(settings.mail_secrets, RetryingSession(ca_file=settings.mail_ca_file))
        for account in read_accounts(settings.mail_accounts):
            sources += [
                _imap_source(account, mailbox, keys, settings.mail_ca_file, kept) for mailbox in account.mailboxes
            ]
    return land_messages(sources, lake, known_at=known_at, run_id=run_id)


def ingest_maildir(folder: Path, lake: Lake, *, known_at: datetime, run_id: str) -> LandingReport:
    """Land the headers of every message in a Maildir, or a folder of Maildirs, that the lake does not hold yet.

    Raises:
        MailboxUnreadable: The folder is missing, holds no Maildir, or a message may not be read.
    """
    return land_messages([_maildir_source(folder, lake, Kept())], lake, known_at=known_at, run_id=run_id)


def check_mail_accounts(settings: MailSettings) -> tuple[int, int]:
    """Sign in to every mailbox of the accounts file and open each of its folders; returns the number of each.

    Raises:
        IngestionError: As `ingest_mail`.
    """
    assert settings.mail_accounts is not None  # only called where it is set
    keys = Keyring(settings.mail_secrets, RetryingSession(ca_file=settings.mail_ca_file))
    mailboxes = [
        (account, mailbox) for account in read_accounts(settings.mail_accounts) for mailbox in account.mailboxes
    ]
    folders = 0
    failures: list[IngestionError] = []
    for account, mailbox in mailboxes:
        try:
            with closing(
                ImapMailbox(account, mailbox, keys.credential(account, mailbox), ca_file=settings.mail_ca_file)
            ) as server:
                for name in filter(None, map(server.find_folder, account.folders)):
                    server.open_folder(name)
                    folders += 1
        except IngestionError as error:
            failures.append(error)
    if failures:
        raise _summarise(failures, len(mailboxes))
    return len(mailboxes), folders


def land_messages(sources: Sequence[Source], lake: Lake, *, known_at: datetime, run_id: str) -> LandingReport:
    """Read the sources in turn and land their messages as one load, with the cursor of every place that was read.

    Raises:
        IngestionError: A source failed. What was read before it, and from the other sources, has landed.
    """
    previous = lake.newest_load(MESSAGE_TABLE)
    reading = _Reading(sources, _read_cursor(previous.cursor if previous else None))
    batches = reading.batches()
    first = next(batches, None)
    report = LandingReport(MESSAGE_TABLE, cursor=previous.cursor if previous else None)
    delivered = partial(
        Delivery,
        cursor=lambda: json.dumps(reading.cursor, sort_keys=True),
        is_delta=previous is not None,
        details=lambda: {"asked": str(reading.count + reading.gone), "gone": str(reading.gone)},
    )
    if first is not None:
        report = land(
            lake, MESSAGES, delivered(chain([first], batches), lambda: reading.count), known_at=known_at, run_id=run_id
        )
        if previous and not report.is_changed and reading.has_moved:
            # The lake holds these messages. Without their file's new size and time of change, every run would read the
            # file again in full.
            kept = land(
                lake, MESSAGES, delivered(SCHEMA.empty_table(), 0), known_at=known_at, run_id=run_id, keep_record=True
            )
            report = replace(kept, unchanged=report.unchanged)
    if reading.failures:
        raise _summarise(
            reading.failures, max(len(sources), len(reading.failures)), report.landed
        ) from reading.failures[0]
    return replace(report, notice=" ".join(dict.fromkeys(reading.say_notices())))


class _Reading:
    """The sources while they are read in turn: how far each place was read, and what could not be read.

    Attributes:
        cursor: Place → what was reached there.
        count: Messages read.
        gone: Messages deleted at their source between listing and reading.
        failures: What could not be read.
    """

    def __init__(self, sources: Sequence[Source], cursor: Cursor) -> None:
        self.cursor = dict(cursor)
        self.count = self.gone = 0
        self.failures: list[IngestionError] = []
        self._sources, self._begun_at = sources, cursor
        self._notices: list[str] = []

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The messages of every source. A source that fails ends there, and the next one continues."""
        for source in self._sources:
            try:
                for portion in source(self._begun_at):
                    _check_count(portion)
                    self.count += len(portion.rows)
                    self.gone += portion.gone
                    if portion.notice:
                        self._notices.append(portion.notice)
                    if portion.failure:
                        self.failures.append(portion.failure)
                    if portion.rows:
                        yield pa.record_batch(
                            [pa.array([row[name] for row in portion.rows], pa.string()) for name in COLUMNS],
                            schema=SCHEMA,
                        )
                    if portion.place and portion.reached is not None:
                        self.cursor[portion.place] = portion.reached
            except Exception as error:
                self.failures.append(
                    contain(
                        error,
                        "A source of mail was not read to its end; the others were.",
                        where="mail",
                        fix="Until it is fixed, take the source out of the settings (docs/mail.md).",
                    )
                )

    @property
    def has_moved(self) -> bool:
        """Whether any place was read further than the cursor said."""
        return self.cursor != self._begun_at

    def say_notices(self) -> list[str]:
        """Notices for the user about a successful load."""
        gone = [f"{self.gone} messages were deleted at their source while they were read."] if self.gone else []
        return [*self._notices, *gone]


def _check_count(portion: Portion) -> None:
    if portion.asked != len(portion.rows) + portion.gone:
        raise CountMismatch(
            f"{portion.asked} messages were listed, but {len(portion.rows)} were read and {portion.gone} were gone by then.",
            where="mail",
            fix="Run again; if it repeats, the source drops messages.",
        )


def _maildir_source(folder: Path, lake: Lake, kept: Kept) -> Source:
    return lambda cursor: read_maildirs(folder, list_known(lake, MESSAGE_TABLE), kept)


def _imap_source(account: Account, mailbox: Mailbox, keys: Keyring, ca_file: Path | None, kept: Kept) -> Source:
    def read(cursor: Cursor) -> Iterator[Portion]:
        try:
            with closing(ImapMailbox(account, mailbox, keys.credential(account, mailbox), ca_file=ca_file)) as server:
                for folder in account.folders:
                    yield from read_folder(server, folder, cursor, kept)
        except IngestionError:
            raise
        except Exception as error:
            contained = contain(
                error,
                "A mailbox was not read to its end; the others were.",
                where=f"account {account.name}, mailbox {mask(mailbox.address)}",
                fix="Until it is fixed, take the mailbox out of the accounts file.",
            )
        else:
            return
        raise contained  # out here, so that the error's text is not even its context

    return read


def _read_cursor(text: str | None) -> Cursor:
    try:
        stored = json.loads(text or "{}")
    except ValueError:
        return {}  # a load of another kind: everything is read again, and rows that the lake holds are dropped
    return dict(stored) if isinstance(stored, Mapping) else {}


def _summarise(failures: list[IngestionError], count: int, landed_count: int = 0) -> IngestionError:
    landed = f" What the rest had has landed ({landed_count} messages)." if landed_count else ""
    first = failures[0]
    if len(failures) == 1:
        return type(first)(first.what + landed, where=first.where, fix=first.fix)
    lines = [f"{error.what} ({error.where})" for error in failures[:_PROBLEMS_SHOWN]]
    more = f" And {len(failures) - _PROBLEMS_SHOWN} more." if len(failures) > _PROBLEMS_SHOWN else ""
    return MailIncomplete(
        f"{len(failures)} of {count} mail sources could not be read.{landed} {' '.join(lines)}{more}",
        where="mail",
        fix=" ".join(dict.fromkeys(error.fix for error in failures[:_PROBLEMS_SHOWN])),
    )
