"""The routes that only the Salesforce fault server has, for tests: limits, sessions, result pages, and records.

POST   /simulation/limits            {"max": 1000, "used": 990}: the day's requests, for `Sforce-Limit-Info` and `/limits`
POST   /simulation/bulk              {"page_rows": 50000, "compress": false}: rows of a page that the server cuts; gzip for who takes it
POST   /simulation/records           {"object": "Lead", "rows": [{"Id": …, …}], "types": {"Code__c": "VARCHAR"}}; see `RecordChanges.put`
DELETE /simulation/records           {"object": "Lead", "ids": […]}: gone from queryAll too
GET    /simulation/records/<object>  every record, deleted ones too; values spelled as Bulk API 2.0 does, empty ones null
DELETE /simulation/sessions          every session expires

Of limits and bulk, what is left out stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import duckdb
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulation.servers.queries import SalesforceObject, find_object, text_value
from simulation.servers.salesforce_app import SalesforceService
from simulation.servers.state import CompanyState
from tests.support.fault_servers.changeable_company import ChangeableCompany


def salesforce_routes(service: SalesforceService, company: ChangeableCompany) -> list[Route]:
    """The routes above."""

    async def set_limits(request: Request) -> Response:
        asked = await request.json()
        service.limit.most = int(asked.get("max", service.limit.most))
        service.limit.used = int(asked.get("used", service.limit.used))
        return Response(status_code=204)

    async def set_bulk(request: Request) -> Response:
        asked = await request.json()
        service.bulk.jobs.page_rows = int(asked.get("page_rows", service.bulk.jobs.page_rows))
        service.bulk.compresses = bool(asked.get("compress", service.bulk.compresses))
        return Response(status_code=204)

    async def put_records(request: Request) -> Response:
        asked = await request.json()
        try:
            await run_in_threadpool(company.put_records, asked["object"], asked["rows"], asked.get("types", {}))
        except (KeyError, ValueError, duckdb.Error) as error:
            return JSONResponse({"error": f"These records cannot be taken: {error}"}, 400)
        return Response(status_code=204)

    async def purge_records(request: Request) -> Response:
        asked = json.loads(await request.body())
        await run_in_threadpool(company.purge_records, asked["object"], asked["ids"])
        return Response(status_code=204)

    async def show_records(request: Request) -> Response:
        try:
            rows = await run_in_threadpool(
                lambda: ",".join(render_texts(company, find_object(company, request.path_params["name"])))
            )
        except KeyError:
            return JSONResponse({"error": f"There is no object {request.path_params['name']}."}, 404)
        return Response(f"[{rows}]", media_type="application/json")

    async def expire_sessions(_: Request) -> Response:
        service.sessions.tokens.clear()
        return Response(status_code=204)

    return [
        Route("/simulation/limits", set_limits, methods=["POST"]),
        Route("/simulation/bulk", set_bulk, methods=["POST"]),
        Route("/simulation/records", put_records, methods=["POST"]),
        Route("/simulation/records", purge_records, methods=["DELETE"]),
        Route("/simulation/records/{name}", show_records),
        Route("/simulation/sessions", expire_sessions, methods=["DELETE"]),
    ]


def render_texts(state: CompanyState, source: SalesforceObject) -> Iterator[str]:
    """Every record of an object, deleted ones too, as JSON objects of the texts that Bulk API 2.0 has for its values, without compound fields."""
    pairs = ", ".join(
        f"'{field.name}', nullif({text_value(field)}, '')"
        for field in source.fields.values()
        if field.type != "address"
    )
    for batch in (
        state.cursor()
        .sql(f'select json_object({pairs}) from {source.table.name} order by "Id"')
        .to_arrow_reader(100_000)
    ):
        yield from batch.column(0).to_pylist()
