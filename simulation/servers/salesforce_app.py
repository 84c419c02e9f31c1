"""The simulated company's Salesforce REST API: sign-in, describe, paged queries, limits, and the way to Bulk 2.0."""

from __future__ import annotations

import base64
import itertools
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulation.servers.bulk_app import BulkService
from simulation.servers.daily_limit import DailyLimit, DailyLimitMiddleware
from simulation.servers.describe import describe_global, describe_object
from simulation.servers.errors import SalesforceError
from simulation.servers.oauth import ConnectedApp, OAuthError, Sessions, sign_in
from simulation.servers.queries import count_rows, find_object, render_json, select_rows
from simulation.servers.request_size import RequestSizeMiddleware
from simulation.servers.salesforce_answers import DATA, JsonAnswer, base_of
from simulation.servers.soql import parse_soql
from simulation.servers.state import CompanyState

VERSIONS = tuple(f"{number}.0" for number in range(47, 67))
LARGEST_BATCH = 2000
SMALLEST_BATCH = 200
MOST_OPEN_CURSORS = 50

Handler = Callable[[Request], Awaitable[Response]]


class SalesforceService:
    """State shared by the routes.

    Attributes:
        state: The company.
        sessions: Signed-in sessions.
        limit: The day's requests.
        bulk: The bulk jobs.
        cursors: Cursor → rows of a query with more pages, oldest first.
    """

    def __init__(self, state: CompanyState, app: ConnectedApp, instance_url: str) -> None:
        self.state = state
        self.app = app
        self.instance_url = instance_url
        self.sessions = Sessions()
        self.limit = DailyLimit()
        self.bulk = BulkService(state)
        self.cursors: OrderedDict[str, list[str]] = OrderedDict()
        self._cursor_numbers = itertools.count(1)

    async def token(self, request: Request) -> Response:
        """Sign in: `POST /services/oauth2/token`."""
        form = dict(parse_qsl((await request.body()).decode()))
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            form["client_id"], _, form["client_secret"] = base64.b64decode(encoded).decode().partition(":")
        issued_at = f"{self.state.now().timestamp() * 1000:.0f}"
        try:
            answer = sign_in(self.app, self.sessions, form, self.instance_url, issued_at)
        except OAuthError as error:
            return JsonAnswer({"error": error.code, "error_description": error.description}, 400)
        return JsonAnswer(answer, headers={"Cache-Control": "no-cache, no-store", "Pragma": "no-cache"})

    async def versions(self, _: Request) -> Response:
        """The available API versions."""
        return JsonAnswer(
            [
                {"label": f"Release {version}", "url": f"/services/data/v{version}", "version": version}
                for version in VERSIONS
            ]
        )

    async def resources(self, request: Request) -> Response:
        """The resources of a version."""
        base = base_of(request)
        return JsonAnswer({name: f"{base}/{name}" for name in ("limits", "sobjects", "query", "queryAll", "jobs")})

    async def limits(self, _: Request) -> Response:
        """Daily limits and what remains of them."""
        daily = {"Max": self.limit.most, "Remaining": max(self.limit.most - self.limit.used, 0)}
        return JsonAnswer(
            {
                "DailyApiRequests": daily,
                "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000 - len(self.bulk.jobs.list_jobs())},
            }
        )

    async def global_describe(self, request: Request) -> Response:
        """Every object."""
        names = self.state.object_names()
        prefixes = await run_in_threadpool(
            lambda: {name: self._prefix(find_object(self.state, name).table.name) for name in names}
        )
        return JsonAnswer(describe_global(names, prefixes, base_of(request)))

    async def describe(self, request: Request) -> Response:
        """One object with its fields."""

        def read() -> dict[str, Any]:
            try:
                found = find_object(self.state, request.path_params["name"])
            except KeyError:
                raise SalesforceError(404, "NOT_FOUND", "The requested resource does not exist") from None
            picklists = {
                field.name: self.state.values_in_use(found.table, field.name)
                for field in found.fields.values()
                if field.type == "picklist"
            }
            return describe_object(
                found.name, found.fields, picklists, self._prefix(found.table.name), base_of(request)
            )

        return JsonAnswer(await run_in_threadpool(read))

    def _prefix(self, table: str) -> str | None:
        row = self.state.cursor().execute(f'select left("Id", 3) from {table} limit 1').fetchone()
        return str(row[0]) if row else None

    async def query(self, request: Request) -> Response:
        """Answer SOQL with the first page of rows; `queryAll` includes deleted ones."""
        soql = request.query_params.get("q")
        if soql is None:
            raise SalesforceError(400, "MALFORMED_QUERY", "The query parameter 'q' is required")
        with_deleted = request.url.path.rstrip("/").endswith("queryAll")
        batch = _batch_size(request.headers.get("sforce-query-options", ""))
        return await run_in_threadpool(self._answer_query, soql, with_deleted, batch, base_of(request))

    def _answer_query(self, soql: str, with_deleted: bool, batch: int, base: str) -> Response:
        query = parse_soql(soql)
        selection = select_rows(self.state, query, with_deleted)
        if query.is_count:
            return JsonAnswer({"totalSize": count_rows(self.state, selection), "done": True, "records": []})
        rows = render_json(self.state, selection, base)
        cursor_id = ""
        if len(rows) > batch:
            cursor_id = f"01g5g{next(self._cursor_numbers):010d}AAA"
            self.cursors[cursor_id] = rows
            while len(self.cursors) > MOST_OPEN_CURSORS:
                self.cursors.popitem(last=False)
        return _json_page(rows, 0, batch, cursor_id, base)

    async def query_more(self, request: Request) -> Response:
        """A later page of an open cursor."""
        cursor_id, _, start = request.path_params["locator"].rpartition("-")
        rows = self.cursors.get(cursor_id)
        if rows is None or not start.isdigit() or int(start) > len(rows):
            raise SalesforceError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        batch = _batch_size(request.headers.get("sforce-query-options", ""))
        return _json_page(rows, int(start), batch, cursor_id, base_of(request))


def make_salesforce_app(service: SalesforceService) -> Starlette:
    """The ASGI application; every route under `/services/data/vXX.0/` requires a session."""

    def guard(handler: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            if not service.sessions.accepts(request.headers.get("authorization", "")):
                raise SalesforceError(401, "INVALID_SESSION_ID", "Session expired or invalid")
            if request.path_params["version"] not in VERSIONS:
                raise SalesforceError(404, "NOT_FOUND", "The requested resource does not exist")
            if service.limit.is_exceeded:
                raise SalesforceError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
            return await handler(request)

        return guarded

    guarded: list[tuple[str, Handler, str]] = [
        ("/", service.resources, "GET"),
        ("/limits", service.limits, "GET"),
        ("/sobjects", service.global_describe, "GET"),
        ("/sobjects/{name}/describe", service.describe, "GET"),
        ("/query", service.query, "GET"),
        ("/queryAll", service.query, "GET"),
        ("/query/{locator}", service.query_more, "GET"),
        ("/queryAll/{locator}", service.query_more, "GET"),
        ("/jobs/query", service.bulk.list_jobs, "GET"),
        ("/jobs/query", service.bulk.create_job, "POST"),
        ("/jobs/query/{job}", service.bulk.show_job, "GET"),
        ("/jobs/query/{job}", service.bulk.abort_job, "PATCH"),
        ("/jobs/query/{job}", service.bulk.delete_job, "DELETE"),
        ("/jobs/query/{job}/results", service.bulk.job_results, "GET"),
        ("/jobs/query/{job}/resultPages", service.bulk.job_result_pages, "GET"),
    ]
    # Salesforce accepts these paths with and without a trailing slash; simple-salesforce sends `/query/` and
    # `/sobjects`.
    routes = [
        Route(DATA + path.rstrip("/") + end, guard(handler), methods=[method])
        for path, handler, method in guarded
        for end in ("", "/")
    ]
    public = [Route("/services/oauth2/token", service.token, methods=["POST"])]
    public += [Route("/services/data" + end, service.versions) for end in ("", "/")]
    return Starlette(
        routes=[*public, *routes],
        exception_handlers={
            SalesforceError: _answer_error,
            HTTPException: _answer_http_error,
            Exception: _answer_crash,
        },
        middleware=[Middleware(RequestSizeMiddleware), Middleware(DailyLimitMiddleware, limit=service.limit)],
    )


def _batch_size(options: str) -> int:
    for option in options.split(","):
        name, _, number = option.strip().partition("=")
        if name.lower() == "batchsize" and number.isdigit():
            return min(max(int(number), SMALLEST_BATCH), LARGEST_BATCH)
    return LARGEST_BATCH


def _json_page(rows: list[str], start: int, batch: int, cursor_id: str, base: str) -> Response:
    end = min(start + batch, len(rows))
    is_last = end >= len(rows)
    following = "" if is_last else f'"nextRecordsUrl":"{base}/query/{cursor_id}-{end}",'
    head = f'{{"totalSize":{len(rows)},"done":{"true" if is_last else "false"},{following}"records":['
    return Response(head + ",".join(rows[start:end]) + "]}", media_type="application/json;charset=UTF-8")


def _error(status: int, code: str, message: str) -> Response:
    return JsonAnswer([{"message": message, "errorCode": code}], status)


async def _answer_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, SalesforceError)
    return _error(error.status, error.code, error.message)


async def _answer_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return _error(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{request.method}' not allowed")
    return _error(error.status_code, "NOT_FOUND", "The requested resource does not exist")


async def _answer_crash(_: Request, error: Exception) -> Response:
    return _error(500, "UNKNOWN_EXCEPTION", f"An unexpected error occurred: {error}")
