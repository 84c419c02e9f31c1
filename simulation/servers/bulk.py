"""Bulk API 2.0 query jobs: create, poll, read page by page, abort, delete.

A job runs when it is created: its rows, as of that instant, go into a CSV file with every row's offset kept, so that a
page of any size is one slice of the file. A small job is complete when first polled; a large one continues in the
background and shows `InProgress` until it is done.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import mmap
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from simulation.servers.errors import SalesforceError
from simulation.servers.oauth import USER_ID
from simulation.servers.queries import Selection, render_csv, select_rows
from simulation.servers.soql import parse_soql
from simulation.servers.state import CompanyState

DELIMITERS = {"COMMA": ",", "TAB": "\t", "PIPE": "|", "SEMICOLON": ";", "CARET": "^", "BACKQUOTE": "`"}
LINE_ENDS = {"LF": "\n", "CRLF": "\r\n"}
DEFAULT_PAGE_ROWS = 50_000
PAGES_PER_ANSWER = 5
FIRST_VERSION_WITH_PAGES = 58
PIECE_BYTES = 256 * 1024
PATIENCE_SECONDS = 5.0
"""How long the answer that makes a job waits for its rows."""


@dataclass
class QueryJob:
    """A job and the location of its rows: row i is `file[ends[i-1]:ends[i]]`, row 0 starts at 0, without the header.

    Attributes:
        outcome: Its state once it is polled with its rows written.
        written: Set when its rows are written, or have failed.
    """

    job_id: str
    operation: str
    object_name: str
    delimiter: str
    line_end: str
    created_at: str
    state: str
    header: bytes
    file: Path
    api_version: str
    ends: np.ndarray[Any, np.dtype[np.int64]] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    outcome: str = "JobComplete"
    error_message: str = ""
    written: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        """Poll the job: once its rows are written, its state becomes the outcome."""
        if self.state == "InProgress" and self.written.is_set():
            self.state = self.outcome

    def describe(self, is_new: bool = False) -> dict[str, Any]:
        """The job as Salesforce shows it; the answer that creates it lacks the fields of a finished job."""
        shown = {
            "id": self.job_id,
            "operation": self.operation,
            "object": self.object_name,
            "createdById": USER_ID,
            "createdDate": self.created_at,
            "systemModstamp": self.created_at,
            "state": "UploadComplete" if is_new else self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.api_version),
            "lineEnding": self.line_end,
            "columnDelimiter": self.delimiter,
        }
        if is_new:
            return shown
        finished = {
            "jobType": "V2Query",
            "numberRecordsProcessed": len(self.ends) if self.state == "JobComplete" else 0,
            "retries": 0,
            "totalProcessingTime": 0,
            "isPkChunkingSupported": True,
        }
        return (
            shown
            | finished
            | ({"errorMessage": self.error_message} if self.state == self.outcome and self.error_message else {})
        )


@dataclass(frozen=True)
class Page:
    """One answer of `/results`: CSV with header, its row count, and the locator of the next page (`null` on the last).

    Attributes:
        rows: The rows' bytes, as in the job's file.
    """

    header: bytes
    rows: memoryview
    row_count: int
    locator: str

    @property
    def body(self) -> bytes:
        """The whole page."""
        return self.header + self.rows

    @property
    def size(self) -> int:
        """Bytes of the whole page."""
        return len(self.header) + len(self.rows)

    async def in_pieces(self) -> AsyncIterator[bytes]:
        """The page in pieces: encrypting it in one piece would hold several copies of it."""
        yield self.header
        for start in range(0, len(self.rows), PIECE_BYTES):
            yield bytes(self.rows[start : start + PIECE_BYTES])


class QueryJobs:
    """The jobs of one server process."""

    def __init__(self, state: CompanyState, folder: Path) -> None:
        self._state = state
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._jobs: dict[str, QueryJob] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self.page_rows = DEFAULT_PAGE_ROWS

    def create(self, request: dict[str, Any], api_version: str, now: datetime) -> QueryJob:
        """Run a query and keep its rows.

        Raises:
            SalesforceError: 400: the query, operation, delimiter or line ending is refused.
        """
        operation, delimiter, line_end = _read_request(request)
        query = parse_soql(request["query"])
        if query.is_count or query.offset is not None:
            raise SalesforceError(
                400, "API_ERROR", "Aggregate queries and OFFSET are not supported by Bulk API 2.0 queries"
            )
        selection = select_rows(self._state, query, with_deleted=operation == "queryAll")
        if any(field.type == "address" for field in selection.fields):
            raise SalesforceError(
                400, "FUNCTIONALITY_NOT_ENABLED", "Selecting compound data not supported in Bulk Query"
            )
        with self._lock:
            job_id = f"7505g{next(self._numbers):010d}AAA"
        file = self._folder / f"{job_id}.csv"
        names = [f'"{field.name}"' for field in selection.fields]
        header = (DELIMITERS[delimiter].join(names) + LINE_ENDS[line_end]).encode()
        created_at = now.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        job = QueryJob(
            job_id,
            operation,
            selection.source.name,
            delimiter,
            line_end,
            created_at,
            "InProgress",
            header,
            file,
            api_version,
        )
        self._jobs[job_id] = job
        # A daemon: the process may end with a job unfinished.
        threading.Thread(target=self._run, args=(job, selection), daemon=True).start()
        if job.written.wait(PATIENCE_SECONDS):
            job.look()
        return job

    def _run(self, job: QueryJob, selection: Selection) -> None:
        try:
            job.ends = self._write_rows(job, selection)
        except Exception as error:  # whatever the error, the client waiting for the job must see it
            job.outcome, job.error_message = "Failed", f"InternalServerError : {error}"
        finally:
            job.written.set()

    def _write_rows(self, job: QueryJob, selection: Selection) -> np.ndarray[Any, np.dtype[np.int64]]:
        ends = [np.empty(0, dtype=np.int64)]
        size = 0
        with job.file.open("wb") as out:
            for lines in render_csv(self._state, selection, DELIMITERS[job.delimiter], LINE_ENDS[job.line_end]):
                if job.state == "Aborted":
                    break
                # Arrow keeps the lines end to end in one buffer, which already holds the bytes of the file.
                _, offsets, text = lines.buffers()
                places = np.frombuffer(offsets, dtype=np.int64)[lines.offset : lines.offset + len(lines) + 1]
                out.write(memoryview(text or b"")[int(places[0]) : int(places[-1])])
                ends.append(places[1:] - places[0] + size)
                size = int(ends[-1][-1])
        return np.concatenate(ends)

    def find(self, job_id: str) -> QueryJob:
        """The job.

        Raises:
            SalesforceError: 404: there is none.
        """
        job = self._jobs.get(job_id)
        if job is None:
            raise SalesforceError(404, "NOT_FOUND", "The requested resource does not exist")
        return job

    def list_jobs(self) -> list[QueryJob]:
        """All jobs, oldest first."""
        return list(self._jobs.values())

    def read_page(self, job_id: str, api_version: str, locator: str | None, most_rows: int | None) -> Page:
        """One page of rows.

        Args:
            job_id: The job.
            api_version: Of the request; it must be the job's.
            locator: Where to continue, from the previous page or from `list_pages`; None for the first page.
            most_rows: Maximum number of rows; None leaves it to the server. A page named by `list_pages` keeps its
                original size.

        Raises:
            SalesforceError: 404 for an unknown job, 409 for another version, 400 for an invalid locator or a job
                without results.
        """
        job = self._find_complete(job_id, api_version)
        first, last = _read_locator(locator) if locator else (0, None)
        size = last - first if last is not None else most_rows or self.page_rows
        is_fixed, last = last is not None, min(first + size, len(job.ends))
        if not 0 <= first <= last:
            raise SalesforceError(400, "INVALIDLOCATOR", "Invalid locator")
        start, end = (int(job.ends[index - 1]) if index else 0 for index in (first, last))
        rows = _map_bytes(job.file, start, end)
        following = (
            "null"
            if last == len(job.ends)
            else _make_locator(last, min(last + size, len(job.ends)) if is_fixed else None)
        )
        return Page(job.header, rows, last - first, following)

    def list_pages(self, job_id: str, api_version: str, locator: str | None) -> tuple[list[str], str | None]:
        """Locators of the next pages, five at most, and the locator to request more with (None after the last).

        Raises:
            SalesforceError: As `read_page`; also 404 if the API version lacks this resource.
        """
        if float(api_version) < FIRST_VERSION_WITH_PAGES:
            raise SalesforceError(404, "NOT_FOUND", "The requested resource does not exist")
        job = self._find_complete(job_id, api_version)
        total = len(job.ends)
        first, last = _read_locator(locator) if locator else (0, min(self.page_rows, total))
        if last is None or not 0 <= first <= last <= total:
            raise SalesforceError(400, "INVALIDLOCATOR", "Invalid locator")
        size = max(last - first, 1)
        starts = range(first, max(total, 1), size)
        pages = [_make_locator(start, min(start + size, total)) for start in starts[: PAGES_PER_ANSWER + 1]]
        return pages[:PAGES_PER_ANSWER], pages[PAGES_PER_ANSWER] if len(pages) > PAGES_PER_ANSWER else None

    def _find_complete(self, job_id: str, api_version: str) -> QueryJob:
        job = self.find(job_id)
        if job.api_version != api_version:
            # The developer guide documents only the status.
            raise SalesforceError(409, "CONFLICT", f"The job was created with API version {job.api_version}")
        if job.state != "JobComplete":
            raise SalesforceError(400, "INVALIDJOBSTATE", f"Results are not available for a job in state {job.state}")
        return job

    def abort(self, job_id: str, request: dict[str, Any]) -> QueryJob:
        """Abort a job, as requested by PATCH with `{"state": "Aborted"}`.

        Raises:
            SalesforceError: 404 for an unknown job, 400 for any other state.
        """
        job = self.find(job_id)
        if request.get("state") != "Aborted":
            raise SalesforceError(400, "INVALIDJOBSTATE", "The only state a query job can be set to is Aborted")
        job.state = "Aborted"
        return job

    def delete(self, job_id: str) -> None:
        """Forget a job and its rows.

        Raises:
            SalesforceError: 404: there is none; 400: it is still running.
        """
        job = self.find(job_id)
        if job.state == "InProgress":
            raise SalesforceError(400, "INVALIDJOBSTATE", "A job in state InProgress cannot be deleted; abort it first")
        job.file.unlink(missing_ok=True)
        self._jobs.pop(job_id, None)


def _map_bytes(file: Path, start: int, end: int) -> memoryview:
    """Bytes of a file, memory-mapped, so that they are read on access."""
    if start == end:  # an empty range cannot be mapped
        return memoryview(b"")
    first = start - start % mmap.ALLOCATIONGRANULARITY
    with file.open("rb") as opened:
        return memoryview(mmap.mmap(opened.fileno(), end - first, access=mmap.ACCESS_READ, offset=first))[
            start - first :
        ]


def _read_request(request: dict[str, Any]) -> tuple[str, str, str]:
    operation = request.get("operation")
    delimiter = request.get("columnDelimiter") or "COMMA"
    line_end = request.get("lineEnding") or "LF"
    if operation not in ("query", "queryAll"):
        raise SalesforceError(400, "INVALIDJOB", f"Invalid operation: {operation}")
    if not isinstance(request.get("query"), str):
        raise SalesforceError(400, "INVALIDJOB", "A query is required")
    if delimiter not in DELIMITERS or line_end not in LINE_ENDS:
        raise SalesforceError(400, "INVALIDJOB", f"Invalid columnDelimiter or lineEnding: {delimiter}, {line_end}")
    return operation, delimiter, line_end


def _make_locator(first: int, last: int | None) -> str:
    text = f"{first}" if last is None else f"{first}-{last}"
    return base64.b64encode(text.encode()).decode().rstrip("=")


def _read_locator(locator: str) -> tuple[int, int | None]:
    """First row, and the end row if the locator has one; (-1, None) for an invalid locator."""
    try:
        first, _, last = base64.b64decode(locator + "=" * (-len(locator) % 4), validate=True).decode().partition("-")
        return int(first), int(last) if last else None
    except (ValueError, binascii.Error):
        return -1, None
