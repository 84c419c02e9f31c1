"""The maximum length of a request's address and headers.

Salesforce's front end refuses longer ones before any API sees them: 414 for an address, 431 for both together, over
16,384 bytes (REST API Developer Guide, "Status Codes and Error Responses"). They count against no limit and appear in
no log.
"""

from __future__ import annotations

from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

MOST_BYTES = 16_384


class RequestSizeMiddleware:
    """Refuses requests whose address, or address and headers, are too long, as the front end does."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http":
            address = len(scope.get("raw_path") or scope["path"].encode()) + len(scope["query_string"]) + len("?")
            headers = sum(len(name) + len(value) + len(": \r\n") for name, value in scope["headers"])
            if address > MOST_BYTES:
                await _refuse(414, "URI Too Long")(scope, receive, send)
                return
            if address + headers > MOST_BYTES:
                await _refuse(431, "Request Header Fields Too Large")(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _refuse(status: int, reason: str) -> HTMLResponse:
    return HTMLResponse(f"<h1>Bad Message {status}</h1><pre>reason: {reason}</pre>", status)
