"""For tests: how often what was asked, and what shall go wrong next. The real services have nothing like it.

GET    /simulation/requests    {"POST /services/oauth2/token": 1, …}
POST   /simulation/faults      {"path": "/services/data", "status": 503, "times": 2, "body": "", "headers": {"Retry-After": "0"}}
DELETE /simulation/sessions    every Salesforce session expires
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulation.servers.oauth import Sessions

DAILY_REQUEST_LIMIT = 100_000


@dataclass
class Fault:
    """An answer to give instead of the true one, to the next `times` requests under `path`."""

    path: str
    status: int
    times: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Journal:
    """Requests by method and path (ids and locators left out), and the faults to come."""

    requests: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)

    def record(self, method: str, path: str) -> None:
        """Count one request."""
        self.requests[f"{method} {re.sub(r'/(750|01g)[^/]+', '/<id>', path)}"] += 1

    def next_fault(self, path: str) -> Fault | None:
        """The fault this request meets, if any; it counts down."""
        for fault in self.faults:
            if fault.times > 0 and path.startswith(fault.path):
                fault.times -= 1
                return fault
        return None


class JournalMiddleware:
    """Counts, answers faults, and adds `Sforce-Limit-Info` where `with_limits` is set."""

    def __init__(self, app: ASGIApp, journal: Journal, with_limits: bool = False) -> None:
        self.app = app
        self.journal = journal
        self.with_limits = with_limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"].startswith("/simulation/"):
            await self.app(scope, receive, send)
            return
        self.journal.record(scope["method"], scope["path"])

        async def send_with_limits(message: Message) -> None:
            if message["type"] == "http.response.start" and self.with_limits and scope["path"].startswith("/services/data"):
                usage = f"api-usage={self.journal.requests.total()}/{DAILY_REQUEST_LIMIT}".encode()
                message["headers"] = [*message["headers"], (b"sforce-limit-info", usage)]
            await send(message)

        fault = self.journal.next_fault(scope["path"])
        if fault is not None:
            await Response(fault.body, fault.status, fault.headers)(scope, receive, send)
            return
        await self.app(scope, receive, send_with_limits)


def control_routes(journal: Journal, sessions: Sessions) -> list[Route]:
    """The routes above, for either server."""

    async def show_requests(_: Request) -> Response:
        return JSONResponse(dict(journal.requests))

    async def add_fault(request: Request) -> Response:
        journal.faults.append(Fault(**await request.json()))
        return Response(status_code=204)

    async def expire_sessions(_: Request) -> Response:
        sessions.expire_all()
        return Response(status_code=204)

    return [
        Route("/simulation/requests", show_requests),
        Route("/simulation/faults", add_fault, methods=["POST"]),
        Route("/simulation/sessions", expire_sessions, methods=["DELETE"]),
    ]
