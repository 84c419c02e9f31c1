"""Errors between a source and the lake, in words a user can act on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from storage.errors import SalesopsError, find_own_frame, name_file
from storage.room import is_disk_full

if TYPE_CHECKING:
    from ingestion.contracts import Violation


class IngestionError(SalesopsError):
    """A source could not be brought into the lake. Earlier loads are untouched, and the cursor stays."""


class SourceUnreachable(IngestionError):
    """The server did not answer, timed out, or stayed busy through every retry that made sense."""


class SignInError(IngestionError):
    """The source refused the credentials."""


class SourceRefused(IngestionError):
    """The source answered with a refusal: a limit, a missing permission, a query it does not understand."""


class CountMismatch(IngestionError):
    """The source says it delivered a different number of records than were read."""


class ContractBroken(IngestionError):
    """A load breaks a fatal rule of its contract. Nothing of it landed.

    Args:
        violations: The broken rules, with counts and samples.
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "", violations: Sequence[Violation] = ()) -> None:
        super().__init__(what, where=where, fix=fix)
        self.violations = tuple(violations)


class LoadsFailed(IngestionError):
    """Several tables of one source could not be loaded; the others were.

    Args:
        errors: The individual errors.
    """

    def __init__(self, errors: Sequence[IngestionError]) -> None:
        what = f"{len(errors)} tables were not loaded; the others were. " + " ".join(error.what for error in errors)
        super().__init__(
            what,
            where="; ".join(dict.fromkeys(error.where for error in errors)),
            fix=" ".join(dict.fromkeys(error.fix for error in errors)),
        )


def combine_errors(errors: Sequence[IngestionError]) -> IngestionError:
    """Combine errors that did not stop other loads: the only one itself, or else one that names each of them once."""
    different = list(dict.fromkeys(errors))
    return different[0] if len(different) == 1 else LoadsFailed(different)


class UnexpectedError(IngestionError):
    """An error that nobody foresaw, contained in the feed, file, mailbox or object where it happened."""


def contain(error: Exception, what: str, *, where: str, fix: str) -> IngestionError:
    """The error to report for whatever stopped one part of a source, so that the other parts go on.

    The text of a foreign error is left out: it may quote a value, and messages and logs are kept. What is returned
    carries the error's traceback, and not the error itself, whose text a log of causes would show.

    Args:
        error: What happened.
        what: What was not done because of it, as a sentence.
        where: The file, mailbox or object.
        fix: How to go on without that part.

    Raises:
        Exception: The error itself, where going on makes no sense: the lake cannot be written, the disk is full, or
            memory ran out.
    """
    if isinstance(error, IngestionError):
        return error
    if isinstance(error, (SalesopsError, MemoryError)) or is_disk_full(error):
        raise error
    frame = find_own_frame(error)
    place = f" in {name_file(frame)}, line {frame.lineno}" if frame else ""
    return UnexpectedError(
        f"{what} This is a bug in Salesops or a library: {type(error).__name__}{place}.",
        where=where,
        fix=f"{fix} Please report it with this message.",
    ).with_traceback(error.__traceback__)


class SalesforceSignInError(SignInError):
    """Salesforce refused the connected app, its secret, its key or its user."""


class SalesforceUnreachable(SourceUnreachable):
    """The Salesforce login or instance server does not answer, or is busy or under maintenance."""


class SalesforceRefused(SourceRefused):
    """Salesforce answered a request with an error that a retry will not cure.

    Args:
        code: Salesforce's own name for it, such as `QUERY_TIMEOUT`; empty where it gave none.
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "", code: str = "") -> None:
        super().__init__(what, where=where, fix=fix)
        self.code = code


class SalesforceJobFailed(SalesforceRefused):
    """A Bulk 2.0 query job failed, was aborted, or did not end in time."""


class TelephonySignInError(SignInError):
    """The call log refused the account or its token."""


class TelephonyUnreachable(SourceUnreachable):
    """The call log does not answer."""


class MailboxUnreadable(IngestionError):
    """The folder of mailboxes is missing or cannot be read."""


class WithdrawalError(IngestionError):
    """What an operator asked to withdraw or reinstate is not there. Nothing was changed."""


class QuarantineError(IngestionError):
    """Quarantined rows cannot be listed or replayed."""


class MailSignInError(SignInError):
    """A mail server refused a mailbox's password or token, or the token server refused to give one."""


class MailServerUnreachable(SourceUnreachable):
    """A mail server, or the server that gives its tokens, does not answer."""


class MailServerRefused(SourceRefused):
    """A mail server refused a request: a folder that does not exist, a command it does not know."""


class MailIncomplete(IngestionError):
    """Some mailboxes could not be read. The others' messages have landed, and each cursor is where reading stopped."""
