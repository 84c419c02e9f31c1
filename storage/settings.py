"""Settings: environment variables `SALESOPS_*` and `.env`, read once at the edge and passed on.

Secrets live only here, as `SecretStr`; what an operator tunes (fiscal year, stage map, plans) lives in `config/` and goes into the
lake, so that a figure can be traced to the setting it was made with.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableValue

from storage.errors import SettingsError
from storage.home import Home

PROJECT_ROOT = Path(__file__).resolve().parent.parent


def _or_aws(name: str, *further: str) -> AliasChoices:
    """`SALESOPS_LAKE_<NAME>`, else the variable that other S3 clients read."""
    return AliasChoices(f"SALESOPS_LAKE_{name}", *(f"AWS_{aws}" for aws in (name, *further)))


class Settings(BaseSettings):
    """What the environment says. Every field is the environment variable `SALESOPS_<FIELD>` in upper case."""

    model_config = SettingsConfigDict(
        env_prefix="SALESOPS_", env_file=".env", env_file_encoding="utf-8", env_nested_delimiter="__", extra="ignore", populate_by_name=True
    )

    home: Path = Field(default=Path("data"), description="Root of everything a run writes.")
    config_dir: Path = Field(default=PROJECT_ROOT / "config", description="What an operator edits: org settings, stage map, plans, mappings.")

    lake: str | None = Field(default=None, description="Where the lake lies: a folder, or s3://bucket/prefix. Default: SALESOPS_HOME/lake.")
    lake_endpoint_url: str | None = Field(default=None, validation_alias=_or_aws("ENDPOINT_URL"), description="Of an S3 that is not Amazon's.")
    lake_region: str | None = Field(default=None, validation_alias=_or_aws("REGION", "DEFAULT_REGION"))
    lake_access_key_id: str | None = Field(default=None, validation_alias=_or_aws("ACCESS_KEY_ID"))
    lake_secret_access_key: SecretStr | None = Field(default=None, validation_alias=_or_aws("SECRET_ACCESS_KEY"))
    lake_session_token: SecretStr | None = Field(default=None, validation_alias=_or_aws("SESSION_TOKEN"))

    salesforce_login_url: str | None = Field(default=None, description="https://login.salesforce.com, a sandbox's, or My Domain.")
    salesforce_client_id: str | None = None
    salesforce_client_secret: SecretStr | None = Field(default=None, description="For the OAuth client-credentials flow.")
    salesforce_username: str | None = Field(default=None, description="For the JWT bearer flow.")
    salesforce_private_key_file: Path | None = Field(default=None, description="PEM key of the JWT bearer flow.")
    salesforce_ca_file: Path | None = Field(default=None, description="CA bundle to trust instead of the system's.")
    salesforce_api_version: str = "66.0"

    telephony_url: str | None = Field(default=None, description="Base URL of a call log that answers in Twilio's shape.")
    telephony_account_sid: str | None = None
    telephony_auth_token: SecretStr | None = None
    telephony_ca_file: Path | None = None
    aircall_url: str | None = Field(default=None, description="https://api.aircall.io")
    aircall_api_id: str | None = None
    aircall_api_token: SecretStr | None = None
    aircall_ca_file: Path | None = None
    ringcentral_url: str | None = Field(default=None, description="https://platform.ringcentral.com")
    ringcentral_client_id: str | None = None
    ringcentral_client_secret: SecretStr | None = None
    ringcentral_jwt: SecretStr | None = Field(default=None, description="The JWT credential of the user who reads the company call log.")
    ringcentral_ca_file: Path | None = None
    telephony_region: str = Field(default="US", pattern=r"^[A-Z]{2}$", description="Country of phone numbers without a country code.")

    maildir: Path | None = Field(default=None, description="A Maildir, or a folder of Maildirs, one per mailbox.")
    mail_exports: Path | None = Field(default=None, description="Folder of mbox files and of folders of single messages, named by mailbox.")
    mail_accounts: Path | None = Field(default=None, description="YAML file of the IMAP accounts to read, see docs/mail.md.")
    mail_secrets: dict[str, SecretStr] = Field(default_factory=dict, description="Name in the accounts file → password, refresh token or secret.")
    mail_ca_file: Path | None = Field(default=None, description="CA bundle to trust instead of the system's, for mail and token servers.")
    mail_store_subjects: bool = Field(default=False, description="Store subjects in words; their hash is stored always.")
    mail_store_bodies: bool = Field(default=False, description="Store the beginning of the text part.")
    feeds_dir: Path | None = Field(default=None, description="Folder of canonical CSV feeds: personnel, quotas, invoices …")
    drop_dir: Path | None = Field(default=None, description="Folder where other systems drop feed files; by default `incoming` in the feeds folder.")
    drop_settle_seconds: float = Field(default=5, ge=0, description="How long a dropped file must lie unchanged before a run takes it.")

    publish_pii: str = Field(default="", description="Columns with personal data to publish in clear, as mart.column or mart.*, with commas between.")
    publish_group: str | None = Field(default=None, description="Group, by name or number, that may read the published set without pay.")

    mapping: Path | None = Field(default=None, description="YAML file that maps an export to canonical objects.")
    files: Path | None = Field(default=None, description="Folder with the export's CSV or Parquet files.")

    simulation_size: Literal["tiny", "small", "medium", "large"] = "small"
    simulation_seed: int = 7

    @property
    def home_folder(self) -> Home:
        """The home folder as an object that knows the paths in it."""
        return Home(self.home)

    @property
    def drop_folder(self) -> Path | None:
        """Where feed files are dropped; None where there is no such folder and none was asked for."""
        if self.drop_dir or not self.feeds_dir:
            return self.drop_dir
        incoming = self.feeds_dir / "incoming"
        return incoming if incoming.is_dir() else None

    @property
    def lake_storage_options(self) -> dict[str, str]:
        """What delta-rs needs to reach a remote lake, by the names that other S3 clients use too. Holds secrets: never log it."""
        given = {
            "AWS_ENDPOINT_URL": self.lake_endpoint_url,
            "AWS_REGION": self.lake_region,
            "AWS_ACCESS_KEY_ID": self.lake_access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.lake_secret_access_key.get_secret_value() if self.lake_secret_access_key else None,
            "AWS_SESSION_TOKEN": self.lake_session_token.get_secret_value() if self.lake_session_token else None,
        }
        return {name: value for name, value in given.items() if value}

    @property
    def has_source(self) -> bool:
        """Whether any real source is configured; without one a run plays the simulated company."""
        calls = (self.telephony_url, self.aircall_url, self.ringcentral_url)
        mail = (self.maildir, self.mail_exports, self.mail_accounts)
        return any((self.salesforce_login_url, *calls, *mail, self.feeds_dir, self.drop_dir, self.mapping))

    @property
    def origin(self) -> str:
        """Name of the company these settings point at, see `Home.claim`."""
        if not self.has_source:
            return f"simulation:{self.simulation_size}:{self.simulation_seed}"
        return f"mapping:{self.mapping.stem}" if self.mapping else "sources"


def load_settings(**overrides: object) -> Settings:
    """Read the settings from environment and `.env`; `overrides` win.

    Raises:
        SettingsError: A value cannot be used; the message names the variable.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # values are checked by pydantic, not by mypy
    except ValidationError as error:
        first = error.errors()[0]
        name = "SALESOPS_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{name}: {first['msg']}", where="environment or .env", fix="See .env.example for every setting.") from None
    except UnreadableValue as error:  # a variable that takes several values and is no JSON: the message names the field, not the value
        raise SettingsError(f"{error}.", where="environment or .env", fix="See .env.example for every setting.") from None
