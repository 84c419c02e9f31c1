"""Sign-in as at Salesforce's OAuth endpoint: client credentials and JWT bearer, and the resulting tokens."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any

import jwt

ORGANIZATION_ID = "00D5g000000SIMUEA4"
USER_ID = "0055g000000SIMUAA4"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
WELL_KNOWN_AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")


class OAuthError(Exception):
    """A refused sign-in; Salesforce answers 400 with `{"error", "error_description"}`."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description


@dataclass(frozen=True)
class ConnectedApp:
    """What an administrator registers: the consumer, its certificate, and the user that the JWT flow may act for."""

    client_id: str
    client_secret: str
    public_key_pem: bytes
    username: str


@dataclass
class Sessions:
    """The valid access tokens."""

    tokens: set[str] = field(default_factory=set)

    def open(self) -> str:
        """A new token."""
        token = f"{ORGANIZATION_ID[:15]}!{secrets.token_urlsafe(48)}"
        self.tokens.add(token)
        return token

    def accepts(self, authorization: str) -> bool:
        """Whether an `Authorization` header has a valid token (`Bearer …` or `OAuth …`)."""
        scheme, _, token = authorization.partition(" ")
        return scheme.lower() in ("bearer", "oauth") and token.strip() in self.tokens


def sign_in(
    app: ConnectedApp, sessions: Sessions, form: dict[str, str], instance_url: str, issued_at: str
) -> dict[str, Any]:
    """Answer a token request.

    Args:
        app: The one registered consumer.
        sessions: Receives the new token.
        form: The request's fields; the client's id and secret may have come by basic authentication.
        instance_url: Where the API is.
        issued_at: Milliseconds since 1970, as text.

    Raises:
        OAuthError: The request earns no token.
    """
    grant = form.get("grant_type", "")
    if grant == "client_credentials":
        _check_secret(app, form)
    elif grant == JWT_BEARER:
        _check_assertion(app, form.get("assertion", ""), (instance_url, *WELL_KNOWN_AUDIENCES))
    else:
        raise OAuthError("unsupported_grant_type", "grant type not supported")
    return {
        "access_token": sessions.open(),
        "signature": secrets.token_urlsafe(32),
        "scope": "api",
        "instance_url": instance_url,
        "id": f"https://login.salesforce.com/id/{ORGANIZATION_ID}/{USER_ID}",
        "token_type": "Bearer",
        "issued_at": issued_at,
    }


def _check_secret(app: ConnectedApp, form: dict[str, str]) -> None:
    if form.get("client_id") != app.client_id:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    if not hmac.compare_digest(form.get("client_secret", "").encode(), app.client_secret.encode()):
        raise OAuthError("invalid_client", "invalid client credentials")


def _check_assertion(app: ConnectedApp, assertion: str, audiences: tuple[str, ...]) -> None:
    try:
        claims = jwt.decode(
            assertion,
            app.public_key_pem,
            algorithms=["RS256"],
            audience=audiences,
            options={"require": ["exp", "iss", "sub", "aud"]},
        )
    except jwt.ExpiredSignatureError:
        raise OAuthError("invalid_grant", "expired authorization code") from None
    except jwt.InvalidAudienceError:
        raise OAuthError("invalid_grant", "audience is invalid") from None
    except jwt.InvalidTokenError:
        raise OAuthError("invalid_grant", "invalid assertion") from None
    if claims["iss"] != app.client_id:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    if claims["sub"] != app.username:
        raise OAuthError("invalid_grant", "user hasn't approved this consumer")
