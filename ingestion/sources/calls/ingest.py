"""Load the call logs, one load each; a failed one does not stop the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from ingestion.errors import IngestionError, combine_errors
from ingestion.landing import LandingReport
from ingestion.sources.calls.providers import PROVIDERS, Provider
from ingestion.sources.calls.settings import CallSettings
from storage.lake import Lake


def ingest_call_logs(
    settings: CallSettings, lake: Lake, *, until: datetime, run_id: str, providers: Sequence[Provider] = PROVIDERS
) -> Iterator[tuple[str, LandingReport | IngestionError]]:
    """Land the calls of each configured provider in turn. Even a refused sign-in affects only its own provider.

    Args:
        settings: Where the call logs are, and how to sign in.
        lake: The lake.
        until: The run's instant, at which the windows end.
        run_id: The orchestrator's run.
        providers: The providers to load; those not configured are skipped.

    Yields:
        Each provider's lake table with the result of its load, or with the error that prevented it.

    Raises:
        IngestionError: At the end, if one provider was not read: its error.
        LoadsFailed: At the end, if several were not.
        StorageError: At once, if the lake cannot be written.
    """
    failed: list[IngestionError] = []
    for provider in providers:
        if not provider.is_configured(settings):
            continue
        outcome: LandingReport | IngestionError
        try:
            outcome = provider.ingest(settings, lake, until=until, run_id=run_id)
        except IngestionError as error:
            failed.append(error)
            outcome = error
        yield provider.table, outcome
    if failed:
        raise combine_errors(failed)
