"""The providers whose call logs can be read, each into a table of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ingestion.landing import LandingReport
from ingestion.sources.calls import aircall, ringcentral, twilio
from ingestion.sources.calls.settings import CallSettings
from ingestion.sources.calls.tables import AIRCALL_CALLS, RINGCENTRAL_CALLS, TWILIO_CALLS
from ingestion.sources.http_session import RetryingSession
from storage.lake import Lake

CHECK_PATIENCE_SECONDS = 5.0


class IngestCalls(Protocol):
    """The function that each provider's module provides."""

    def __call__(
        self,
        settings: CallSettings,
        lake: Lake,
        *,
        until: datetime,
        run_id: str,
        session: RetryingSession | None = None,
    ) -> LandingReport:
        """Land the calls of the window that ends at `until`."""


@dataclass(frozen=True)
class Provider:
    """One kind of call log.

    Attributes:
        name: Display name.
        table: Lake table.
        url_field: Settings field with its address; the provider is read where this is set.
        ca_field: Settings field with its CA file.
        ingest: Lands its calls.
        check_sign_in: Asks for one call.
    """

    name: str
    table: str
    url_field: str
    ca_field: str
    ingest: IngestCalls
    check_sign_in: Callable[[CallSettings, RetryingSession], None]

    def is_configured(self, settings: CallSettings) -> bool:
        """Whether the settings say where this call log is."""
        return bool(getattr(settings, self.url_field))

    def check(self, settings: CallSettings) -> str:
        """Sign in, ask for one call, and return the address.

        Raises:
            IngestionError: The address does not answer, or the credentials are refused.
        """
        # Somebody is waiting for this check, so it does not retry for minutes.
        session = RetryingSession(
            ca_file=getattr(settings, self.ca_field), timeout=(10, 30), patience=CHECK_PATIENCE_SECONDS
        )
        self.check_sign_in(settings, session)
        return str(getattr(settings, self.url_field))


PROVIDERS = (
    Provider(
        "Twilio", TWILIO_CALLS.name, "telephony_url", "telephony_ca_file", twilio.ingest_calls, twilio.check_sign_in
    ),
    Provider(
        "Aircall", AIRCALL_CALLS.name, "aircall_url", "aircall_ca_file", aircall.ingest_calls, aircall.check_sign_in
    ),
    Provider(
        "RingCentral",
        RINGCENTRAL_CALLS.name,
        "ringcentral_url",
        "ringcentral_ca_file",
        ringcentral.ingest_calls,
        ringcentral.check_sign_in,
    ),
)
CALL_TABLES = tuple(provider.table for provider in PROVIDERS)
