"""How many API requests a day has: every request to the data API counts, and the REST API's answers say how many were used."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

DAILY_REQUEST_LIMIT = 100_000
_DATA = "/services/data/"


@dataclass
class DailyLimit:
    """The requests a day has, and those of it that were made."""

    most: int = DAILY_REQUEST_LIMIT
    used: int = 0

    @property
    def is_exceeded(self) -> bool:
        """Whether a request more was made than the day has."""
        return self.used > self.most

    def count_request(self, path: str) -> None:
        """Count a request, if it is one to the data API."""
        self.used += path.startswith(_DATA)


class DailyLimitMiddleware:
    """Counts requests and adds `Sforce-Limit-Info` to answers of the REST API; those of Bulk 2.0 lack it."""

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
