"""A local OAuth server for mail tests: gives tokens, tells a mail server whose they are, and can forget them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs

REFRESH_TOKEN = "refresh-me-9f2c"
CLIENT_SECRET = "client-secret-77aa"


class TokenServer:
    """What it was asked, and what it answers.

    Attributes:
        url: Where it listens.
        user: Whose mailbox a token opens.
        live: Tokens that open it.
        forms: Every token request.
        lifetime: Seconds it says a token lasts.
    """

    def __init__(self) -> None:
        self.url = ""
        self.user = ""
        self.live: set[str] = set()
        self.forms: list[dict[str, str]] = []
        self.lifetime = 3600

    def give_token(self, form: dict[str, str]) -> tuple[int, dict[str, object]]:
        """The answer to a token request."""
        self.forms.append(form)
        is_refresh = form.get("grant_type") == "refresh_token"
        is_refused = is_refresh and form.get("refresh_token") != REFRESH_TOKEN
        if is_refused or form.get("client_secret", CLIENT_SECRET if is_refresh else "") != CLIENT_SECRET:
            return 400, {"error": "invalid_grant", "error_description": f"not for {self.user}: {form}"}
        token = f"access-token-{len(self.forms)}"
        self.live.add(token)
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime}

    def introspect(self, token: str) -> tuple[int, dict[str, object]]:
        """What a mail server learns about a token."""
        return 200, {"active": "true", "username": self.user} if token in self.live else {"active": "false"}


@contextmanager
def run_token_server() -> Iterator[TokenServer]:
    """Start the server and stop it."""
    state = TokenServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            status, answer = (
                state.introspect(form.get("token", "")) if self.path == "/introspect" else state.give_token(form)
            )
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
