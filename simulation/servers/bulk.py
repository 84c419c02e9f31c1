"""Bulk API 2.0 query jobs: made, asked about, read page by page, aborted, deleted.

A job runs when it is made: its rows, as at that instant, go into a file as CSV, with the place of every row kept, so that a page is one
slice of the file whatever its size.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import threading
from dataclasses import dataclass
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


@dataclass
class QueryJob:
    """A job and where its rows lie: row i is `file[ends[i-1]:ends[i]]`, row 0 starts at 0; the header is apart."""

    job_id: str
    operation: str
    object_name: str
    delimiter: str
    line_end: str
    created_at: str
    state: str
    header: bytes
    file: Path
    ends: np.ndarray[Any, np.dtype[np.int64]]
    api_version: str

    def describe(self, is_new: bool = False) -> dict[str, Any]:
        """The job as Salesforce shows it; the answer that creates it lacks what only a finished job has."""
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
            "numberRecordsProcessed": len(self.ends),
            "retries": 0,
            "totalProcessingTime": 0,
            "isPkChunkingSupported": True,
        }
        return shown | finished


@dataclass(frozen=True)
class Page:
    """One answer of `/results`: CSV with header, its number of rows, and the locator of the next page (`null` on the last)."""

    body: bytes
    row_count: int
    locator: str


class QueryJobs:
    """The jobs of one server process."""

    def __init__(self, state: CompanyState, folder: Path) -> None:
        self._state = state
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._jobs: dict[str, QueryJob] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def create(self, request: dict[str, Any], api_version: str, now: datetime) -> QueryJob:
        """Run a query and keep its rows.

        Raises:
            SalesforceError: 400: the query, operation, delimiter or line end is refused.
        """
        operation, delimiter, line_end = _read_request(request)
        query = parse_soql(request["query"])
        if query.is_count or query.offset is not None:
            raise SalesforceError(400, "API_ERROR", "Aggregate queries and OFFSET are not supported by Bulk API 2.0 queries")
        selection = select_rows(self._state, query, with_deleted=operation == "queryAll")
        if any(field.type == "address" for field in selection.fields):
            raise SalesforceError(400, "FUNCTIONALITY_NOT_ENABLED", "Selecting compound data not supported in Bulk Query")
        with self._lock:
            job_id = f"7505g{next(self._numbers):010d}AAA"
        file = self._folder / f"{job_id}.csv"
        ends = self._write_rows(selection, delimiter, line_end, file)
        names = [f'"{field.name}"' for field in selection.fields]
        header = (DELIMITERS[delimiter].join(names) + LINE_ENDS[line_end]).encode()
        created_at = now.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        job = QueryJob(job_id, operation, selection.source.name, delimiter, line_end, created_at, "JobComplete", header, file, ends, api_version)
        self._jobs[job_id] = job
        return job

    def _write_rows(self, selection: Selection, delimiter: str, line_end: str, file: Path) -> np.ndarray[Any, np.dtype[np.int64]]:
        ends = [np.empty(0, dtype=np.int64)]
        size = 0
        with file.open("wb") as out:
            for lines in render_csv(self._state, selection, DELIMITERS[delimiter], LINE_ENDS[line_end]):
                # Arrow keeps the lines end to end in one buffer, which thus already has the bytes of the file.
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

    def read_page(self, job_id: str, locator: str | None, most_rows: int) -> Page:
        """One page of rows.

        Args:
            job_id: The job.
            locator: Where to go on, from the page before; None for the first page.
            most_rows: At most so many rows.

        Raises:
            SalesforceError: 404 for an unknown job, 400 for a locator that is none or a job without results.
        """
        job = self.find(job_id)
        if job.state != "JobComplete":
            raise SalesforceError(400, "INVALIDJOBSTATE", f"Results are not available for a job in state {job.state}")
        first = _read_locator(locator) if locator else 0
        if not 0 <= first <= len(job.ends):
            raise SalesforceError(400, "INVALIDLOCATOR", "Invalid locator")
        last = min(first + most_rows, len(job.ends))
        start, end = (int(job.ends[index - 1]) if index else 0 for index in (first, last))
        with job.file.open("rb") as rows:
            rows.seek(start)
            body = job.header + rows.read(end - start)
        following = base64.b64encode(str(last).encode()).decode().rstrip("=") if last < len(job.ends) else "null"
        return Page(body, last - first, following)

    def abort(self, job_id: str, request: dict[str, Any]) -> QueryJob:
        """Abort a job, as PATCH with `{"state": "Aborted"}` asks.

        Raises:
            SalesforceError: 404 for an unknown job, 400 for any other wish.
        """
        job = self.find(job_id)
        if request.get("state") != "Aborted":
            raise SalesforceError(400, "INVALIDJOBSTATE", "The only state a query job can be set to is Aborted")
        job.state = "Aborted"
        return job

    def delete(self, job_id: str) -> None:
        """Forget a job and its rows.

        Raises:
            SalesforceError: 404: there is none.
        """
        self.find(job_id).file.unlink(missing_ok=True)
        self._jobs.pop(job_id, None)


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


def _read_locator(locator: str) -> int:
    try:
        return int(base64.b64decode(locator + "=" * (-len(locator) % 4), validate=True))
    except (ValueError, binascii.Error):
        return -1
