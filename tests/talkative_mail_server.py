"""A local IMAP server with one message that quotes, when it refuses a sign-in, the very secrets it was given: what a client must not pass on.

Enough of the protocol to sign in and to read by; how a real server is read is tested against Dovecot (`dovecot_server`).
"""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread

PASSWORD = "mail-passw0rd-41ac"
MAILBOX = "jane@acme.example"
_HEAD = (
    b"From: jane@acme.example\r\nTo: bob@b.example\r\nDate: Mon, 05 Jan 2026 10:00:00 +0100\r\n"
    b"Message-ID: <1@acme.example>\r\nSubject: Proposal\r\n\r\n"
)
_TOKEN = re.compile("user=(.*)\1auth=Bearer (.*)\1\1")


def encode_token(token: str) -> str:
    """A token as it goes over the wire."""
    return base64.b64encode(f"user={MAILBOX}\1auth=Bearer {token}\1\1".encode()).decode()


class _Handler(StreamRequestHandler):
    is_token_good: Callable[[str], bool]

    def handle(self) -> None:
        self._say("* OK ready")
        while line := self.rfile.readline().decode().strip():
            tag, _, command = line.partition(" ")
            if not self._answer(tag, command):
                return

    def _answer(self, tag: str, command: str) -> bool:
        verb = re.sub(r"^UID ", "UID_", command).partition(" ")[0].upper()
        if verb == "LOGIN":
            _, user, password = shlex.split(command)
            self._sign_in(tag, (user, password) == (MAILBOX, PASSWORD), password)
            return True
        if verb == "AUTHENTICATE":
            self._say("+ ")
            sent = self.rfile.readline().decode().strip()
            match = _TOKEN.fullmatch(base64.b64decode(sent).decode())
            self._sign_in(
                tag,
                match is not None and match[1] == MAILBOX and type(self).is_token_good(match[2]),
                f"{match[2] if match else ''} {sent}",
            )
            return True
        if verb == "CAPABILITY":
            self._say("* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2")
        elif verb in ("EXAMINE", "SELECT"):
            self._say("* 1 EXISTS", "* OK [UIDVALIDITY 7] valid", "* OK [UIDNEXT 2] next")
        elif verb == "UID_SEARCH":
            self._say("* SEARCH 1")
        elif verb == "UID_FETCH":
            facts = f'UID 1 RFC822.SIZE {len(_HEAD)} INTERNALDATE "05-Jan-2026 10:00:01 +0100" BODY[HEADER] {{{len(_HEAD)}}}'
            self._say(f"* 1 FETCH ({facts}", f"{_HEAD.decode()})")
        elif verb == "LOGOUT":
            self._say("* BYE")
        self._say(f"{tag} OK done")
        return verb != "LOGOUT"

    def _sign_in(self, tag: str, is_good: bool, secret: str) -> None:
        self._say(
            f"{tag} OK signed in" if is_good else f"{tag} NO [AUTHENTICATIONFAILED] {secret} does not open {MAILBOX}"
        )

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


class _Server(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def run_talkative_mail_server(is_token_good: Callable[[str], bool]) -> Iterator[int]:
    """Start the server and stop it; gives its port on loopback.

    Args:
        is_token_good: Whether a token opens the mailbox.
    """
    handler = type("Handler", (_Handler,), {"is_token_good": staticmethod(is_token_good)})
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()
