"""Aircall's and RingCentral's call logs, served on loopback over a company's calls, with their paging, sign-in, limits and faults.

Field names and shapes are those of the providers' public API references; the legs of the company's file become what each would tell of them.
"""

from __future__ import annotations

import base64
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import duckdb
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

RINGING = timedelta(seconds=9)
WITHHELD = "+266696687"  # what the company's log writes for a hidden number, as Twilio does
Json = dict[str, Any]


@dataclass(frozen=True)
class Leg:
    """One leg of the company's call log; `talk` ends at `end`."""

    sid: str
    parent: str | None
    direction: str
    caller: str
    called: str
    start: datetime
    end: datetime
    talk: int

    @property
    def is_inbound(self) -> bool:
        return self.direction == "inbound"


def read_calls(parquet: Path, until: datetime) -> list[list[Leg]]:
    """The company's calls that are known at an instant, each with its legs, the first one first."""
    with duckdb.connect() as connection:
        rows = connection.execute(
            """
            select sid, parent_call_sid, direction, "from", "to", coalesce(start_time, date_created), end_time, duration
            from read_parquet(?) where _visible_from <= ? order by coalesce(parent_call_sid, sid), parent_call_sid is not null, sid
            """,
            [str(parquet), until.astimezone(UTC).replace(tzinfo=None)],
        ).fetchall()
    calls: dict[str, list[Leg]] = {}
    for row in rows:
        leg = Leg(*row[:5], row[5].replace(tzinfo=UTC), row[6].replace(tzinfo=UTC), int(row[7]))
        calls.setdefault(leg.parent or leg.sid, []).append(leg)
    return list(calls.values())


def as_aircall(number: int, legs: list[Leg], emails: dict[str, str] | None = None) -> Json:
    """A call as Aircall tells it: one object however often it was passed on, its start with the ringing before."""
    first, talked = legs[0], [leg for leg in legs if leg.talk]
    ours, theirs = (first.called, first.caller) if first.is_inbound else (first.caller, first.called)
    answered = min((leg.end - timedelta(seconds=leg.talk) for leg in talked), default=None)
    started = (answered - RINGING) if answered else first.start
    ended = max(leg.end for leg in legs)
    email = (emails or {}).get(ours)
    return {
        "id": 10_000 + number,
        "sid": first.sid,
        "direct_link": f"https://api.aircall.io/v1/calls/{10_000 + number}",
        "direction": "inbound" if first.is_inbound else "outbound",
        "status": "done",
        "missed_call_reason": None if answered else "no_available_agent",
        "started_at": int(started.timestamp()),
        "answered_at": int(answered.timestamp()) if answered else None,
        "ended_at": int(ended.timestamp()),
        "duration": int((ended - started).total_seconds()),
        "voicemail": None,
        "recording": f"https://recordings.example/{number}.mp3?X-Amz-Signature={time.monotonic_ns()}",
        "raw_digits": "anonymous" if theirs == WITHHELD else f"{theirs[:3]} {theirs[3:6]}-{theirs[6:]}",
        "user": {"id": 7, "name": "Agent", "email": email, "available": True} if email else None,
        "contact": None,
        "archived": False,
        "assigned_to": None,
        "tags": [],
        "comments": [],
        "number": {
            "id": 3,
            "name": "Sales",
            "digits": f"{ours[:2]} {ours[2:]}",
            "country": "US",
            "open": number % 2 == 0,
        },
        "cost": "0.0",
    }


def as_ringcentral(number: int, legs: list[Leg]) -> list[Json]:
    """A call as RingCentral tells it: a master leg that spans menu and ringing, beside it the legs that were talked on; of a call that is passed
    on two records of one session."""
    first, talked = legs[0], [leg for leg in legs if leg.talk]
    ended = max(leg.end for leg in legs)
    started = first.start - RINGING if talked else first.start
    session = str(400_000_000 + number)

    def party(number_text: str) -> Json:
        return {"phoneNumber": number_text} if number_text.startswith("+") else {"extensionNumber": number_text}

    def leg_of(start: datetime, end: datetime, result: str, *, is_master: bool) -> Json:
        return {
            "startTime": _iso_milliseconds(start),
            "duration": int((end - start).total_seconds()),
            "type": "Voice",
            "direction": "Inbound" if first.is_inbound else "Outbound",
            "action": "Phone Call" if first.is_inbound else "VoIP Call",
            "result": result,
            "legType": "Accept" if is_master else "PstnToSip",
            "recording": {"id": "1", "contentUri": "https://media.example/1/content"},
        } | ({"master": True} if is_master else {})

    accepted = "Accepted" if first.is_inbound else "Call connected"
    result = accepted if talked else ("Missed" if first.is_inbound else "No Answer")

    def record(part: int, inner: list[Leg], start: datetime, end: datetime) -> Json:
        spoken = [leg_of(leg.end - timedelta(seconds=leg.talk), leg.end, accepted, is_master=False) for leg in inner]
        identity = f"RC{number:06d}{part}"
        return {
            "uri": f"https://platform.ringcentral.com/restapi/v1.0/account/1/call-log/{identity}?view=Detailed",
            "id": identity,
            "sessionId": session,
            "telephonySessionId": f"s-{session}",
            "startTime": _iso_milliseconds(start),
            "duration": int((end - start).total_seconds()),
            "type": "Voice",
            "direction": "Inbound" if first.is_inbound else "Outbound",
            "action": "Phone Call",
            "result": result,
            "from": party(first.caller),
            "to": party(first.called),
            "extension": {"uri": "https://platform.ringcentral.com/e/9", "id": 9},
            "transport": "PSTN",
            "lastModifiedTime": _iso_milliseconds(end + timedelta(seconds=70)),
            "legs": [leg_of(start, end, result, is_master=True), *spoken],
        }

    records = [record(0, talked[:1], started, ended)]
    records += [
        record(part, [leg], leg.end - timedelta(seconds=leg.talk), leg.end)
        for part, leg in enumerate(talked[1:], start=1)
    ]
    return records


def _iso_milliseconds(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@dataclass
class Served:
    """A running server.

    Attributes:
        url: Its address.
        requests: Paths with queries, in order.
        faults: What to answer instead, by the number of the request (from 0).
        alter: Changes a page before it is sent: `alter(page number from 1, page)`.
        tokens: How many access tokens were given.
    """

    url: str = ""
    requests: list[str] = field(default_factory=list)
    faults: dict[int, Response] = field(default_factory=dict)
    alter: Callable[[int, Json], Json] = lambda _, page: page
    tokens: int = 0

    @property
    def token(self) -> str:
        """The access token given last, the only one that is good."""
        return f"rc-access-token-{self.tokens}"


def _journalled(served: Served, answer: Callable[[Request], Response]) -> Callable[[Request], Any]:
    async def handle(request: Request) -> Response:
        served.requests.append(f"{request.url.path}?{request.url.query}")
        request.state.form = parse_qs((await request.body()).decode())
        fault = served.faults.pop(len(served.requests) - 1, None)
        return fault or answer(request)

    return handle


def _has_basic(request: Request, user: str, password: str) -> bool:
    return request.headers.get("authorization") == "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def make_aircall(served: Served, calls: list[Json], api_id: str, api_token: str, most: int = 10_000) -> Starlette:
    """`GET /v1/calls`: basic auth, both ends of the window included, at most `most` calls of it."""

    def list_calls(request: Request) -> Response:
        if not _has_basic(request, api_id, api_token):
            return JSONResponse({"error": "Unauthorized", "troubleshoot": "Check your API key"}, 401)
        asked = request.query_params
        page, size = int(asked.get("page", "1")), min(int(asked.get("per_page", "20")), 50)
        first, last = int(asked.get("from", "0")), int(asked.get("to", "9999999999"))
        found = sorted(
            (call for call in calls if first <= call["started_at"] <= last),
            key=lambda call: (call["started_at"], call["id"]),
        )
        if page * size > most:
            return JSONResponse({"error": "Bad Request", "troubleshoot": "Too many results"}, 400)
        shown = found[(page - 1) * size : page * size]
        has_more = page * size < min(len(found), most)
        following = (
            f"{served.url}/v1/calls?{urlencode({**asked, 'page': page + 1, 'per_page': size})}" if has_more else None
        )
        meta = {
            "count": len(shown),
            "total": len(found),
            "current_page": page,
            "per_page": size,
            "next_page_link": following,
        }
        return JSONResponse(served.alter(page, {"meta": meta | {"previous_page_link": None}, "calls": shown}))

    return Starlette(routes=[Route("/v1/calls", _journalled(served, list_calls))])


def make_ringcentral(
    served: Served, records: list[Json], app: tuple[str, str], jwt: str, *, tells_total: bool
) -> Starlette:
    """`POST /restapi/oauth/token` by JWT and `GET …/call-log`: newest first, the end not included; one day where no start is given."""

    def give_token(request: Request) -> Response:
        if not _has_basic(request, *app):
            return JSONResponse({"error": "invalid_client", "error_description": "Invalid client credentials"}, 401)
        if request.state.form != {"grant_type": ["urn:ietf:params:oauth:grant-type:jwt-bearer"], "assertion": [jwt]}:
            return JSONResponse({"error": "invalid_grant", "error_description": "Invalid JWT"}, 400)
        served.tokens += 1
        return JSONResponse(
            {"access_token": served.token, "token_type": "bearer", "expires_in": 3600, "scope": "ReadCallLog"}
        )

    def list_calls(request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {served.token}":
            return JSONResponse({"errorCode": "TokenInvalid", "message": "Token not found"}, 401)
        asked = request.query_params
        page, size = int(asked.get("page", "1")), min(int(asked.get("perPage", "100")), 250)
        last = datetime.fromisoformat(asked["dateTo"]) if "dateTo" in asked else datetime.now(UTC)
        first = datetime.fromisoformat(asked["dateFrom"]) if "dateFrom" in asked else last - timedelta(days=1)
        window = [
            record for record in records if _iso_milliseconds(first) <= record["startTime"] < _iso_milliseconds(last)
        ]
        found = sorted(window, key=lambda record: (record["startTime"], record["id"]), reverse=True)
        shown = found[(page - 1) * size : page * size]
        paging: Json = {"page": page, "perPage": size}
        if shown:
            paging |= {"pageStart": (page - 1) * size, "pageEnd": (page - 1) * size + len(shown) - 1}
        if tells_total:
            paging |= {"totalElements": len(found)}
        here = f"{served.url}{request.url.path}"
        navigation = {"firstPage": {"uri": f"{here}?{urlencode({**asked, 'page': 1})}"}}
        if page * size < len(found):
            navigation["nextPage"] = {"uri": f"{here}?{urlencode({**asked, 'page': page + 1})}"}
        return JSONResponse(
            served.alter(page, {"uri": here, "records": shown, "paging": paging, "navigation": navigation})
        )

    return Starlette(
        routes=[
            Route("/restapi/oauth/token", _journalled(served, give_token), methods=["POST"]),
            Route("/restapi/v1.0/account/~/call-log", _journalled(served, list_calls)),
        ]
    )


@contextmanager
def serve(make: Callable[[Served], Starlette]) -> Iterator[Served]:
    """Run an application on a free loopback port, in a thread of this process."""
    served = Served()
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        served.url = f"http://127.0.0.1:{opened.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(make(served), log_level="error", access_log=False, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        try:
            yield served
        finally:
            server.should_exit = True
            thread.join(timeout=10)
