"""One Bulk 2.0 query job: made, waited for, its result pages fetched side by side, deleted."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from urllib.parse import urlencode, urljoin

import pyarrow as pa
import requests
from simple_salesforce.bulk2 import Operation
from simple_salesforce.util import exception_handler

from ingestion.errors import CountMismatch, IngestionError, SalesforceJobFailed
from ingestion.salesforce.client import Field, SalesforceClient
from ingestion.salesforce.reading import Reading
from ingestion.salesforce.rows import is_cut_off, parse_csv

PAGE_ROWS = 25_000
PAGE_ATTEMPTS = 3
PAGES_AT_ONCE = 2  # fetched, parsed, or waiting for the lake
PARALLEL_PAGES_SINCE = 58.0  # API version with `resultPages`
JOB_DEADLINE_SECONDS = 4 * 3600.0
_IN_CONFLICT = "the org answers that the job is in conflict (HTTP 409)"  # its state is changing, or its rows are being moved
FIRST_LOOK_SECONDS, LONGEST_LOOK_SECONDS = 0.05, 5.0


@contextmanager
def read_by_bulk(client: SalesforceClient, object_name: str, query: str, fields: Sequence[Field]) -> Iterator[Reading]:
    """Run a `queryAll` job and give its rows; the job is deleted at the end, whatever happened.

    Raises:
        SalesforceJobFailed: The job failed, was aborted, or did not end in time.
        SalesforceRefused: Salesforce answered with an error.
        SalesforceUnreachable: It does not answer.
    """
    job_id = str(client.bulk.create_job(Operation.query_all, query)["id"])
    try:
        count = _wait_for_job(client, object_name, job_id)
        pages = _ResultPages(client, object_name, job_id, fields)
        yield Reading(pages.read(), count, f"Bulk job {job_id}", {"api": "bulk", "job_id": job_id})
    finally:
        _discard_job(client, job_id)


def _discard_job(client: SalesforceClient, job_id: str) -> None:
    """Delete the job; abort it first where it still runs, as one does that was given up."""
    address = f"{client.bulk.bulk2_url}query/{job_id}"
    with suppress(IngestionError):  # an undeleted job expires by itself, and must not hide why a read failed
        if client.session.delete(address).status_code in (400, 409):  # simple-salesforce's delete_job fails on the empty 204
            client.session.patch(address, json={"state": "Aborted"})
            client.session.delete(address)


def _wait_for_job(client: SalesforceClient, object_name: str, job_id: str) -> int:
    """Wait until the job's rows are there, and say how many they are."""
    deadline, pause = time.monotonic() + JOB_DEADLINE_SECONDS, FIRST_LOOK_SECONDS
    while (job := client.bulk.get_job(job_id, True))["state"] != "JobComplete":
        if job["state"] in ("Failed", "Aborted"):
            reason = " ".join(str(job.get("errorMessage") or "no reason given").split())[:300].rstrip(".")
            raise SalesforceJobFailed(
                f"The Bulk job for {object_name} ended as {job['state']}: {reason}. Nothing landed and the cursor stays.",
                where=f"Bulk job {job_id}",
                fix="Run again; if it repeats, ask the org's administrator about the job.",
            )
        if time.monotonic() > deadline:
            client.bulk.abort_job(job_id, True)
            raise SalesforceJobFailed(
                f"The Bulk job for {object_name} did not end in {JOB_DEADLINE_SECONDS / 3600:.0f} hours and was aborted. "
                "Nothing landed and the cursor stays.",
                where=f"Bulk job {job_id}",
                fix="Run again, or load a smaller window (`salesops run --since … --until …`).",
            )
        client.sleep(pause)
        pause = min(pause * 1.5, LONGEST_LOOK_SECONDS)
    return int(job["numberRecordsProcessed"])


class _ResultPages:
    """The pages of a finished job, in their order."""

    def __init__(self, client: SalesforceClient, object_name: str, job_id: str, fields: Sequence[Field]) -> None:
        self._client = client
        self._object_name = object_name
        self._job_id = job_id
        self._fields = fields
        self._results_url = f"{client.bulk.bulk2_url}query/{job_id}/results"

    def read(self) -> Iterator[pa.Table]:
        """The rows page by page. Where the org tells the pages' addresses beforehand they are fetched side by side, else one after the other."""
        addresses = self._list_pages()
        if addresses is None:
            yield from self._follow_locators()
            return
        with ThreadPoolExecutor(max_workers=PAGES_AT_ONCE, thread_name_prefix="bulk-page") as pool:
            waiting: deque[Future[tuple[pa.Table, str]]] = deque()
            try:
                for address in addresses:
                    waiting.append(pool.submit(self._read_page, address))
                    if len(waiting) >= PAGES_AT_ONCE:
                        yield waiting.popleft().result()[0]
                while waiting:
                    yield waiting.popleft().result()[0]
            finally:
                for page in waiting:
                    page.cancel()

    def _list_pages(self) -> Iterator[str] | None:
        if float(self._client.rest.sf_version or 0) < PARALLEL_PAGES_SINCE:
            return None
        listing = self._get_listing(f"{self._client.bulk.bulk2_url}query/{self._job_id}/resultPages")
        if listing.status_code == 404:  # an org may be older than the version it is asked for
            return None
        return self._addresses(_checked(listing))

    def _addresses(self, listing: requests.Response) -> Iterator[str]:
        while True:
            body = listing.json()
            yield from (urljoin(self._results_url, page["resultUrl"]) for page in body["resultPages"])
            following = body.get("nextRecordsUrl") or body.get("nextRecordUrl")  # the reference spells it one way, the service another
            if body.get("done", True) or not following:
                return
            listing = _checked(self._get_listing(urljoin(self._results_url, following)))

    def _get_listing(self, address: str) -> requests.Response:
        for attempt in range(PAGE_ATTEMPTS):
            self._pause_before(attempt)
            listing = self._client.session.get(address)
            if listing.status_code != 409:
                return listing
        raise self._came_broken("The list of pages", _IN_CONFLICT)

    def _follow_locators(self) -> Iterator[pa.Table]:
        """One page ahead of the reader."""
        first = f"{self._results_url}?{urlencode({'maxRecords': PAGE_ROWS})}"
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="bulk-page") as pool:
            coming: Future[tuple[pa.Table, str]] | None = pool.submit(self._read_page, first)
            while coming:
                page, locator = coming.result()
                following = f"{first}&{urlencode({'locator': locator})}"
                coming = pool.submit(self._read_page, following) if locator else None
                yield page

    def _read_page(self, address: str) -> tuple[pa.Table, str]:
        """One page and the locator of the next; asked for again where it came short."""
        problem = ""
        for attempt in range(PAGE_ATTEMPTS):
            self._pause_before(attempt)
            answer = self._client.session.get(address)
            if answer.status_code == 409:
                problem = _IN_CONFLICT
                continue
            said = _checked(answer).headers.get("Sforce-NumberOfRecords", "")
            if not said.isdigit():
                problem = "its header does not say how many rows it holds"
                continue
            if is_cut_off(answer.content):
                problem = "its CSV ends within a row"
                continue
            try:
                page = parse_csv(answer.content, self._fields)
            except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
                problem = f"its CSV cannot be read: {_without_values(error)}"
                continue
            if page.num_rows == int(said):
                locator = answer.headers.get("Sforce-Locator", "")
                return page, "" if locator == "null" else locator
            problem = f"it holds {page.num_rows} rows, its header says {said}"
        raise self._came_broken("A page", problem)

    def _pause_before(self, attempt: int) -> None:
        if attempt:
            self._client.sleep(FIRST_LOOK_SECONDS * 4**attempt)

    def _came_broken(self, what: str, problem: str) -> CountMismatch:
        return CountMismatch(
            f"{what} of {self._object_name} came broken {PAGE_ATTEMPTS} times: {problem}. Nothing landed and the cursor stays.",
            where=f"Bulk job {self._job_id}",
            fix="Run again.",
        )


def _checked(answer: requests.Response) -> requests.Response:
    """The answer, unless it is an error: then what simple-salesforce makes of it."""
    if answer.status_code >= 300:
        exception_handler(answer)
    return answer


def _without_values(error: Exception) -> str:
    """Arrow quotes the row it stumbled over; a row may hold names."""
    return str(error).splitlines()[0].partition(":")[0]
