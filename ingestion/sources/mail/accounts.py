"""The accounts file: IMAP servers to read, their mailboxes, and how to sign in. Secrets are only named here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from ingestion.settings.models import Name
from ingestion.sources.http_session import LOOPBACK
from storage.operator_files import OperatorModel, read_file

Label = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9]+(?:_[a-z0-9]+)*$",
        description="lower case, digits and single underscores: part of a variable's name",
    ),
]
Address = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
Security = Literal["tls", "starttls", "none"]

DEFAULT_FOLDERS = ("INBOX", "\\Sent")
_PORTS = {"tls": 993, "starttls": 143, "none": 143}


class OAuth(OperatorModel):
    """How to request a token.

    Attributes:
        token_url: Where to request it.
        grant: `refresh_token` (the mailbox's secret is the refresh token) or `client_credentials` (the account's secret is the client's).
        client_id: The application.
        client_secret: Name of the application's secret, for a refresh token that needs one.
        scope: What the token is for, if the server requires it.
    """

    token_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+")]
    grant: Literal["refresh_token", "client_credentials"]
    client_id: Name
    client_secret: Label | None = None
    scope: Name | None = None

    @model_validator(mode="after")
    def _is_encrypted(self) -> OAuth:
        if (
            self.token_url.startswith("http://")
            and self.token_url[7:].partition("/")[0].partition(":")[0] not in LOOPBACK
        ):
            raise ValueError("token_url must be https: a secret is sent there")
        return self


class Mailbox(OperatorModel):
    """One mailbox; in the file, its address alone is enough.

    Attributes:
        address: Its mail address.
        login: User name, if it does not follow the account's pattern.
        secret: Name of its own secret, if it does not use the account's.
    """

    address: Address
    login: Name | None = None
    secret: Label | None = None

    @field_validator("address")
    @classmethod
    def _in_lower_case(cls, address: str) -> str:
        return address.lower()


class Account(OperatorModel):
    r"""A server, a way to sign in, and the mailboxes to read with it.

    Attributes:
        name: Identifies the account in messages, and names its secret unless `secret` does.
        host: The IMAP server.
        port: 993 for tls, else 143, unless given.
        security: `tls` from the first byte, `starttls`, or `none` (loopback only).
        sign_in: `password`, or `xoauth2` with `oauth`.
        login: The user name's pattern; `{mailbox}` stands for the address (a master user: `{mailbox}*master`).
        secret: Name of the secret: `sales` is the variable SALESOPS_MAIL_SECRETS__SALES.
        oauth: How to request tokens.
        folders: Folders to read; a name that begins with a backslash is found by its use, whatever its real name:
            \Sent, \All, \Archive.
        mailboxes: The mailboxes to read.
    """

    name: Label
    host: Name
    port: Annotated[int, Field(gt=0, lt=65536)] | None = None
    security: Security = "tls"
    sign_in: Literal["password", "xoauth2"] = "password"
    login: Name = "{mailbox}"
    secret: Label | None = None
    oauth: OAuth | None = None
    folders: Annotated[tuple[Name, ...], Field(min_length=1)] = DEFAULT_FOLDERS
    mailboxes: Annotated[tuple[Mailbox, ...], Field(min_length=1)]

    @field_validator("mailboxes", mode="before")
    @classmethod
    def _short_form(cls, mailboxes: object) -> object:
        if not isinstance(mailboxes, list):
            return mailboxes
        return [{"address": mailbox} if isinstance(mailbox, str) else mailbox for mailbox in mailboxes]

    @model_validator(mode="after")
    def _fits_together(self) -> Account:
        if (self.sign_in == "xoauth2") != (self.oauth is not None):
            raise ValueError("give oauth with sign_in: xoauth2, and only then")
        if self.security == "none" and self.host not in LOOPBACK:
            raise ValueError("security: none sends secrets in the open and is for loopback only; use tls or starttls")
        return self

    @property
    def server_port(self) -> int:
        """The port; by default the usual one."""
        return self.port or _PORTS[self.security]

    def user_name(self, mailbox: Mailbox) -> str:
        """The user name for reading the mailbox."""
        return mailbox.login or self.login.replace("{mailbox}", mailbox.address)

    def secret_name(self, mailbox: Mailbox) -> str:
        """Name of the secret that opens the mailbox."""
        return mailbox.secret or self.secret or self.name


class _AccountsFile(OperatorModel):
    accounts: Annotated[tuple[Account, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _mailboxes_occur_once(self) -> _AccountsFile:
        names = [account.name for account in self.accounts]
        addresses = [mailbox.address for account in self.accounts for mailbox in account.mailboxes]
        if len(set(names)) < len(names):
            raise ValueError("two accounts have the same name")
        if len(set(addresses)) < len(addresses):
            raise ValueError("a mailbox occurs twice")
        return self


def read_accounts(path: Path) -> tuple[Account, ...]:
    """Read the accounts file.

    Raises:
        OperatorFileError: The file is missing, or a key in it is missing, unknown or wrong.
    """
    return read_file(path, _AccountsFile, reference="docs/mail.md lists every key.").content.accounts
