"""A real IMAP server for tests: Dovecot in the foreground on loopback, with everything it writes in one temporary folder."""

from __future__ import annotations

import getpass
import grp
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
from imapclient import IMAPClient

PASSWORD = "correct-horse-battery"
START_SECONDS = 20.0

_CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/run
instance_name = salesops-{port}
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
default_internal_user = {internal_user}
default_internal_group = {group}
default_login_user = {login_user}
first_valid_uid = 1
mail_uid = {internal_user}
mail_gid = {group}
mail_location = maildir:{folder}/mail/%u
mail_fsync = never
auth_mechanisms = plain login xoauth2
auth_failure_delay = 0
disable_plaintext_auth = no
service anvil {{
  chroot =
  # Else each refused sign-in makes the next ones from loopback wait longer.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {folder}/oauth2.conf
}}
passdb {{
  driver = static
  mechanisms = plain login
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={internal_user} gid={group} home={folder}/mail/%u allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox "Gesendete Elemente" {{
    special_use = \\Sent
    auto = create
  }}
}}
"""

_OAUTH = """
introspection_mode = post
introspection_url = {url}
username_attribute = username
active_attribute = active
active_value = true
"""


@dataclass(frozen=True)
class Dovecot:
    """The running server. Any address is a mailbox of it; all have one password.

    Attributes:
        port: Where it speaks plainly and by STARTTLS.
        tls_port: Where it speaks TLS from the first byte.
        ca_file: Whom to trust.
        config: Its configuration, for doveadm.
    """

    port: int
    tls_port: int
    ca_file: Path
    config: Path

    @contextmanager
    def client(self, mailbox: str, folder: str = "INBOX") -> Iterator[IMAPClient]:
        """A second mail program, with the folder open for writing."""
        context = ssl.create_default_context(cafile=str(self.ca_file))
        with IMAPClient("localhost", self.tls_port, ssl_context=context, timeout=20) as client:
            client.login(mailbox, PASSWORD)
            client.select_folder(folder)
            yield client

    def deliver(self, mailbox: str, messages: Sequence[bytes], folder: str = "INBOX") -> None:
        """Put messages into a folder."""
        with self.client(mailbox, folder) as client:
            for message in messages:
                client.append(folder, message)

    def renumber(self, mailbox: str, validity: int) -> None:
        """Give the inbox another UIDVALIDITY, as a server does after it was restored or moved."""
        arguments = ["mailbox", "update", "-u", mailbox, "--uid-validity", str(validity), "INBOX"]
        subprocess.run(["doveadm", "-c", str(self.config), *arguments], check=True, capture_output=True, timeout=30)


@contextmanager
def run_dovecot(program: Path, introspection_url: str) -> Iterator[Dovecot]:
    """Start the server and stop it.

    Args:
        program: Path of `dovecot`.
        introspection_url: Where it asks whether a token is good.
    """
    # Not pytest's own folder: as root the server drops to users of its own, who could not get into it.
    folder = Path(tempfile.mkdtemp(prefix="salesops-dovecot-"))
    try:
        folder.chmod(0o755)
        port, tls_port = _free_port(), _free_port()
        _write_config(folder, port, tls_port, introspection_url)
        config = folder / "dovecot.conf"
        process = subprocess.Popen(
            [str(program), "-F", "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait_until_it_listens(process, tls_port, folder / "log")
            yield Dovecot(port, tls_port, folder / "ca.pem", config)
        finally:
            process.terminate()
            process.wait(timeout=20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_config(folder: Path, port: int, tls_port: int, introspection_url: str) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
    for name in ("run", "mail"):
        (folder / name).mkdir()
    is_root = os.geteuid() == 0
    user = "dovecot" if is_root else getpass.getuser()
    group = "dovecot" if is_root else grp.getgrgid(os.getegid()).gr_name
    if is_root:
        shutil.chown(folder / "mail", user, group)
    (folder / "oauth2.conf").write_text(_OAUTH.format(url=introspection_url))
    (folder / "dovecot.conf").write_text(
        _CONFIG.format(
            folder=folder,
            port=port,
            tls_port=tls_port,
            internal_user=user,
            group=group,
            login_user="dovenull" if is_root else user,
            password=PASSWORD,
        )
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    process.kill()
    raise AssertionError(f"Dovecot did not start: {log.read_text() if log.exists() else 'it wrote no log'}")
