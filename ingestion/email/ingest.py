"""Every mail source of the settings → one load of `mail__message`.

What one mailbox cannot deliver does not keep back what the others did: that lands, each cursor stands where reading came to, and the run
then fails with what is wrong.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from ingestion.email.accounts import Account, Mailbox, read_accounts
from ingestion.email.exports import read_exports
from ingestion.email.imap import ImapMailbox
from ingestion.email.imap_folder import read_folder
from ingestion.email.maildir import list_known, read_maildirs
from ingestion.email.messages import COLUMNS, MESSAGE_TABLE, Kept, Portion
from ingestion.email.sign_in import Keyring
from ingestion.errors import CountMismatch, IngestionError, MailIncomplete
from ingestion.landing import LandingReport, land
from ingestion.patient_session import PatientSession
from storage.lake import Lake
from storage.settings import Settings

SCHEMA = pa.schema([(name, pa.string()) for name in COLUMNS])
Cursor = dict[str, Any]  # place → what was reached there
Source = Callable[[Cursor], Iterator[Portion]]
_PROBLEMS_SHOWN = 5


def ingest_mail(settings: Settings, lake: Lake, *, known_at: datetime, run_id: str) -> LandingReport:
    """Land the headers of every message that came since the last load, from each source that the settings name.

    Args:
        settings: The accounts, the folders, the secrets, and what is stored of a message.
        lake: The lake.
        known_at: The run's instant.
        run_id: The orchestrator's run.

    Raises:
        OperatorFileError: The accounts file is missing or wrong. Nothing was read.
        MailSignInError: A server refused a mailbox's credentials. What other mailboxes had has landed; so with the next ones.
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
        keys = Keyring(settings.mail_secrets, PatientSession(ca_file=settings.mail_ca_file))
        for account in read_accounts(settings.mail_accounts):
            sources += [_imap_source(account, mailbox, keys, settings.mail_ca_file, kept) for mailbox in account.mailboxes]
    return land_messages(sources, lake, known_at=known_at, run_id=run_id)


def ingest_maildir(folder: Path, lake: Lake, *, known_at: datetime, run_id: str) -> LandingReport:
    """Land the headers of every message in a Maildir, or a folder of Maildirs, that the lake does not hold yet.

    Raises:
        MailboxUnreadable: The folder is missing, holds no Maildir, or a message may not be read.
    """
    return land_messages([_maildir_source(folder, lake, Kept())], lake, known_at=known_at, run_id=run_id)


def land_messages(sources: Sequence[Source], lake: Lake, *, known_at: datetime, run_id: str) -> LandingReport:
    """Read the sources one after the other and land what they give as one load, with the cursor of every place it came to.

    Raises:
        IngestionError: A source failed. What was read before, and of the other sources, has landed.
    """
    previous = lake.newest_load(MESSAGE_TABLE)
    cursor: Cursor = _read_cursor(previous.cursor if previous else None)
    failures: list[IngestionError] = []
    notices: list[str] = []
    gone = 0
    with tempfile.TemporaryFile() as spool_file:
        spool = _Spool(spool_file)
        for source in sources:
            try:
                for portion in source(dict(cursor)):
                    if portion.asked != len(portion.rows) + portion.gone:
                        raise CountMismatch(
                            f"{portion.asked} messages were listed, {len(portion.rows)} read and {portion.gone} gone.",
                            where="mail",
                            fix="Run again; if it repeats, the source drops messages.",
                        )
                    spool.add(portion)
                    gone += portion.gone
                    notices += [portion.notice] if portion.notice else []
                    if portion.place and portion.reached is not None:
                        cursor[portion.place] = portion.reached
            except IngestionError as error:
                failures.append(error)
        if gone:
            notices.append(f"{gone} messages were deleted at their source while they were read.")
        report = LandingReport(MESSAGE_TABLE, cursor=previous.cursor if previous else None)
        if spool.count:
            report = land(
                lake,
                MESSAGE_TABLE,
                spool.read(),
                key=["mailbox", "message_key"],
                version_column="message_key",
                known_at=known_at,
                cursor=json.dumps(cursor, sort_keys=True),
                window=(None, None),
                source_count=spool.count,
                run_id=run_id,
                record_time_column="date",
                details={"asked": str(spool.count + gone), "gone": str(gone)},
            )
    if failures:
        raise _summarise(failures, report, len(sources))
    return LandingReport(**{**vars(report), "notice": " ".join(dict.fromkeys([report.notice, *notices])).strip()})


class _Spool:
    """The rows of a load in a file without a name.

    Count and cursor are known only when the last source has been read, and a first load may be larger than memory.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._writer = file, pa.ipc.new_stream(file, SCHEMA)
        self.count = 0

    def add(self, portion: Portion) -> None:
        if portion.rows:
            columns = [pa.array([row[name] for row in portion.rows], pa.string()) for name in COLUMNS]
            self._writer.write_batch(pa.record_batch(columns, schema=SCHEMA))
            self.count += len(portion.rows)

    def read(self) -> pa.Table:
        self._writer.close()
        self._file.seek(0)
        return pa.ipc.open_stream(self._file).read_all()


def _maildir_source(folder: Path, lake: Lake, kept: Kept) -> Source:
    return lambda cursor: read_maildirs(folder, list_known(lake, MESSAGE_TABLE), kept)


def _imap_source(account: Account, mailbox: Mailbox, keys: Keyring, ca_file: Path | None, kept: Kept) -> Source:
    def read(cursor: Cursor) -> Iterator[Portion]:
        server = ImapMailbox(account, mailbox, keys.credential(account, mailbox), ca_file=ca_file)
        try:
            for folder in account.folders:
                yield from read_folder(server, folder, cursor, kept)
        finally:
            server.close()

    return read


def _read_cursor(text: str | None) -> Cursor:
    try:
        stored = json.loads(text or "{}")
    except ValueError:
        return {}  # a load of another kind: everything is read again, and what the lake holds stays out
    return dict(stored) if isinstance(stored, Mapping) else {}


def _summarise(failures: list[IngestionError], report: LandingReport, count: int) -> IngestionError:
    landed = f" What the rest had has landed ({report.landed} messages)." if report.is_changed else ""
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
