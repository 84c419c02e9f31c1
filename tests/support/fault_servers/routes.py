"""The routes of either fault server, for tests: how often what was asked, and what shall go wrong next.

GET    /simulation/requests    {"POST /services/oauth2/token": 1, …}
GET    /simulation/faults      the faults added, each with how many requests fitted it and how many met it
POST   /simulation/faults      {"kind": "status", "path": "/limits$", "status": 503, "times": 2, "headers": {"Retry-After": "0"}}; see `faults`
DELETE /simulation/faults      no fault is to come any more

What only the Salesforce server has is in `salesforce_routes`.
"""

from __future__ import annotations

import json

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.fault_servers.effects import Effects
from tests.support.fault_servers.faults import AnyFault, SchemaFault, read_fault
from tests.support.fault_servers.middleware import Journal


def fault_routes(journal: Journal, effects: Effects) -> list[Route]:
    """The routes above; a change of fields without a path holds at once."""

    async def show_requests(_: Request) -> Response:
        return JSONResponse(dict(journal.requests))

    async def show_faults(_: Request) -> Response:
        return JSONResponse(journal.faults.show())

    async def add_fault(request: Request) -> Response:
        try:
            fault: AnyFault = read_fault(await request.json())
        except (ValidationError, json.JSONDecodeError) as error:
            return JSONResponse({"error": f"This is no fault: {error}"}, 400)
        if isinstance(fault, SchemaFault) and not fault.path:
            effects.change(fault)
        else:
            journal.faults.add(fault)
        return Response(status_code=204)

    async def clear_faults(_: Request) -> Response:
        journal.faults.clear()
        return Response(status_code=204)

    return [
        Route("/simulation/requests", show_requests),
        Route("/simulation/faults", show_faults),
        Route("/simulation/faults", add_fault, methods=["POST"]),
        Route("/simulation/faults", clear_faults, methods=["DELETE"]),
    ]
