"""Tokens: asked for when needed, kept while they last, and refusals in words that name no secret."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from ingestion.errors import MailServerUnreachable, MailSignInError
from ingestion.sources.http_session import RetryingSession
from ingestion.sources.mail.accounts import Account, OAuth
from ingestion.sources.mail.sign_in import Keyring, TokenSource

URL = "https://login.example/token"


class FakeServer(RetryingSession):
    """Answers token requests in turn, the last one for ever."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        super().__init__(patience=0)
        self._answers = list(answers)
        self.forms: list[dict[str, str]] = []

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        self.forms.append(kwargs["data"])
        status, body = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(body, Exception):
            raise body
        answer = requests.Response()
        answer.status_code = status
        answer._content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return answer


def source(server: FakeServer, *, grant: str = "refresh_token", seconds: list[float] | None = None) -> TokenSource:
    oauth = OAuth.model_validate({"token_url": URL, "grant": grant, "client_id": "app"})
    times = seconds or [0.0]
    return TokenSource(oauth, SecretStr("my-secret"), SecretStr("app-secret"), server, clock=lambda: times[0])


def test_a_token_is_kept_until_a_minute_before_it_runs_out() -> None:
    server = FakeServer(
        (200, {"access_token": "a", "expires_in": 3600}), (200, {"access_token": "b", "expires_in": "3600"})
    )
    seconds = [0.0]
    tokens = source(server, seconds=seconds)
    seen = []
    for moment in (0.0, 3539.0, 3541.0, 3600.0):
        seconds[0] = moment
        seen.append(tokens.token())
    assert seen == ["a", "a", "b", "b"]


def test_a_refresh_token_that_is_replaced_is_used_from_then_on() -> None:
    server = FakeServer((200, {"access_token": "a", "refresh_token": "second"}), (200, {"access_token": "b"}))
    tokens = source(server)
    tokens.token()
    assert tokens.forget()
    tokens.token()
    assert [form["refresh_token"] for form in server.forms] == ["my-secret", "second"]
    assert server.forms[0] == {
        "grant_type": "refresh_token",
        "client_id": "app",
        "refresh_token": "my-secret",
        "client_secret": "app-secret",
    }


def test_client_credentials_send_the_secret_as_the_clients() -> None:
    server = FakeServer((200, {"access_token": "a"}))
    source(server, grant="client_credentials").token()
    assert server.forms == [{"grant_type": "client_credentials", "client_id": "app", "client_secret": "my-secret"}]


@pytest.mark.parametrize(
    ("status", "body", "error", "complaint"),
    [
        (
            400,
            {"error": "invalid_grant", "error_description": "AADSTS700082 jane@acme.example my-secret"},
            MailSignInError,
            "invalid_grant",
        ),
        (401, {"error": "invalid_client"}, MailSignInError, "invalid_client"),
        (200, {"token": "elsewhere"}, MailSignInError, "HTTP 200"),
        (404, b"<html>", MailSignInError, "HTTP 404"),
        (400, {"error": "my secret is jane@acme.example"}, MailSignInError, "HTTP 400"),
        (503, b"", MailServerUnreachable, "503"),
        (429, {"error": "slow_down"}, MailServerUnreachable, "429"),
        (0, requests.ConnectionError("jane@acme.example"), MailServerUnreachable, "cannot be reached"),
    ],
)
def test_refusals(status: int, body: Any, error: type[Exception], complaint: str) -> None:
    with pytest.raises(error) as caught:
        source(FakeServer((status, body))).token()
    assert complaint in str(caught.value)
    assert "jane@acme.example" not in str(caught.value)
    assert "secret" not in str(caught.value).replace("the secret that the accounts file names", "")


def test_mailboxes_of_one_secret_share_a_token() -> None:
    account = Account.model_validate(
        {
            "name": "sales",
            "host": "imap.example",
            "sign_in": "xoauth2",
            "oauth": {"token_url": URL, "grant": "client_credentials", "client_id": "app"},
            "mailboxes": ["a@acme.example", "b@acme.example", {"address": "c@acme.example", "secret": "own"}],
        }
    )
    server = FakeServer((200, {"access_token": "a"}))
    keys = Keyring({"sales": SecretStr("x"), "own": SecretStr("y")}, server)

    class Client:
        def oauth2_login(self, user: str, token: str) -> None:
            """Takes any token."""

    for mailbox in account.mailboxes:
        keys.credential(account, mailbox).sign_in(Client())  # type: ignore[arg-type]
    assert [form["client_secret"] for form in server.forms] == ["x", "y"]
