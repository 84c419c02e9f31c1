"""Settings: environment variables `SALESOPS_*` and the settings file, read once at the edge and passed on.

What belongs here: where the home, the lake and the configuration are, and what every package shares. What does not: how
to reach a source (`ingestion.sources.<kind>.settings`).
Secrets live only in settings, as `SecretStr`. What an operator tunes (fiscal year, stage map, plans) lives in `config/`
and is loaded into the lake, so that a figure can be traced to the setting behind it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, AliasChoices, Field, PrivateAttr, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableValue

from storage.errors import SettingsError
from storage.home import Home
from storage.settings_file import DEFAULT_HOME, SettingsFileSource, absolute, absolute_lake, find_settings_file

PROJECT_ROOT = Path(__file__).resolve().parent.parent

# Paths from the environment or an option start at the working directory; those from the settings file are absolute by
# then.
AbsolutePath = Annotated[Path, AfterValidator(absolute)]


def _or_aws(name: str, *further: str) -> AliasChoices:
    """`SALESOPS_LAKE_<NAME>`, else the variable that other S3 clients read."""
    return AliasChoices(f"SALESOPS_LAKE_{name}", *(f"AWS_{aws}" for aws in (name, *further)))


class Settings(BaseSettings):
    """Settings from the environment and the settings file.

    Every field is the variable `SALESOPS_<FIELD>` in upper case; a blank one counts as not set.
    """

    model_config = SettingsConfigDict(
        env_prefix="SALESOPS_",
        env_file_encoding="utf-8",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="ignore",
        populate_by_name=True,
    )

    home: AbsolutePath = Field(
        default_factory=lambda: absolute(Path(DEFAULT_HOME)), description="Root of everything a run writes."
    )
    config_dir: AbsolutePath = Field(
        default=PROJECT_ROOT / "config", description="What an operator edits: org settings, stage map, plans, mappings."
    )

    lake: Annotated[str, AfterValidator(absolute_lake)] | None = Field(
        default=None, description="Where the lake lies: a folder, or s3://bucket/prefix. Default: SALESOPS_HOME/lake."
    )
    lake_endpoint_url: str | None = Field(
        default=None, validation_alias=_or_aws("ENDPOINT_URL"), description="Of an S3 that is not Amazon's."
    )
    lake_region: str | None = Field(default=None, validation_alias=_or_aws("REGION", "DEFAULT_REGION"))
    lake_access_key_id: str | None = Field(default=None, validation_alias=_or_aws("ACCESS_KEY_ID"))
    lake_secret_access_key: SecretStr | None = Field(default=None, validation_alias=_or_aws("SECRET_ACCESS_KEY"))
    lake_session_token: SecretStr | None = Field(default=None, validation_alias=_or_aws("SESSION_TOKEN"))

    telephony_region: str = Field(
        default="US", pattern=r"^[A-Z]{2}$", description="Country of phone numbers without a country code."
    )

    publish_pii: str = Field(
        default="",
        description="Columns with personal data to publish in clear, as mart.column or mart.*, with commas between.",
    )
    publish_group: str | None = Field(
        default=None, description="Group, by name or number, that may read the published set without pay."
    )

    simulate: bool = Field(default=False, description="Play the simulated company; only where no source is configured.")
    simulation_size: Literal["tiny", "small", "medium", "large"] = "small"
    simulation_seed: int = 7

    _settings_file: Path | None = PrivateAttr(default=None)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, and the environment over the settings file."""
        return init_settings, env_settings, SettingsFileSource(settings_cls, getattr(dotenv_settings, "env_file", None))

    @property
    def settings_file(self) -> Path | None:
        """The settings file that was read; None if there is none."""
        return self._settings_file

    @property
    def home_folder(self) -> Home:
        """The home folder as an object with the paths in it."""
        return Home(self.home)

    @property
    def lake_storage_options(self) -> dict[str, str]:
        """What delta-rs needs for a remote lake, named as in other S3 clients. Holds secrets: never log it."""
        given = {
            "AWS_ENDPOINT_URL": self.lake_endpoint_url,
            "AWS_REGION": self.lake_region,
            "AWS_ACCESS_KEY_ID": self.lake_access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.lake_secret_access_key.get_secret_value()
            if self.lake_secret_access_key
            else None,
            "AWS_SESSION_TOKEN": self.lake_session_token.get_secret_value() if self.lake_session_token else None,
        }
        return {name: value for name, value in given.items() if value}

    @property
    def source_names(self) -> list[str]:
        """Display names of the configured real sources: each source's settings add its own; this base has none."""
        return []

    @property
    def has_source(self) -> bool:
        """Whether a real source is configured. If not, only the simulated company can be played (`storage.origin`)."""
        return bool(self.source_names)

    @property
    def origin(self) -> str:
        """Name of the company that these settings point at; see `storage.origin`."""
        return "sources" if self.has_source else f"simulation:{self.simulation_size}:{self.simulation_seed}"


AnySettings = TypeVar("AnySettings", bound=Settings)


def read_settings(kind: type[AnySettings], **overrides: object) -> AnySettings:
    """Read the settings from the environment and the settings file; `overrides` win.

    Args:
        kind: `Settings`, or a subclass that adds a source's.
        overrides: Fields of that class, and `_env_file`: the settings file to read instead of the one that is found;
            None for none.

    Raises:
        SettingsError: A value cannot be used (the message names the variable), or the named file does not exist or
            cannot be read.
    """
    file = overrides.pop("_env_file") if "_env_file" in overrides else find_settings_file()
    assert file is None or isinstance(file, Path)  # as documented
    where = f"environment or {file}" if file else "environment"
    try:
        settings = kind(_env_file=file, **overrides)  # type: ignore[arg-type]  # values are checked by pydantic, not by mypy
    except ValidationError as error:
        first = error.errors()[0]
        name = "SALESOPS_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{name}: {first['msg']}", where=where, fix="See .env.example for every setting.") from None
    except UnreadableValue as error:
        # A variable that takes several values is not JSON: the message names the field, not the value.
        raise SettingsError(f"{error}.", where=where, fix="See .env.example for every setting.") from None
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or "it is not UTF-8 text"
        raise SettingsError(
            f"The settings file cannot be read: {why}.", where=str(file), fix="Check its permissions and its content."
        ) from None
    settings._settings_file = file
    return settings
