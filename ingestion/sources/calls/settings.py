"""Where the call logs are and how to sign in. Providers can be combined."""

from __future__ import annotations

from pydantic import Field, SecretStr

from storage.settings import AbsolutePath, Settings


class CallSettings(Settings):
    """Address and credentials of each provider."""

    telephony_url: str | None = Field(
        default=None, description="Base URL of a call log that answers in Twilio's shape."
    )
    telephony_account_sid: str | None = None
    telephony_auth_token: SecretStr | None = None
    telephony_ca_file: AbsolutePath | None = None
    aircall_url: str | None = Field(default=None, description="https://api.aircall.io")
    aircall_api_id: str | None = None
    aircall_api_token: SecretStr | None = None
    aircall_ca_file: AbsolutePath | None = None
    ringcentral_url: str | None = Field(default=None, description="https://platform.ringcentral.com")
    ringcentral_client_id: str | None = None
    ringcentral_client_secret: SecretStr | None = None
    ringcentral_jwt: SecretStr | None = Field(
        default=None, description="The JWT credential of the user who reads the company call log."
    )
    ringcentral_ca_file: AbsolutePath | None = None

    @property
    def source_names(self) -> list[str]:
        """Display names of the real sources that are configured."""
        named = {"Twilio": self.telephony_url, "Aircall": self.aircall_url, "RingCentral": self.ringcentral_url}
        return [*(name for name, address in named.items() if address), *super().source_names]
