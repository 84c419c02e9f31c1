"""For tests: what the Salesforce server can be told beside `control`. The real service has nothing like it.

POST   /simulation/limits            {"max": 1000, "used": 990}: the day's requests, for `Sforce-Limit-Info` and `/limits`
POST   /simulation/bulk              {"page_rows": 50000, "compress": false}: rows of a page that the server cuts; gzip for who takes it
POST   /simulation/records           {"object": "Lead", "rows": [{"Id": …, …}], "types": {"Code__c": "VARCHAR"}}; see `ToldRecords.put`
DELETE /simulation/records           {"object": "Lead", "ids": […]}: gone from queryAll too
GET    /simulation/records/<object>  every record, deleted ones too; values spelled as Bulk API 2.0 does, empty ones null

Of limits and bulk, what is left out stays.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import duckdb
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulation.servers.errors import SalesforceError
from simulation.servers.misbehaviour import AddField, AnyFault, Conflict, EditWhilePaging, RetypeField, SchemaFault, VanishField
from simulation.servers.queries import find_object, render_texts
from simulation.servers.state import CompanyState

if TYPE_CHECKING:
    from simulation.servers.salesforce_app import SalesforceService

_FROM = re.compile(r"\bfrom\s+(\w+)", re.IGNORECASE)
_JOB = re.compile(r"/jobs/query/(\w+)")
_OBJECT = re.compile(r"/sobjects/(\w+)")


def name_object(service: SalesforceService, _: str, address: str, body: bytes) -> str | None:
    """The object that a request is about: of its query, its job, or its path."""
    if job := _JOB.search(address):
        return service.bulk.jobs.name_object(job[1])
    if found := _OBJECT.search(address):
        return found[1]
    if "/query" in address and (found := _FROM.search(address) or _FROM.search(body.decode(errors="replace"))):
        return found[1]
    cursor = re.search(r"/query(?:All)?/(\w+)-", address)
    return service.name_cursor_object(cursor[1]) if cursor else None


def change_schema(state: CompanyState, fault: SchemaFault) -> None:
    """Carry out a fault that changes an object's fields."""
    place = (fault.object, fault.field)
    if isinstance(fault, VanishField):
        state.fields_gone.add(place)
    elif isinstance(fault, RetypeField):
        state.fields_retyped[place] = fault.type
    elif isinstance(fault, AddField):
        if fault.calculated:
            state.fields_calculated.add(place)
        if place in state.fields_gone:  # it comes back as it was
            state.fields_gone.discard(place)
        else:
            state.add_column(fault.object, fault.field, fault.type, fault.value)


def suffer(state: CompanyState, fault: AnyFault | None) -> None:
    """Carry out, before a request is answered, what its fault does to objects and records.

    Raises:
        SalesforceError: 409, where the fault is a conflict.
    """
    if isinstance(fault, SchemaFault):
        change_schema(state, fault)
    elif isinstance(fault, EditWhilePaging):
        state.tell_records(fault.object, fault.rows, {})
        if fault.purged:
            state.purge_records(fault.object, fault.purged)
    elif isinstance(fault, Conflict):
        raise SalesforceError(409, "CONFLICT", "The results are not available; try again later")


def salesforce_control_routes(service: SalesforceService) -> list[Route]:
    """The routes above."""
    state = service.state

    async def set_limits(request: Request) -> Response:
        told = await request.json()
        service.journal.limit.most = int(told.get("max", service.journal.limit.most))
        service.journal.limit.used = int(told.get("used", service.journal.limit.used))
        return Response(status_code=204)

    async def set_bulk(request: Request) -> Response:
        told = await request.json()
        service.bulk.jobs.page_rows = int(told.get("page_rows", service.bulk.jobs.page_rows))
        service.bulk.compresses = bool(told.get("compress", service.bulk.compresses))
        return Response(status_code=204)

    async def put_records(request: Request) -> Response:
        told = await request.json()
        try:
            await run_in_threadpool(state.tell_records, told["object"], told["rows"], told.get("types", {}))
        except (KeyError, ValueError, duckdb.Error) as error:
            return JSONResponse({"error": f"These records cannot be taken: {error}"}, 400)
        return Response(status_code=204)

    async def purge_records(request: Request) -> Response:
        told = json.loads(await request.body())
        await run_in_threadpool(state.purge_records, told["object"], told["ids"])
        return Response(status_code=204)

    async def show_records(request: Request) -> Response:
        try:
            rows = await run_in_threadpool(lambda: ",".join(render_texts(state, find_object(state, request.path_params["name"]))))
        except KeyError:
            return JSONResponse({"error": f"There is no object {request.path_params['name']}."}, 404)
        return Response(f"[{rows}]", media_type="application/json")

    return [
        Route("/simulation/limits", set_limits, methods=["POST"]),
        Route("/simulation/bulk", set_bulk, methods=["POST"]),
        Route("/simulation/records", put_records, methods=["POST"]),
        Route("/simulation/records", purge_records, methods=["DELETE"]),
        Route("/simulation/records/{name}", show_records),
    ]
