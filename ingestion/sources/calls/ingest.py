"""The call logs into the lake, one load each; one that fails does not keep the others from landing."""

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
    """Land the calls of one configured provider after the other. Each is a server of its own, so even a refused sign-in concerns it alone.

    Args:
        settings: Where the call logs are, and how to sign in.
        lake: The lake.
        until: The run's instant, where the windows end.
        run_id: The orchestrator's run.
        providers: Those to look at; one that is not configured is passed over.

    Yields:
        Each provider's lake table with the result of its load, or with the reason why there was none.

    Raises:
        IngestionError: At the end: why the one provider was not read.
        LoadsFailed: At the end: why several were not.
        StorageError: At once: the lake cannot be written.
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
