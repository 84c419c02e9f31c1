"""Signed-in HTTP for simple-salesforce: every call it makes passes through `SalesforceSession.request`.

Token, CA, time-outs, retries and renewed sign-in therefore apply to REST, describe and Bulk 2.0 alike, without patching
the library.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import jwt
import requests
from requests.auth import AuthBase

from ingestion.errors import SalesforceRefused, SalesforceSignInError, SalesforceUnreachable
from ingestion.sources.http_session import BUSY, RetryingSession, explain
from ingestion.sources.salesforce.budget import ApiBudget

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_SECONDS = 180  # Salesforce accepts at most 3 minutes
_NEW_QUERY_JOB = "/jobs/query"
_FIXES = {
    "invalid_client": "Check SALESOPS_SALESFORCE_CLIENT_SECRET against the connected app's consumer secret.",
    "invalid_client_id": "Check SALESOPS_SALESFORCE_CLIENT_ID against the connected app's consumer key.",
    "invalid_grant": "Check that the app is approved for SALESOPS_SALESFORCE_USERNAME, that its certificate fits the private key, and the login URL.",
    "unsupported_grant_type": "Switch the flow on in the connected app (client credentials: with a run-as user).",
}


class Grant(Protocol):
    """One way to request a token."""

    def form(self) -> dict[str, str]:
        """Fields of the token request."""
        ...


@dataclass(frozen=True)
class ClientCredentials:
    """OAuth 2.0 client credentials: the app acts as its run-as user."""

    client_id: str
    client_secret: str = field(repr=False)

    def form(self) -> dict[str, str]:
        """Fields of the token request."""
        return {"grant_type": "client_credentials", "client_id": self.client_id, "client_secret": self.client_secret}


@dataclass(frozen=True)
class JwtBearer:
    """OAuth 2.0 JWT bearer: the app proves its identity with its private key and acts as a named user.

    Attributes:
        client_id: Consumer key.
        username: User to act as.
        private_key_file: PEM file of the key whose certificate the app holds.
        audience: `https://login.salesforce.com`, `https://test.salesforce.com` for sandboxes, or the My Domain address.
    """

    client_id: str
    username: str
    private_key_file: Path
    audience: str

    def form(self) -> dict[str, str]:
        """Fields of the token request, with a freshly signed assertion.

        Raises:
            SalesforceSignInError: The key file cannot be read or is not an RSA key.
        """
        # The one place that needs the real time: the server checks the assertion against its own clock.
        claims = {
            "iss": self.client_id,
            "sub": self.username,
            "aud": self.audience,
            "exp": int(time.time()) + ASSERTION_SECONDS,
        }
        try:
            assertion = jwt.encode(claims, self.private_key_file.read_bytes(), algorithm="RS256")
        except OSError as error:
            reason = f"The private key for the JWT flow cannot be read: {error.strerror or error}."
        except (ValueError, TypeError, jwt.PyJWTError):
            reason = "The private key for the JWT flow is no RSA key in PEM form."
        else:
            return {"grant_type": JWT_BEARER, "assertion": assertion}
        raise SalesforceSignInError(
            reason, where=str(self.private_key_file), fix="Check SALESOPS_SALESFORCE_PRIVATE_KEY_FILE."
        )


class _Bearer(AuthBase):
    """Sets the token last, so that it wins over simple-salesforce's stale copy and any .netrc."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class SalesforceSession(RetryingSession):
    """A session that signs in on first use, and again whenever the server drops it, even in the middle of a Bulk job.

    Args:
        login_url: Where to request tokens.
        grant: How to request them.
        options: As for `RetryingSession`.
    """

    def __init__(self, login_url: str, grant: Grant, **options: Any) -> None:
        super().__init__(**options)
        self.login_url = login_url.rstrip("/")
        self.instance_url = ""
        self.token = ""
        self.request_count = 0
        self.budget = ApiBudget()
        self._grant = grant
        self._lock = threading.Lock()

    def sign_in(self, *, stale: str = "") -> None:
        """Get a token, unless another thread has already replaced the `stale` one.

        Raises:
            SalesforceSignInError: The credentials were refused.
            SalesforceUnreachable: The login server does not answer.
        """
        with self._lock:
            if self.token and self.token != stale:
                return
            answer = self._send(
                "POST",
                f"{self.login_url}/services/oauth2/token",
                data=self._grant.form(),
                auth=_NoAuth(),
                is_repeatable=True,
            )
            body = _json_object(answer)
            if answer.status_code != 200 or "access_token" not in body or "instance_url" not in body:
                raise _refusal(answer, body, self.login_url)
            self.token, self.instance_url = str(body["access_token"]), str(body["instance_url"])

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a signed request; on 401 sign in again and send it once more.

        Raises:
            SalesforceSignInError: Signing in again was refused.
            SalesforceUnreachable: The server does not answer, or is busy at every attempt.
        """
        if not self.token:
            self.sign_in()
        used = self.token
        # A query job changes nothing: one that the server made without our knowledge stays unread until it expires.
        kwargs.setdefault("is_repeatable", urlsplit(_text(url)).path.rstrip("/").endswith(_NEW_QUERY_JOB))
        answer = self._send(method, url, *args, **{**kwargs, "auth": _Bearer(used)})
        if answer.status_code == 401:
            self.sign_in(stale=used)
            answer = self._send(method, url, *args, **{**kwargs, "auth": _Bearer(self.token)})
        if answer.status_code in BUSY:
            raise SalesforceUnreachable(
                f"Salesforce is busy or under maintenance: it answered HTTP {answer.status_code} however often it was asked, after longer and "
                "longer waits. Nothing of this load landed and its cursor stays.",
                where=_text(url).partition("?")[0],
                fix="Run again later: the next run goes on from the cursor. Maintenance is announced on https://status.salesforce.com.",
            )
        return answer

    def _send(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        self.request_count += 1
        try:
            answer = super().request(method, url, *args, **kwargs)
        except requests.RequestException as error:
            raise SalesforceUnreachable(
                f"Salesforce cannot be reached: {explain(error)}.",
                where=_text(url).partition("?")[0],
                fix="Check SALESOPS_SALESFORCE_LOGIN_URL, the network, the proxy, and SALESOPS_SALESFORCE_CA_FILE for a private certificate.",
            ) from None
        self.budget.note(answer)
        return answer


class _NoAuth(AuthBase):
    """Keeps requests from adding .netrc credentials to the token request."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def _text(url: str | bytes) -> str:
    return url.decode() if isinstance(url, bytes) else url


def _json_object(answer: requests.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    if isinstance(body, list) and body and isinstance(body[0], dict):  # API errors are a list, OAuth's an object
        body = {"error": body[0].get("errorCode", ""), "error_description": body[0].get("message", "")}
    return body if isinstance(body, dict) else {}


def _refusal(
    answer: requests.Response, body: dict[str, Any], login_url: str
) -> SalesforceSignInError | SalesforceRefused | SalesforceUnreachable:
    code, description = str(body.get("error", "")), str(body.get("error_description", ""))
    if code == "REQUEST_LIMIT_EXCEEDED":
        return SalesforceRefused(
            "Salesforce's daily API limit is used up.",
            where=login_url,
            fix="Run again when the limit has room (it rolls over 24 hours).",
            code=code,
        )
    if answer.status_code >= 500 or answer.status_code in BUSY:
        return SalesforceUnreachable(
            f"Salesforce's login server is busy or under maintenance: it answers {answer.status_code}.",
            where=login_url,
            fix="Run again later: the next run goes on from the cursor.",
        )
    if code:
        fix = _FIXES.get(code, "Check SALESOPS_SALESFORCE_LOGIN_URL and the connected app.")
        return SalesforceSignInError(
            f"Salesforce refused to sign in: {description or code} ({code}).", where=login_url, fix=fix
        )
    return SalesforceSignInError(
        f"The login address does not answer like Salesforce (HTTP {answer.status_code}).",
        where=login_url,
        fix="Check SALESOPS_SALESFORCE_LOGIN_URL.",
    )
