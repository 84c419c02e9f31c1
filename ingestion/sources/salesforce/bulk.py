"""One Bulk 2.0 query job: create it, wait for it, read it, delete it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from simple_salesforce.bulk2 import Operation

from ingestion.errors import IngestionError, SalesforceJobFailed
from ingestion.sources.salesforce.client import Field, SalesforceClient
from ingestion.sources.salesforce.refusals import find_code, find_fix, shorten
from ingestion.sources.salesforce.result_pages import ResultPages
from ingestion.sources.salesforce.window_rows import WindowRows

JOB_DEADLINE_SECONDS = 4 * 3600.0
FIRST_LOOK_SECONDS, LONGEST_LOOK_SECONDS = 0.05, 5.0


@contextmanager
def read_by_bulk(
    client: SalesforceClient, object_name: str, query: str, fields: Sequence[Field]
) -> Iterator[WindowRows]:
    """Run a `queryAll` job and yield its rows; the job is deleted at the end, whatever happened.

    Raises:
        SalesforceJobFailed: The job failed, was aborted, or did not end in time.
        SalesforceRefused: Salesforce answered with an error.
        SalesforceUnreachable: It does not answer.
    """
    job_id = str(client.bulk.create_job(Operation.query_all, query)["id"])
    try:
        count = _wait_for_job(client, object_name, job_id)
        pages = ResultPages(client, object_name, job_id, fields)
        yield WindowRows(pages.read(), count, f"Bulk job {job_id}", {"api": "bulk", "job_id": job_id})
    finally:
        _discard_job(client, job_id)


def _discard_job(client: SalesforceClient, job_id: str) -> None:
    """Delete the job; abort it first if it still runs because it was given up."""
    address = f"{client.bulk.bulk2_url}query/{job_id}"
    with suppress(IngestionError):  # an undeleted job expires by itself, and must not hide why a read failed
        # Not simple-salesforce's delete_job, which fails on the empty 204.
        if client.session.delete(address).status_code in (400, 409):
            client.session.patch(address, json={"state": "Aborted"})
            client.session.delete(address)


def _wait_for_job(client: SalesforceClient, object_name: str, job_id: str) -> int:
    """Wait for the job's rows, and return their number."""
    deadline, pause = time.monotonic() + JOB_DEADLINE_SECONDS, FIRST_LOOK_SECONDS
    while (job := client.bulk.get_job(job_id, True))["state"] != "JobComplete":
        if job["state"] in ("Failed", "Aborted"):
            reason = shorten(str(job.get("errorMessage") or "no reason given")).rstrip(".")
            code = find_code(reason)
            raise SalesforceJobFailed(
                f"The Bulk job for {object_name} ended as {job['state']}: {reason}. Nothing landed and the cursor stays.",
                where=f"Bulk job {job_id}",
                fix=find_fix(code) if code else "Run again; if it repeats, ask the org's administrator about the job.",
                code=code,
            )
        if time.monotonic() > deadline:
            raise SalesforceJobFailed(
                f"The Bulk job for {object_name} did not end in {JOB_DEADLINE_SECONDS / 3600:.0f} hours and was aborted. "
                "Nothing landed and the cursor stays.",
                where=f"Bulk job {job_id}",
                fix="Run again, or load a smaller window (`salesops run --since … --until …`).",
            )
        client.sleep(pause)
        pause = min(pause * 1.5, LONGEST_LOOK_SECONDS)
    return int(job["numberRecordsProcessed"])
