"""Where Salesforce is and how to sign in, from the environment; `config_file` says how to read it."""

from __future__ import annotations

from pydantic import Field, SecretStr

from storage.settings import AbsolutePath, Settings


class SalesforceSettings(Settings):
    """Address and credentials of the org."""

    salesforce_login_url: str | None = Field(
        default=None, description="https://login.salesforce.com, a sandbox's, or My Domain."
    )
    salesforce_client_id: str | None = None
    salesforce_client_secret: SecretStr | None = Field(
        default=None, description="For the OAuth client-credentials flow."
    )
    salesforce_username: str | None = Field(default=None, description="For the JWT bearer flow.")
    salesforce_private_key_file: AbsolutePath | None = Field(
        default=None, description="PEM key of the JWT bearer flow."
    )
    salesforce_ca_file: AbsolutePath | None = Field(
        default=None, description="CA bundle to trust instead of the system's."
    )
    salesforce_api_version: str = "66.0"

    @property
    def source_names(self) -> list[str]:
        """Display names of the real sources that are configured."""
        return [*(["Salesforce"] if self.salesforce_login_url else []), *super().source_names]
