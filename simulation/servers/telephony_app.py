"""A telephony account's call log in Twilio's shape: `GET /2010-04-01/Accounts/<sid>/Calls.json`, newest call first, in pages."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import duckdb
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulation.servers.state import CompanyState, StateTable

API = "/2010-04-01/Accounts"
DEFAULT_PAGE_ROWS = 50
MOST_PAGE_ROWS = 1000
_ALWAYS_EMPTY = ("annotation", "caller_name", "forwarded_from", "group_sid", "trunk_sid")
_STARTED = 'coalesce("start_time", "date_created")'


class TwilioError(Exception):
    """A refused request: `{"code", "message", "more_info", "status"}`."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Account:
    """The account that may read its calls: the sid is the user name, the token the password."""

    sid: str
    auth_token: str

    def accepts(self, authorization: str) -> bool:
        """Whether a basic `Authorization` header has the right sid and token."""
        scheme, _, encoded = authorization.partition(" ")
        try:
            given = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            return False
        return scheme.lower() == "basic" and hmac.compare_digest(given, f"{self.sid}:{self.auth_token}".encode())


def make_telephony_app(state: CompanyState, account: Account) -> Starlette:
    """The ASGI application."""

    async def list_calls(request: Request) -> Response:
        if not account.accepts(request.headers.get("authorization", "")):
            raise TwilioError(401, 20003, "Authenticate")
        if request.path_params["sid"] != account.sid:
            raise TwilioError(404, 20404, f"The requested resource {request.url.path} was not found")
        return await run_in_threadpool(_answer_calls, state, account.sid, dict(request.query_params))

    return Starlette(
        routes=[Route(f"{API}/{{sid}}/Calls.json", list_calls)],
        exception_handlers={TwilioError: _answer_error, HTTPException: _answer_http_error},
    )


def _answer_calls(state: CompanyState, account_sid: str, asked: dict[str, str]) -> Response:
    size = min(_read_number(asked, "PageSize", DEFAULT_PAGE_ROWS), MOST_PAGE_ROWS)
    page = _read_number(asked, "Page", 0)
    table = state.table("telephony/call", key="sid", order=f'{_STARTED} desc, "sid" desc')
    conditions, parameters = _read_filters(asked)
    cursor = state.cursor()
    if asked.get("PageToken"):
        conditions.append("rowid > ?")
        parameters.append(_find_place(cursor, table, asked["PageToken"]))
    elif page > 0:
        raise TwilioError(400, 20001, "Page number without PageToken is not supported")
    where = f"where {' and '.join(conditions)}" if conditions else ""
    # The table was created in answer order, so the row number gives the order. Select the page first, then its JSON: in
    # one SELECT DuckDB would render every call of the account for every page.
    sql = f'select "sid", {_json_of(table, account_sid)} from (select * from {table.name} {where} order by rowid limit {size + 1})'
    rows = cursor.execute(sql, parameters).fetchall()
    shown, has_more = rows[:size], len(rows) > size
    path = f"{API}/{account_sid}/Calls.json"
    filters = {key: value for key, value in asked.items() if key not in ("Page", "PageSize", "PageToken")}

    def link(number: int, token: str | None) -> str:
        where_to: dict[str, Any] = {**filters, "PageSize": size, "Page": number}
        return f"{path}?{urlencode(where_to | ({'PageToken': token} if token else {}))}"

    envelope = {
        "first_page_uri": link(0, None),
        "next_page_uri": link(page + 1, f"PA{shown[-1][0]}") if has_more else None,
        "previous_page_uri": None,
        "page": page,
        "page_size": size,
        "start": page * size,
        "end": page * size + max(len(shown) - 1, 0),
        "uri": link(page, asked.get("PageToken")),
    }
    head = JSONResponse(envelope).body
    calls = ",".join(text for _, text in shown).encode()
    return Response(bytes(head)[:-1] + b',"calls":[' + calls + b"]}", media_type="application/json")


def _find_place(cursor: duckdb.DuckDBPyConnection, table: StateTable, token: str) -> int:
    """The row of the previous page's last call. The token names the call, not the row: later calls shift the rows."""
    row = cursor.execute(f'select rowid from {table.name} where "sid" = ?', [token.removeprefix("PA")]).fetchone()
    if row is None:
        raise TwilioError(400, 20001, f"Invalid PageToken: {token}")
    return int(row[0])


def _read_number(asked: dict[str, str], name: str, default: int) -> int:
    text = asked.get(name, str(default))
    if not text.isdigit() or (name == "PageSize" and int(text) == 0):
        raise TwilioError(400, 20001, f"Invalid {name}: {text}")
    return int(text)


def _read_filters(asked: dict[str, str]) -> tuple[list[str], list[object]]:
    """Conditions and parameters.

    `StartTime>=…` arrives as the parameter `StartTime>`; a bare date is midnight UTC, `StartTime=` a whole day.
    """
    conditions: list[str] = []
    parameters: list[object] = []
    for name, column in (("To", "to"), ("From", "from"), ("Status", "status"), ("ParentCallSid", "parent_call_sid")):
        if name in asked:
            conditions.append(f'"{column}" = ?')
            parameters.append(asked[name])
    for stem, column in (("StartTime", _STARTED), ("EndTime", '"end_time"')):
        for name, operator in ((f"{stem}>", ">="), (f"{stem}<", "<=")):
            if name in asked:
                conditions.append(f"{column} {operator} ?")
                parameters.append(_read_instant(asked[name]))
        if stem in asked:
            day = _read_instant(asked[stem]).replace(hour=0, minute=0, second=0, microsecond=0)
            conditions.append(f"{column} >= ? and {column} < ?")
            parameters.extend((day, day + timedelta(days=1)))
    return conditions, parameters


def _read_instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise TwilioError(400, 20001, f"Invalid date: {text}") from None
    return instant.astimezone(UTC).replace(tzinfo=None) if instant.tzinfo else instant


def _json_of(table: StateTable, account_sid: str) -> str:
    """SQL that renders a call: times in RFC 2822, numbers as text, missing values as null."""
    pairs = []
    for name, kind in table.columns.items():
        column = f'"{name}"'
        value = (
            f"strftime({column}, '%a, %d %b %Y %H:%M:%S +0000')"
            if kind.startswith("TIMESTAMP")
            else f"{column}::varchar"
        )
        pairs.append(f"'{name}', {value}")
    pairs += [f"'{name}', null" for name in _ALWAYS_EMPTY]
    pairs += [
        "'api_version', '2010-04-01'",
        "'queue_time', '0'",
        f"'uri', '{API}/{account_sid}/Calls/' || \"sid\" || '.json'",
    ]
    return f"json_object({', '.join(pairs)})"


def _error(status: int, code: int, message: str) -> Response:
    more = f"https://www.twilio.com/docs/errors/{code}"
    headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if status == 401 else None
    return JSONResponse({"code": code, "message": message, "more_info": more, "status": status}, status, headers)


async def _answer_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, TwilioError)
    return _error(error.status, error.code, error.message)


async def _answer_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = 20004 if error.status_code == 405 else 20404
    message = (
        "Method not allowed" if error.status_code == 405 else f"The requested resource {request.url.path} was not found"
    )
    return _error(error.status_code, code, message)
