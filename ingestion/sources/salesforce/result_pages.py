"""The result pages of a finished Bulk 2.0 job: fetched in parallel, each complete and counted before it is used."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue
from typing import IO
from urllib.parse import urlencode, urljoin

import pyarrow as pa
import requests
from pyarrow import ipc
from simple_salesforce.util import exception_handler

from ingestion.errors import CountMismatch
from ingestion.sources.salesforce.client import Field, SalesforceClient
from ingestion.sources.salesforce.rows import BLOCK_BYTES, CsvText, read_csv
from ingestion.sources.unicode_text import with_valid_utf8
from storage.errors import temporary_file_error

PAGE_ROWS = 25_000
PAGE_ATTEMPTS = 3
PAGES_AT_ONCE = 2  # being fetched, waiting, or being read by the lake
PARALLEL_PAGES_SINCE = 58.0  # API version with `resultPages`
FIRST_PAUSE_SECONDS = 0.05
_PIECE_BYTES = 1 << 20  # with requests' default of 10 KB, a page of 20 MB would take 2,000 steps in Python
_LINE_STAYS_OPEN = "its last line does not end"
# The job's state is changing, or its rows are being moved.
_IN_CONFLICT = "the org answers that the job is in conflict (HTTP 409)"


class _Page:
    """One page's rows, on disk until the lake takes them: the server sets the page size, and memory must not follow."""

    def __init__(self, fields: Sequence[Field], files: SimpleQueue[IO[bytes]]) -> None:
        self._fields = fields
        self._files = files
        self._file = files.get()
        self._schema: pa.Schema | None = None
        self._sizes: list[int] = []
        self.block_bytes = BLOCK_BYTES
        self.replaces_invalid_text = False
        self.locator = ""
        self.problem = ""
        self.has_last_line_end = True

    def receive(self, answer: requests.Response) -> None:
        """Keep the rows of an answer, replacing an earlier attempt's; set `problem` if they do not match its header.

        Raises:
            requests.RequestException: The connection broke.
            StorageError: The disk for temporary files is full or read-only.
        """
        said, locator = answer.headers.get("Sforce-NumberOfRecords", ""), answer.headers.get("Sforce-Locator", "")
        self.locator = "" if locator == "null" else locator
        if not said.isdigit():
            self.problem = "its header does not say how many rows it holds"
            return
        pieces: Iterator[bytes] = answer.iter_content(_PIECE_BYTES)
        text, rows = CsvText(with_valid_utf8(pieces) if self.replaces_invalid_text else pieces), 0
        self._file.seek(0)
        self._sizes.clear()
        try:
            with read_csv(text, self._fields, self.block_bytes) as reader:
                self._schema = reader.schema
                for batch in reader:
                    self._keep(batch)
                    rows += batch.num_rows
        except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
            self.problem = f"its CSV cannot be read: {_without_values(error)}"
            return
        self.has_last_line_end = text.has_last_line_end
        self.problem = (
            "its CSV ends within a row"
            if text.is_cut_off
            else ""
            if rows == int(said)
            else f"it holds {rows} rows, its header says {said}"
        )

    def _keep(self, batch: pa.RecordBatch) -> None:
        kept = batch.serialize()
        try:
            self._file.write(kept)
            self._file.flush()
        except OSError as error:
            raise temporary_file_error("A page of Salesforce's rows cannot be kept until it is whole", error) from error
        self._sizes.append(kept.size)

    def take_rows(self) -> Iterator[pa.RecordBatch]:
        """The rows; can be read once."""
        self._file.seek(0)
        for size in self._sizes:
            yield ipc.read_record_batch(pa.py_buffer(self._file.read(size)), self._schema)
        self._files.put(self._file)


class ResultPages:
    """The pages of a finished job, in their order.

    Args:
        client: The signed-in org.
        object_name: As Salesforce spells it.
        job_id: The job.
        fields: The fields it was asked for.
    """

    def __init__(self, client: SalesforceClient, object_name: str, job_id: str, fields: Sequence[Field]) -> None:
        self._client = client
        self._object_name = object_name
        self._job_id = job_id
        self._fields = fields
        self._lines_may_stay_open = False
        # Written over again and again: making and removing files costs more than writing.
        self._files: SimpleQueue[IO[bytes]] = SimpleQueue()
        self._results_url = f"{client.bulk.bulk2_url}query/{job_id}/results"

    def read(self) -> Iterator[pa.RecordBatch]:
        """The rows. Pages are fetched in parallel if the org lists their addresses, else one ahead of the reader.

        Raises:
            CountMismatch: A page came broken at every attempt.
            StorageError: The disk for temporary files is full or read-only.
        """
        addresses = self._list_pages()
        with ExitStack() as opened:
            for _ in range(PAGES_AT_ONCE):
                self._files.put(opened.enter_context(tempfile.TemporaryFile(prefix="salesops-page-")))
            for page in self._follow_locators() if addresses is None else self._fetch_side_by_side(addresses):
                yield from page.take_rows()

    def _fetch_side_by_side(self, addresses: Iterator[str]) -> Iterator[_Page]:
        with ThreadPoolExecutor(max_workers=PAGES_AT_ONCE, thread_name_prefix="bulk-page") as pool:
            waiting: deque[Future[_Page]] = deque()
            try:
                for address in addresses:
                    waiting.append(pool.submit(self._read_page, address))
                    if len(waiting) >= PAGES_AT_ONCE:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for page in waiting:
                    page.cancel()

    def _follow_locators(self) -> Iterator[_Page]:
        first = f"{self._results_url}?{urlencode({'maxRecords': PAGE_ROWS})}"
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="bulk-page") as pool:
            coming: Future[_Page] | None = pool.submit(self._read_page, first)
            while coming:
                page = coming.result()
                following = f"{first}&{urlencode({'locator': page.locator})}"
                coming = pool.submit(self._read_page, following) if page.locator else None
                yield page

    def _list_pages(self) -> Iterator[str] | None:
        if float(self._client.rest.sf_version or 0) < PARALLEL_PAGES_SINCE:
            return None
        listing = self._get_listing(f"{self._client.bulk.bulk2_url}query/{self._job_id}/resultPages")
        if listing.status_code == 404:  # an org may be older than the version asked for
            return None
        return self._addresses(_checked(listing))

    def _addresses(self, listing: requests.Response) -> Iterator[str]:
        while True:
            body = listing.json()
            yield from (urljoin(self._results_url, page["resultUrl"]) for page in body["resultPages"])
            # The reference spells it one way, the service another.
            following = body.get("nextRecordsUrl") or body.get("nextRecordUrl")
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

    def _read_page(self, address: str) -> _Page:
        """One page, requested again if it came broken."""
        problem = ""
        page = _Page(self._fields, self._files)
        for attempt in range(PAGE_ATTEMPTS):
            self._pause_before(attempt)
            # An unreadable page may hold a record that is too long, or a value that is not UTF-8. Repairing the bytes
            # of every page would cost too much.
            page.block_bytes = BLOCK_BYTES * 8**attempt
            page.replaces_invalid_text = attempt > 0
            answer = self._client.session.request("GET", address, receive=page.receive)
            if answer.status_code == 409:
                problem = _IN_CONFLICT
                continue
            _checked(answer)
            # Whether results end their last line is not documented. If one page twice does not, this org's do not.
            if not page.problem and (
                page.has_last_line_end or self._lines_may_stay_open or problem == _LINE_STAYS_OPEN
            ):
                self._lines_may_stay_open |= not page.has_last_line_end
                return page
            problem = page.problem or _LINE_STAYS_OPEN
        raise self._came_broken("A page", problem)

    def _pause_before(self, attempt: int) -> None:
        if attempt:
            self._client.sleep(FIRST_PAUSE_SECONDS * 4**attempt)

    def _came_broken(self, what: str, problem: str) -> CountMismatch:
        return CountMismatch(
            f"{what} of {self._object_name} came broken {PAGE_ATTEMPTS} times: {problem}. Nothing landed and the cursor stays.",
            where=f"Bulk job {self._job_id}",
            fix="Run again.",
        )


def _checked(answer: requests.Response) -> requests.Response:
    """The answer; raises simple-salesforce's exception for an error status."""
    if answer.status_code >= 300:
        exception_handler(answer)
    return answer


def _without_values(error: Exception) -> str:
    """The error's text without the row that Arrow quotes in it, which may hold names."""
    return str(error).splitlines()[0].partition(":")[0]
