"""The routes of Bulk API 2.0 query jobs over `bulk`."""

from __future__ import annotations

import gzip

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from simulation.servers.bulk import QueryJobs
from simulation.servers.errors import SalesforceError
from simulation.servers.salesforce_answers import JsonAnswer, base_of, read_json
from simulation.servers.state import CompanyState


class BulkService:
    """Handles job requests.

    Attributes:
        jobs: The jobs of this server.
        compresses: Whether pages are gzipped for clients that accept it.
    """

    def __init__(self, state: CompanyState) -> None:
        self.state = state
        self.jobs = QueryJobs(state, state.scratch_dir / "bulk")
        self.compresses = False

    async def create_job(self, request: Request) -> Response:
        """Create and run a bulk query job."""
        body = await read_json(request)
        job = await run_in_threadpool(self.jobs.create, body, request.path_params["version"], self.state.now())
        return JsonAnswer(job.describe(is_new=True))

    async def list_jobs(self, _: Request) -> Response:
        """All bulk query jobs."""
        return JsonAnswer(
            {"done": True, "records": [job.describe() for job in self.jobs.list_jobs()], "nextRecordsUrl": None}
        )

    async def show_job(self, request: Request) -> Response:
        """One bulk query job."""
        job = self.jobs.find(request.path_params["job"])
        job.look()
        return JsonAnswer(job.describe())

    async def abort_job(self, request: Request) -> Response:
        """Abort a bulk query job."""
        return JsonAnswer(self.jobs.abort(request.path_params["job"], await read_json(request)).describe())

    async def delete_job(self, request: Request) -> Response:
        """Delete a bulk query job and its rows."""
        self.jobs.delete(request.path_params["job"])
        return Response(status_code=204)

    async def job_results(self, request: Request) -> Response:
        """A page of a bulk query job's rows, as CSV."""
        asked, path = request.query_params, request.path_params
        most_rows = asked.get("maxRecords", str(self.jobs.page_rows))
        if not most_rows.isdigit() or int(most_rows) < 1:
            raise SalesforceError(400, "INVALID_FIELD", "maxRecords must be a positive number")
        page = await run_in_threadpool(
            self.jobs.read_page, path["job"], path["version"], asked.get("locator"), int(most_rows)
        )
        headers = {"Sforce-NumberOfRecords": str(page.row_count), "Sforce-Locator": page.locator}
        if self.compresses and "gzip" in request.headers.get("accept-encoding", ""):
            body = await run_in_threadpool(gzip.compress, page.body, 1)
            return Response(body, media_type="text/csv", headers=headers | {"Content-Encoding": "gzip"})
        return StreamingResponse(
            page.in_pieces(), media_type="text/csv", headers=headers | {"Content-Length": str(page.size)}
        )

    async def job_result_pages(self, request: Request) -> Response:
        """Locations of a bulk query job's pages, five at a time, for parallel reading."""
        job_id, version = request.path_params["job"], request.path_params["version"]
        pages, following = self.jobs.list_pages(job_id, version, request.query_params.get("locator"))
        home = f"{base_of(request)}/jobs/query/{job_id}"
        return JsonAnswer(
            {
                "resultPages": [{"resultUrl": f"{home}/results?locator={locator}"} for locator in pages],
                "nextRecordsUrl": f"{home}/resultPages?locator={following}" if following else None,
                "done": following is None,
            }
        )
