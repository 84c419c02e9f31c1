"""Answers that are not what the server gave: truncated CSV and wrong counts."""

from __future__ import annotations

import gzip
import re

import numpy as np
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.support.fault_servers.faults import NoUnicode, Truncate, WrongCount

ROWS_HEADER = "Sforce-NumberOfRecords"
_COUNT = re.compile(rb'("(?:totalSize|numberRecordsProcessed)":)(\d+)')
_FIRST_BORDER = re.compile(rb'"[^"]*("[^"]")')


async def hold_answer(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
    """The start of an application's answer and its whole body, held back from the client."""
    start: Message = {}
    parts: list[bytes] = []

    async def hold(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message, headers=list(message["headers"]))
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    await app(scope, receive, hold)
    return start, b"".join(parts)


async def send_answer(start: Message, body: bytes, send: Send) -> None:
    """Send an answer that was held back."""
    await send(start)
    await send({"type": "http.response.body", "body": body})


def truncate(fault: Truncate, start: Message, body: bytes) -> bytes:
    """Cut a page of CSV; a packed one is packed again. A refusal stays whole."""
    headers = MutableHeaders(raw=start["headers"])
    if not headers.get("Content-Type", "").startswith("text/csv"):
        return body
    is_packed = headers.get("Content-Encoding") == "gzip"
    text = cut_csv(fault, gzip.decompress(body) if is_packed else body)
    body = gzip.compress(text, 1) if is_packed else text
    headers["Content-Length"] = str(len(body))
    return body


def garble(fault: NoUnicode, start: Message, body: bytes) -> bytes:
    """Put bytes that are no UTF-8 into a page."""
    body = body.replace(fault.text.encode(), bytes.fromhex(fault.hex))
    MutableHeaders(raw=start["headers"])["Content-Length"] = str(len(body))
    return body


def change_count(fault: WrongCount, start: Message, body: bytes) -> bytes:
    """Change the number in a page's header, or the first one in a job or a query's answer."""
    headers = MutableHeaders(raw=start["headers"])
    if ROWS_HEADER in headers:
        headers[ROWS_HEADER] = str(int(headers[ROWS_HEADER]) + fault.by)
        return body
    body = _COUNT.sub(lambda found: found[1] + str(int(found[2]) + fault.by).encode(), body, count=1)
    headers["Content-Length"] = str(len(body))
    return body


def cut_csv(fault: Truncate, body: bytes) -> bytes:
    """CSV with a header, all of its values quoted, cut after a row, between two values of the next one, or within a value, whose quote stays open."""
    text = np.frombuffer(body, dtype=np.uint8)
    ends = (
        np.flatnonzero((text == ord("\n")) & (np.cumsum(text == ord('"')) % 2 == 0)) + 1
    )  # of the header and of every row
    kept = min(fault.rows, len(ends) - 1)
    end = int(ends[kept])
    if fault.within == "line_end":
        return body[:end].rstrip(b"\r\n")
    if not fault.within or kept == len(ends) - 1:
        return body[:end]
    row = body[end : int(ends[kept + 1])]
    header = _FIRST_BORDER.match(body[: int(ends[0])])
    border = header[1] if header else b'","'
    inside = row.find(border) + 1 if fault.within == "row" else row.rfind(border) + len(border)
    return body[: end + max(inside, 1)]
