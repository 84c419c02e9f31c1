"""Carries out faults around a server that knows nothing of them, and counts what was asked of it.

What belongs here: which way a request goes and what befalls any answer. What does not: the kinds of fault (`faults`), when they are due
(`fault_plan`), and what they do to jobs, fields and records (`effects`).
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulation.servers.salesforce_answers import JsonAnswer
from tests.support.fault_servers.altered_answers import change_count, garble, hold_answer, send_answer, truncate
from tests.support.fault_servers.effects import Effects
from tests.support.fault_servers.fault_plan import FaultPlan
from tests.support.fault_servers.faults import (
    AnyFault,
    Conflict,
    Drop,
    EditWhilePaging,
    JobFault,
    NoUnicode,
    RequestFacts,
    SchemaFault,
    Slow,
    Truncate,
    WrongCount,
    WrongStatus,
)

OWN_ROUTES = "/simulation/"


@dataclass
class Journal:
    """Requests by method and path (ids and locators left out), and the faults to come."""

    requests: Counter[str] = field(default_factory=Counter)
    faults: FaultPlan = field(default_factory=FaultPlan)

    def record(self, method: str, path: str) -> None:
        """Count one request."""
        self.requests[f"{method} {re.sub(r'/(750|01g)[^/]+', '/<id>', path)}"] += 1


class FaultMiddleware:
    """Sends requests to the server, and in the way of those that a fault meets the fault; requests of tests go to routes of their own.

    Args:
        app: The server.
        routes: The application behind `/simulation/`.
        journal: Counts requests and holds the faults.
        effects: What faults do to the server beside its answers.
    """

    def __init__(self, app: ASGIApp, routes: ASGIApp, journal: Journal, effects: Effects) -> None:
        self.app = app
        self.routes = routes
        self.journal = journal
        self.effects = effects

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"].startswith(OWN_ROUTES):
            await self.routes(scope, receive, send)
        else:
            self.journal.record(scope["method"], scope["path"])
            body, receive = await _read_ahead(receive) if scope["method"] == "POST" else (b"", receive)
            await self._answer(self.journal.faults.meet(self._read_facts(scope, body)), scope, receive, send)

    def _read_facts(self, scope: Scope, body: bytes) -> RequestFacts:
        query = unquote_plus(scope["query_string"].decode())
        address = f"{scope['path']}?{query}" if query else scope["path"]
        return RequestFacts(scope["method"], address, self.effects.name_object(address, body))

    async def _answer(self, fault: AnyFault | None, scope: Scope, receive: Receive, send: Send) -> None:
        if isinstance(fault, WrongStatus):
            await self._answer_instead(Response(fault.body, fault.status, fault.headers), scope, receive, send)
        elif isinstance(fault, Conflict):
            conflict = [{"message": "The results are not available; try again later", "errorCode": "CONFLICT"}]
            await self._answer_instead(JsonAnswer(conflict, 409), scope, receive, send)
        elif isinstance(fault, Drop):
            await self._drop(fault, scope, receive, send)
        elif isinstance(fault, Truncate):
            start, body = await hold_answer(self._reach_app, scope, receive)
            await send_answer(start, truncate(fault, start, body), send)
        elif isinstance(fault, NoUnicode):
            start, body = await hold_answer(self._reach_app, scope, receive)
            await send_answer(start, garble(fault, start, body), send)
        elif isinstance(fault, WrongCount):
            start, body = await hold_answer(self._reach_app, scope, receive)
            await send_answer(start, change_count(fault, start, body), send)
        elif isinstance(fault, JobFault):
            start, body = await hold_answer(self._reach_app, scope, receive)
            await run_in_threadpool(self.effects.change_job, fault, body)
            await send_answer(start, body, send)
        else:
            if isinstance(fault, SchemaFault | EditWhilePaging):
                await run_in_threadpool(self.effects.change, fault)
            elif isinstance(fault, Slow):
                await asyncio.sleep(fault.seconds)
            await self._reach_app(scope, receive, send)

    async def _reach_app(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.effects.note_answer(scope["method"], scope["path"], message["status"])
            await send(message)

        await self.app(scope, receive, send_noting)

    async def _answer_instead(self, answer: Response, scope: Scope, receive: Receive, send: Send) -> None:
        self.effects.count_unanswered(scope["path"])
        await answer(scope, receive, send)

    async def _drop(self, fault: Drop, scope: Scope, receive: Receive, send: Send) -> None:
        # uvicorn shows the connection only on the object whose method `send` is.
        transport: asyncio.Transport = send.__self__.transport  # type: ignore[attr-defined]
        left = fault.after_bytes
        if left is None:
            self.effects.count_unanswered(scope["path"])
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

        await self._reach_app(scope, receive, send_a_part)
        transport.close()
        await _wait_for_end(receive)


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
