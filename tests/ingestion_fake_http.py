"""A server in the session's own process: what it is asked is kept, what it answers is a function of the request."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import requests
from requests.adapters import BaseAdapter

Answer = tuple[int, object] | tuple[int, object, Mapping[str, str]]
Handler = Callable[[requests.PreparedRequest], Answer]


class FakeServer(BaseAdapter):
    """Mount it on a session; `handler` gives status, body (text, bytes, or what becomes JSON) and headers, or raises."""

    def __init__(self, handler: Handler) -> None:
        super().__init__()
        self.handler = handler
        self.requests: list[requests.PreparedRequest] = []
        self.options: list[Mapping[str, Any]] = []

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        self.requests.append(request)
        self.options.append(options)
        status, body, *rest = self.handler(request)
        answer = requests.Response()
        answer.status_code = status
        answer.url = str(request.url)
        answer.request = request
        answer.headers.update(rest[0] if rest else {})
        content = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        answer.raw = io.BytesIO(content)
        return answer

    def close(self) -> None:
        """Nothing is open."""


def in_turn(*answers: Answer | Exception) -> Handler:
    """One answer after the other; the last one for ever."""
    left = list(answers)

    def handle(_: requests.PreparedRequest) -> Answer:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return handle
