"""The settings of the whole platform: those of `storage` and of every kind of source."""

from __future__ import annotations

from ingestion.sources.calls.settings import CallSettings
from ingestion.sources.feeds.settings import FeedSettings
from ingestion.sources.files.settings import FileSettings
from ingestion.sources.mail.settings import MailSettings
from ingestion.sources.salesforce.settings import SalesforceSettings
from storage.settings import read_settings


class PlatformSettings(SalesforceSettings, CallSettings, MailSettings, FeedSettings, FileSettings):
    """Settings from the environment and the settings file.

    Every field is the variable `SALESOPS_<FIELD>` in upper case; a blank one counts as not set.
    """


def load_settings(**overrides: object) -> PlatformSettings:
    """Read all settings from the environment and the settings file; `overrides` win.

    Args:
        overrides: Fields of `PlatformSettings`, and `_env_file`; see `storage.settings.read_settings`.

    Raises:
        SettingsError: A value cannot be used, or the settings file cannot be read; the message names the variable or
            the file.
    """
    return read_settings(PlatformSettings, **overrides)
