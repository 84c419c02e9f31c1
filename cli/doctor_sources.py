"""The `salesops doctor` checks of the sources: the folders and files in the settings, and signing in to servers."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from cli.check import Check
from ingestion.sources.settings import PlatformSettings
from storage.errors import SettingsError


def list_source_checks(settings: PlatformSettings) -> Iterator[Check]:
    """The checks of every configured source; none for a source that is not configured."""
    yield from _list_files(settings)
    yield from _list_folders(settings)
    yield from _list_servers(settings)


def _list_files(settings: PlatformSettings) -> Iterator[Check]:
    if mapping := settings.mapping:
        yield Check("mapping file", partial(_check_mapping, mapping))
        yield Check("files of the mapping", partial(_check_export, settings.files))
    if key := settings.salesforce_private_key_file:
        yield Check("private key of Salesforce", partial(_check_file, key, "SALESOPS_SALESFORCE_PRIVATE_KEY_FILE"))
    for name in ("salesforce_ca_file", "telephony_ca_file", "aircall_ca_file", "ringcentral_ca_file", "mail_ca_file"):
        if path := getattr(settings, name):
            yield Check(f"certificates {name}", partial(_check_certificates, path, f"SALESOPS_{name.upper()}"))


def _list_folders(settings: PlatformSettings) -> Iterator[Check]:
    if feeds := settings.feeds_dir:
        yield Check("feeds folder", partial(_check_folder, feeds, "SALESOPS_FEEDS_DIR"))
    if drops := settings.drop_folder:
        yield Check("drop folder", partial(_check_folder, drops, "SALESOPS_DROP_DIR"))
    if maildir := settings.maildir:
        yield Check("Maildir", partial(_check_maildir, maildir))
    if exports := settings.mail_exports:
        yield Check("mail exports", partial(_check_mail_exports, exports))


def _list_servers(settings: PlatformSettings) -> Iterator[Check]:
    if settings.salesforce_login_url:
        yield Check("Salesforce sign-in", partial(_check_salesforce, settings))
    if settings.mail_accounts:
        yield Check("mail sign-in", partial(_check_mail_accounts, settings))
    if settings.telephony_url or settings.aircall_url or settings.ringcentral_url:
        from ingestion.sources.calls.providers import PROVIDERS

        for provider in PROVIDERS:
            if provider.is_configured(settings):
                yield Check(f"{provider.name} sign-in", partial(provider.check, settings))


def _check_folder(folder: Path, setting: str) -> str:
    """Check that the folder exists and can be listed; returns its number of entries."""
    try:
        entries = sum(1 for _ in folder.iterdir())
    except OSError as error:
        raise SettingsError(
            f"The folder cannot be read: {error.strerror or error}.",
            where=str(folder),
            fix=f"Check {setting} and permissions.",
        ) from None
    return f"{folder}, {entries} entries"


def _check_file(path: Path, setting: str) -> str:
    if not path.is_file() or not os.access(path, os.R_OK):
        raise SettingsError(
            "The file does not exist or cannot be read.", where=str(path), fix=f"Check {setting} and permissions."
        )
    return str(path)


def _check_certificates(path: Path, setting: str) -> str:
    _check_file(path, setting)
    try:
        ssl.create_default_context(cafile=str(path))
    except ssl.SSLError:
        raise SettingsError(
            "The file holds no certificates.", where=str(path), fix=f"{setting} must name a PEM file."
        ) from None
    return str(path)


def _check_mapping(path: Path) -> str:
    from ingestion.sources.files.mapping import load_mapping

    load_mapping(path)
    return str(path)


def _check_export(folder: Path | None) -> str:
    if folder is None:
        raise SettingsError(
            "A mapping is configured, but not where its files lie.",
            where="SALESOPS_FILES",
            fix="Set SALESOPS_FILES to their folder.",
        )
    return _check_folder(folder, "SALESOPS_FILES")


def _check_maildir(folder: Path) -> str:
    from ingestion.sources.mail.maildir import count_maildirs

    _check_folder(folder, "SALESOPS_MAILDIR")
    return f"{folder}, {count_maildirs(folder)} mailboxes"


def _check_mail_exports(folder: Path) -> str:
    found = _check_folder(folder, "SALESOPS_MAIL_EXPORTS")
    if not any(
        entry.is_dir() or entry.suffix.lower() == ".mbox"
        for entry in folder.iterdir()
        if not entry.name.startswith(".")
    ):
        raise SettingsError(
            "The folder holds neither .mbox files nor folders.",
            where=str(folder),
            fix="Check SALESOPS_MAIL_EXPORTS; see docs/mail.md.",
        )
    return found


def _check_salesforce(settings: PlatformSettings) -> str:
    from ingestion.sources.salesforce.client import connect_salesforce

    connect_salesforce(settings)
    return str(settings.salesforce_login_url)


def _check_mail_accounts(settings: PlatformSettings) -> str:
    from ingestion.sources.mail.ingest import check_mail_accounts

    mailboxes, folders = check_mail_accounts(settings)
    return f"{mailboxes} mailboxes, {folders} folders to read"
