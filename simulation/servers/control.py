"""For tests: how often what was asked, and what shall go wrong next. The real services have nothing like it.

GET    /simulation/requests    {"POST /services/oauth2/token": 1, …}
GET    /simulation/faults      the faults told, each with how many requests fitted it and how many met it
POST   /simulation/faults      {"kind": "status", "path": "/limits$", "status": 503, "times": 2, "headers": {"Retry-After": "0"}}; see `misbehaviour`
DELETE /simulation/faults      no fault is to come any more
DELETE /simulation/sessions    every Salesforce session expires

What only the Salesforce server understands is in `salesforce_control`.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulation.servers.misbehaviour import AnyFault, Asked, Drop, FaultPlan, SchemaFault, Slow, WrongStatus, read_fault
from simulation.servers.oauth import Sessions

DAILY_REQUEST_LIMIT = 100_000
FAULT = "simulation.fault"
TRANSPORT = "simulation.transport"

NameObject = Callable[[str, str, bytes], str | None]
"""Method, address and body → the Salesforce object that a request is about."""


@dataclass
class DailyLimit:
    """The requests a day has, and those of it that were made."""

    most: int = DAILY_REQUEST_LIMIT
    used: int = 0

    @property
    def is_exceeded(self) -> bool:
        """Whether a request more was made than the day has."""
        return self.used > self.most


@dataclass
class Journal:
    """Requests by method and path (ids and locators left out), the daily limit, and the faults to come."""

    requests: Counter[str] = field(default_factory=Counter)
    limit: DailyLimit = field(default_factory=DailyLimit)
    faults: FaultPlan = field(default_factory=FaultPlan)

    def record(self, method: str, path: str) -> None:
        """Count one request; those to the data API count against the daily limit."""
        self.requests[f"{method} {re.sub(r'/(750|01g)[^/]+', '/<id>', path)}"] += 1
        self.limit.used += path.startswith("/services/data/")


class JournalMiddleware:
    """Counts, carries out the faults that may befall any answer, hands the others on in the scope, and adds `Sforce-Limit-Info` where told."""

    def __init__(self, app: ASGIApp, journal: Journal, with_limits: bool = False, name_object: NameObject | None = None) -> None:
        self.app = app
        self.journal = journal
        self.with_limits = with_limits
        self.name_object = name_object

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"].startswith("/simulation/"):
            await self.app(scope, receive, send)
            return
        self.journal.record(scope["method"], scope["path"])
        body, receive = await _read_ahead(receive) if scope["method"] == "POST" else (b"", receive)
        fault = scope[FAULT] = self.journal.faults.meet(self._read_asked(scope, body))

        async def send_with_limits(message: Message) -> None:
            if message["type"] == "http.response.start" and self.with_limits and _tells_usage(scope["path"]):
                usage = f"api-usage={self.journal.limit.used}/{self.journal.limit.most}".encode()
                message["headers"] = [*message["headers"], (b"sforce-limit-info", usage)]
            await send(message)

        if isinstance(fault, WrongStatus):
            await Response(fault.body, fault.status, fault.headers)(scope, receive, send)
        elif isinstance(fault, Drop):
            await self._drop(fault, scope, receive, send)
        else:
            if isinstance(fault, Slow):
                await asyncio.sleep(fault.seconds)
            await self.app(scope, receive, send_with_limits)

    def _read_asked(self, scope: Scope, body: bytes) -> Asked:
        query = unquote_plus(scope["query_string"].decode())
        address = f"{scope['path']}?{query}" if query else scope["path"]
        return Asked(scope["method"], address, self.name_object(scope["method"], address, body) if self.name_object else None)

    async def _drop(self, fault: Drop, scope: Scope, receive: Receive, send: Send) -> None:
        transport: asyncio.Transport = scope[TRANSPORT]
        left = fault.after_bytes
        if left is None:
            transport.abort()
            await _wait_for_end(receive)
            return

        held = b""  # always the last byte so far: one at least is missing, however short the answer is

        async def send_a_part(message: Message) -> None:
            nonlocal left, held
            if message["type"] != "http.response.body":
                await send(message)
                return
            body = held + message.get("body", b"")
            held = body[-1:]
            if part := body[:-1][:left]:
                left -= len(part)
                await send({"type": "http.response.body", "body": part, "more_body": True})

        await self.app(scope, receive, send_a_part)
        transport.close()
        await _wait_for_end(receive)


def _tells_usage(path: str) -> bool:
    """Whether answers there carry `Sforce-Limit-Info`: those of the REST API do, those of Bulk 2.0 do not."""
    return path.startswith("/services/data/") and "/jobs/" not in path


async def _read_ahead(receive: Receive) -> tuple[bytes, Receive]:
    """The request's body, and a `receive` that gives it once more."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    again = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive_again() -> Message:
        return next(again, None) or await receive()

    return body, receive_again


async def _wait_for_end(receive: Receive) -> None:
    # The server answers 500 where an application returns without an answer to a client that is still there.
    while (await receive())["type"] != "http.disconnect":
        pass


def control_routes(journal: Journal, sessions: Sessions, change_schema: Callable[[SchemaFault], None] | None = None) -> list[Route]:
    """The routes above, for either server; `change_schema` carries a fault out that holds at once."""

    async def show_requests(_: Request) -> Response:
        return JSONResponse(dict(journal.requests))

    async def show_faults(_: Request) -> Response:
        return JSONResponse(journal.faults.show())

    async def add_fault(request: Request) -> Response:
        try:
            fault: AnyFault = read_fault(await request.json())
        except (ValidationError, json.JSONDecodeError) as error:
            return JSONResponse({"error": f"This is no fault: {error}"}, 400)
        if isinstance(fault, SchemaFault) and not fault.path and change_schema is not None:
            change_schema(fault)
        else:
            journal.faults.add(fault)
        return Response(status_code=204)

    async def clear_faults(_: Request) -> Response:
        journal.faults.clear()
        return Response(status_code=204)

    async def expire_sessions(_: Request) -> Response:
        sessions.expire_all()
        return Response(status_code=204)

    return [
        Route("/simulation/requests", show_requests),
        Route("/simulation/faults", show_faults),
        Route("/simulation/faults", add_fault, methods=["POST"]),
        Route("/simulation/faults", clear_faults, methods=["DELETE"]),
        Route("/simulation/sessions", expire_sessions, methods=["DELETE"]),
    ]
