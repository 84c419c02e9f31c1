"""Load the org's objects, one load each; a refused one does not stop the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from ingestion.errors import IngestionError, SignInError, SourceUnreachable, combine_errors
from ingestion.landing import LandingReport
from ingestion.sources.salesforce.client import SalesforceClient
from ingestion.sources.salesforce.config_file import SalesforceReading
from ingestion.sources.salesforce.extract import ingest_object
from ingestion.sources.salesforce.objects import SalesforceObject
from ingestion.sources.salesforce.windows import Backfill
from storage.lake import Lake


def ingest_objects(
    client: SalesforceClient,
    lake: Lake,
    objects: Iterable[SalesforceObject],
    *,
    until: datetime,
    run_id: str,
    allowed_values: Mapping[str, Sequence[str]] | None = None,
    reading: SalesforceReading | None = None,
    backfill: Backfill | None = None,
) -> Iterator[tuple[str, LandingReport | IngestionError]]:
    """Land the objects in turn.

    Args:
        client: The signed-in org.
        lake: The lake.
        objects: The objects to read.
        until: See `ingest_object`, as for the arguments that follow.
        run_id: The orchestrator's run.
        allowed_values: `stages` and `lead_statuses` in force.
        reading: How Salesforce is read.
        backfill: The window to read again.

    Yields:
        Each object's lake table with the report of its load, or with the error that stopped it.

    Raises:
        SignInError: Salesforce refused the sign-in. The objects that follow were not read, as with the next error.
        SourceUnreachable: Salesforce does not answer, or is busy.
        IngestionError: At the end, if one object was refused: its error.
        LoadsFailed: At the end, if several were.
    """
    client.learn_limits()
    refused: list[IngestionError] = []
    for each in objects:
        outcome: LandingReport | IngestionError
        try:
            outcome = ingest_object(
                client,
                lake,
                each,
                until=until,
                run_id=run_id,
                allowed_values=allowed_values,
                reading=reading,
                backfill=backfill,
            )
        except (SignInError, SourceUnreachable):
            raise  # the next object would fare no better
        except IngestionError as error:
            refused.append(error)
            outcome = error
        except Exception as error:
            error.add_note(
                f"This happened while the Salesforce object {each.name} was read; those after it were not read."
            )
            raise
        yield each.table, outcome
    if refused:
        raise combine_errors(refused)
