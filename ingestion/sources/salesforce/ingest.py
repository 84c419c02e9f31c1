"""Load the org's objects, one load each; a refused one does not stop the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from ingestion.errors import (
    ContractBroken,
    IngestionError,
    SalesforceRefused,
    SignInError,
    SourceUnreachable,
    combine_errors,
    contain,
)
from ingestion.landing import LandingReport
from ingestion.sources.salesforce.client import SalesforceClient
from ingestion.sources.salesforce.config_file import SalesforceReading
from ingestion.sources.salesforce.extract import ingest_object
from ingestion.sources.salesforce.objects import SalesforceObject
from ingestion.sources.salesforce.refusals import is_about_one_object
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
    """Land the objects in turn. One that is refused keeps neither the others nor what follows from going on.

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
        Each object's lake table with the report of its load; that of a refused object says why it was not read. A
        broken contract comes as the error itself, and in a backfill every refusal does.

    Raises:
        SignInError: Salesforce refused the sign-in. The objects that follow were not read, as with the next error.
        SourceUnreachable: Salesforce does not answer, or is busy.
        IngestionError: At the end, if a contract was broken, if the lake has nothing of the org to go on with, or in
            a backfill: the error of the object that was refused.
        LoadsFailed: Likewise, if several objects were refused.
    """
    reading = reading or SalesforceReading()
    for object_name, field_name in reading.left_out_fields:
        client.leave_out(object_name, field_name)
    client.learn_limits()
    refused: list[IngestionError] = []
    must_fail, has_landed = backfill is not None, False
    for each in objects:
        if each.name in reading.left_out_objects:
            yield each.table, LandingReport(each.table, cursor=_find_cursor(lake, each))
            continue
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
        except Exception as error:
            outcome = contain(
                error,
                f"This load of {each.name} landed nothing.",
                where=f"Salesforce object {each.name}",
                fix=f"To do without it, add {each.name} to leave_out in config/salesforce.yml.",
            )
        if isinstance(outcome, IngestionError):
            refused.append(outcome)
            must_fail |= isinstance(outcome, ContractBroken)
            if backfill is None and not isinstance(outcome, ContractBroken):
                outcome = LandingReport(
                    each.table, cursor=_find_cursor(lake, each), notice=_say_refused(each, outcome), is_undone=True
                )
        has_landed |= isinstance(outcome, LandingReport) and outcome.cursor is not None
        yield each.table, outcome
    if refused and (must_fail or not has_landed):
        raise combine_errors(refused)


def _find_cursor(lake: Lake, salesforce_object: SalesforceObject) -> str | None:
    previous = lake.newest_load(salesforce_object.table)
    return previous.cursor if previous else None


def _say_refused(salesforce_object: SalesforceObject, error: IngestionError) -> str:
    """The notice of an object that was refused: why, and what helps."""
    name = salesforce_object.name
    code = error.code if isinstance(error, SalesforceRefused) else ""
    otherwise = (
        f" To do without it, add {name} to leave_out in config/salesforce.yml."
        if isinstance(error, SalesforceRefused) and is_about_one_object(code)
        else ""
    )
    return f"{name} was not read. {error.what} {error.fix}{otherwise}"
