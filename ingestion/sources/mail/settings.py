"""Where mail is, how to sign in, and what to store of a message."""

from __future__ import annotations

from pydantic import Field, SecretStr

from storage.settings import AbsolutePath, Settings


class MailSettings(Settings):
    """Folders, accounts and their secrets."""

    maildir: AbsolutePath | None = Field(
        default=None, description="A Maildir, or a folder of Maildirs, one per mailbox."
    )
    mail_exports: AbsolutePath | None = Field(
        default=None, description="Folder of mbox files and of folders of single messages, named by mailbox."
    )
    mail_accounts: AbsolutePath | None = Field(
        default=None, description="YAML file of the IMAP accounts to read, see docs/mail.md."
    )
    mail_secrets: dict[str, SecretStr] = Field(
        default_factory=dict, description="Name in the accounts file → password, refresh token or secret."
    )
    mail_ca_file: AbsolutePath | None = Field(
        default=None, description="CA bundle to trust instead of the system's, for mail and token servers."
    )
    mail_store_subjects: bool = Field(
        default=False, description="Store subjects in words; their hash is stored always."
    )
    mail_store_bodies: bool = Field(default=False, description="Store the beginning of the text part.")

    @property
    def source_names(self) -> list[str]:
        """Display names of the real sources that are configured."""
        named = {"mail accounts": self.mail_accounts, "Maildir": self.maildir, "mail exports": self.mail_exports}
        return [*(name for name, path in named.items() if path), *super().source_names]
