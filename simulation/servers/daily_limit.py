"""The daily API request limit: every data API request counts, and REST API answers report the usage."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

DAILY_REQUEST_LIMIT = 100_000
_DATA = "/services/data/"


@dataclass
class DailyLimit:
    """A day's request limit and the requests used so far."""

    most: int = DAILY_REQUEST_LIMIT
    used: int = 0

    @property
    def is_exceeded(self) -> bool:
        """Whether more requests were made than the day allows."""
        return self.used > self.most

    def count_request(self, path: str) -> None:
        """Count the request if it is to the data API."""
        self.used += path.startswith(_DATA)


class DailyLimitMiddleware:
    """Counts requests and adds `Sforce-Limit-Info` to REST API answers; Bulk 2.0 answers lack it."""

    def __init__(self, app: ASGIApp, limit: DailyLimit) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        self.limit.count_request(path)

        async def send_with_usage(message: Message) -> None:
            if message["type"] == "http.response.start" and path.startswith(_DATA) and "/jobs/" not in path:
                usage = f"api-usage={self.limit.used}/{self.limit.most}".encode()
                message["headers"] = [*message["headers"], (b"sforce-limit-info", usage)]
            await send(message)

        await self.app(scope, receive, send_with_usage)
