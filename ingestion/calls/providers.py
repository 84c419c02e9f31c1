"""The providers whose call logs can be read, each into a table of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ingestion.calls import aircall, ringcentral, twilio
from ingestion.landing import LandingReport
from ingestion.patient_session import PatientSession
from storage.lake import Lake
from storage.settings import Settings


class IngestCalls(Protocol):
    """What each provider's module offers."""

    def __call__(self, settings: Settings, lake: Lake, *, until: datetime, run_id: str, session: PatientSession | None = None) -> LandingReport:
        """Land the calls of the window that ends at `until`."""


@dataclass(frozen=True)
class Provider:
    """One kind of call log.

    Attributes:
        name: As people say it.
        table: Lake table.
        url_field: Field of the settings that gives its address: the provider is read where it is set.
        ingest: Lands its calls.
    """

    name: str
    table: str
    url_field: str
    ingest: IngestCalls

    def is_configured(self, settings: Settings) -> bool:
        """Whether the settings say where this call log is."""
        return bool(getattr(settings, self.url_field))


PROVIDERS = (
    Provider("Twilio", twilio.CALL_TABLE, "telephony_url", twilio.ingest_calls),
    Provider("Aircall", aircall.CALL_TABLE, "aircall_url", aircall.ingest_calls),
    Provider("RingCentral", ringcentral.CALL_TABLE, "ringcentral_url", ringcentral.ingest_calls),
)
CALL_TABLES = tuple(provider.table for provider in PROVIDERS)
