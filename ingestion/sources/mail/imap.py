"""A mailbox on an IMAP server, with time-outs, TLS, and a new connection when the old one breaks.

What belongs here: connections, and which errors are transient. What does not: which messages are wanted
(`imap_folder`).
"""

from __future__ import annotations

import logging
import re
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from ingestion.errors import IngestionError, MailServerRefused, MailServerUnreachable, MailSignInError
from ingestion.sources.mail.accounts import Account, Mailbox
from ingestion.sources.mail.messages import mask
from ingestion.sources.mail.sign_in import Credential

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 60.0
ATTEMPTS = 5
LONGEST_WAIT_SECONDS = 60.0
SPECIAL_USE = "\\"
_CODE = re.compile(r"\[([A-Z-]+)[^\]]*\]")
# RFC 5530 codes, and what Gmail and Microsoft 365 say when they are busy: the same command may succeed later.
_PASSING = re.compile(
    r"\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG|OVERQUOTA|THROTTLED|EXPUNGEISSUED)\b|too many simultaneous|try again|temporar",
    re.IGNORECASE,
)

Answer = TypeVar("Answer")

# The library logs each line it sends at debug level, tokens included. No log setting, ours or a host application's,
# may reveal them.
logging.getLogger("imapclient").setLevel(logging.WARNING)


class FolderRebuilt(MailServerRefused):
    """The server renumbered a folder's messages while it was being read."""


@dataclass(frozen=True)
class OpenFolder:
    """A folder as it was when opened.

    Attributes:
        name: Its name on the server.
        validity: UIDVALIDITY: message numbers keep their meaning while it stays the same.
        next_uid: The number of the next message to arrive; None where the server does not say.
        count: How many messages it holds.
    """

    name: str
    validity: int
    next_uid: int | None
    count: int


class ImapMailbox:
    """One mailbox. It connects on first use, and again whenever the connection breaks, and reopens the open folder.

    Args:
        account: The server.
        mailbox: The mailbox to read.
        credential: How to sign in.
        ca_file: CA bundle to trust instead of the system's.
        timeout: Seconds to connect, and between two bytes of an answer.
        sleep: Waits between attempts; tests pass one that does not wait.
    """

    def __init__(
        self,
        account: Account,
        mailbox: Mailbox,
        credential: Credential,
        *,
        ca_file: Path | None = None,
        timeout: tuple[float, float] = (CONNECT_SECONDS, ANSWER_SECONDS),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.address = mailbox.address
        self.where = f"mail account {account.name}, mailbox {mask(mailbox.address)}"
        self.connection_count = 0
        self._account, self._credential = account, credential
        self._ca_file, self._timeout, self._sleep = ca_file, SocketTimeout(*timeout), sleep
        self._client: IMAPClient | None = None
        self._folder: OpenFolder | None = None

    def find_folder(self, wanted: str) -> str | None:
        """Name of a folder on this server; a name that begins with a backslash is looked up by its use.

        None where no folder has that use.
        """
        if not wanted.startswith(SPECIAL_USE):
            return wanted
        found = self.ask(lambda client: client.find_special_folder(wanted.encode("ascii", "replace")))
        return str(found) if found else None

    def open_folder(self, name: str) -> OpenFolder:
        """Open a folder read-only: reading marks nothing as "seen".

        Raises:
            MailServerRefused: There is no such folder, or it may not be read.
        """
        self._folder = None
        self._folder = self.ask(lambda client: self._examine(client, name))
        return self._folder

    def ask(self, question: Callable[[IMAPClient], Answer]) -> Answer:
        """Run a query that may be repeated, on a connection that is signed in and has the folder open.

        Raises:
            MailSignInError: The server refused the credentials.
            MailServerUnreachable: It does not answer, after every attempt that made sense.
            MailServerRefused: It answered with a refusal.
            FolderRebuilt: The folder was renumbered when the connection was renewed.
        """
        retrying = Retrying(
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential_jitter(initial=0.5, max=LONGEST_WAIT_SECONDS, jitter=0.5),
            retry=retry_if_exception(_may_pass),
            before_sleep=self._drop,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return retrying(lambda: question(self._connected()))
        except IngestionError:
            self._drop()
            raise
        except (IMAPClientError, OSError) as error:
            self._drop()
            explained = self._explain(error)
        raise explained  # out here, so that the server's text, which may repeat a secret, is not even its context

    def close(self) -> None:
        """Sign out, if the server still answers."""
        client, self._client = self._client, None
        if client:
            with suppress(IMAPClientError, OSError):
                client.logout()

    def _connected(self) -> IMAPClient:
        if self._client is None:
            self._client = self._connect()
            if self._folder:
                reopened = self._examine(self._client, self._folder.name)
                if reopened.validity != self._folder.validity:
                    raise FolderRebuilt(
                        "The server gave a folder's messages new numbers while it was being read.",
                        where=self.where,
                        fix="Run again: the folder is then read anew.",
                    )
        return self._client

    def _connect(self) -> IMAPClient:
        try:
            return self._signed_in()
        except LoginError as error:
            if _may_pass(error) or not self._credential.renew():
                raise
        return self._signed_in()  # the token may have expired, or been withdrawn, early

    def _signed_in(self) -> IMAPClient:
        account = self._account
        context = (
            None
            if account.security == "none"
            else ssl.create_default_context(cafile=str(self._ca_file) if self._ca_file else None)
        )
        client = IMAPClient(
            account.host, account.server_port, ssl=account.security == "tls", ssl_context=context, timeout=self._timeout
        )
        self.connection_count += 1
        try:
            client.normalise_times = False  # times with their zone
            if account.security == "starttls":
                client.starttls(context)
            self._credential.sign_in(client)
        except BaseException:
            with suppress(OSError):
                client.shutdown()
            raise
        return client

    def _examine(self, client: IMAPClient, name: str) -> OpenFolder:
        answer = client.select_folder(name, readonly=True)
        validity = int(answer.get(b"UIDVALIDITY") or 0)
        if not validity:
            raise MailServerRefused(
                "The server does not number its messages for good (no UIDVALIDITY).",
                where=self.where,
                fix="Export the mailbox and read the files.",
            )
        following = answer.get(b"UIDNEXT")
        return OpenFolder(name, validity, int(following) if following else None, int(answer.get(b"EXISTS") or 0))

    def _drop(self, state: RetryCallState | None = None) -> None:
        client, self._client = self._client, None
        if client:
            with suppress(IMAPClientError, OSError):
                client.shutdown()

    def _explain(self, error: Exception) -> IngestionError:
        """The error in our words: a server's own text may name people."""
        said = _CODE.search(str(error))
        code = f" ({said[1]})" if said else ""
        if isinstance(error, LoginError):
            return MailSignInError(
                f"The mail server refused to sign in{code}.",
                where=self.where,
                fix="Check the login and the secret that the accounts file names, and that IMAP is allowed for the mailbox.",
            )
        if isinstance(error, (OSError, IMAPClientAbortError)):
            return MailServerUnreachable(
                f"The mail server {_reason(error)}.",
                where=f"{self.where}, server {self._account.host}:{self._account.server_port}",
                fix="Check host, port and security in the accounts file, the network, and SALESOPS_MAIL_CA_FILE for a private certificate.",
            )
        return MailServerRefused(
            f"The mail server refused a command{code}.",
            where=self.where,
            fix="Check that the folders in the accounts file are there and may be read.",
        )


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, ssl.SSLCertVerificationError):
        return False  # a certificate does not become trusted by asking again
    if isinstance(error, socket.gaierror):
        return error.errno == socket.EAI_AGAIN
    if isinstance(error, (OSError, IMAPClientAbortError)):
        return True
    return isinstance(error, IMAPClientError) and _PASSING.search(str(error)) is not None


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "has a certificate that is not trusted"
    if isinstance(error, ssl.SSLError):
        return "does not speak TLS there, or broke it off"
    if isinstance(error, TimeoutError):
        return "did not answer in time"
    if isinstance(error, socket.gaierror):
        return "has a name that is unknown"
    if isinstance(error, ConnectionRefusedError):
        return "does not accept connections"
    return "broke the connection"
