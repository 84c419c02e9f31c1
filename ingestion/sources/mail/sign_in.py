"""Sign in to a mailbox: by password, or by a token that an OAuth server issues and that is renewed when it expires."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import requests
from imapclient import IMAPClient
from pydantic import SecretStr

from ingestion.errors import MailServerUnreachable, MailSignInError
from ingestion.sources.http_session import RetryingSession, explain
from ingestion.sources.mail.accounts import Account, Mailbox, OAuth

SPARE_SECONDS = 60.0  # a token that expires within this time counts as expired
USUAL_LIFETIME_SECONDS = 300.0  # if the server does not say
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,60}")
_FIXES = {
    "invalid_grant": "The refresh token was withdrawn or has run out: let the mailbox's owner, or an administrator, give access anew.",
    "invalid_client": "Check the client id, and the secret that the accounts file names.",
    "unauthorized_client": "Allow the application this grant, and the mailboxes, in the mail provider's administration.",
    "invalid_scope": "Check `scope` in the accounts file.",
}


class Credential(Protocol):
    """One way to sign in."""

    def sign_in(self, client: IMAPClient) -> None:
        """Sign in on a fresh connection."""
        ...

    def renew(self) -> bool:
        """Get another token after a refusal; False where there is nothing to renew."""
        ...


class Password:
    """User name and password."""

    def __init__(self, user: str, secret: SecretStr) -> None:
        self._user, self._secret = user, secret

    def sign_in(self, client: IMAPClient) -> None:
        """Sign in on a fresh connection."""
        client.login(self._user, self._secret.get_secret_value())

    def renew(self) -> bool:
        """Nothing to renew."""
        return False


class XOAuth2:
    """User name and token, by SASL XOAUTH2 as Gmail and Microsoft 365 accept it."""

    def __init__(self, user: str, tokens: TokenSource) -> None:
        self._user, self._tokens = user, tokens

    def sign_in(self, client: IMAPClient) -> None:
        """Sign in on a fresh connection."""
        client.oauth2_login(self._user, self._tokens.token())

    def renew(self) -> bool:
        """Discard the token, so that the next one is new."""
        return self._tokens.forget()


class TokenSource:
    """Tokens of one grant: reused while they are valid, then requested anew.

    Args:
        oauth: How to request them.
        secret: The refresh token, or the client's secret.
        client_secret: The client's secret beside a refresh token.
        session: HTTP session for the requests.
        clock: Monotonic clock, in seconds.
    """

    def __init__(
        self,
        oauth: OAuth,
        secret: SecretStr,
        client_secret: SecretStr | None,
        session: RetryingSession,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._oauth, self._secret, self._client_secret = oauth, secret, client_secret
        self._session, self._clock = session, clock
        self._token = ""
        self._usable_until = 0.0

    def token(self) -> str:
        """A token that has not expired.

        Raises:
            MailSignInError: The server refused.
            MailServerUnreachable: It does not answer.
        """
        if not self._token or self._clock() >= self._usable_until:
            self._ask()
        return self._token

    def forget(self) -> bool:
        """Discard the token, so that the next one is requested; returns whether there was one."""
        was_there, self._token = bool(self._token), ""
        return was_there

    def _ask(self) -> None:
        url, asked_at = self._oauth.token_url, self._clock()
        try:
            answer = self._session.request("POST", url, data=self._form(), headers={"Accept": "application/json"})
        except requests.RequestException as error:
            raise MailServerUnreachable(
                f"The token server cannot be reached: {explain(error)}.",
                where=url.partition("?")[0],
                fix="Check token_url in the accounts file, the network, and SALESOPS_MAIL_CA_FILE for a private certificate.",
            ) from None
        body = _json_object(answer)
        token = body.get("access_token")
        if answer.status_code != 200 or not isinstance(token, str) or not token:
            raise self._refusal(answer.status_code, body)
        self._token = token
        self._usable_until = asked_at + max(_seconds(body.get("expires_in")) - SPARE_SECONDS, 0.0)
        if self._oauth.grant == "refresh_token" and isinstance(replaced := body.get("refresh_token"), str) and replaced:
            # Good for the rest of this run; the next run starts with the one in the environment again.
            self._secret = SecretStr(replaced)

    def _form(self) -> dict[str, str]:
        form = {"grant_type": self._oauth.grant, "client_id": self._oauth.client_id}
        if self._oauth.grant == "refresh_token":
            form["refresh_token"] = self._secret.get_secret_value()
            if self._client_secret:
                form["client_secret"] = self._client_secret.get_secret_value()
        else:
            form["client_secret"] = self._secret.get_secret_value()
        return form | ({"scope": self._oauth.scope} if self._oauth.scope else {})

    def _refusal(self, status: int, body: dict[str, Any]) -> MailSignInError | MailServerUnreachable:
        where = self._oauth.token_url.partition("?")[0]
        if status >= 500 or status in (420, 429):
            return MailServerUnreachable(f"The token server answers {status}.", where=where, fix="Run again later.")
        found = _CODE.fullmatch(str(body.get("error", "")))  # descriptions name users, so only the code is shown
        code = found[0] if found else f"HTTP {status}"
        return MailSignInError(
            f"The token server gave no token: {code}.",
            where=where,
            fix=_FIXES.get(code, "Check `oauth` in the accounts file."),
        )


class Keyring:
    """Credentials of the mailboxes of one accounts file. Mailboxes that share a secret share its tokens.

    Args:
        secrets: Name → secret, from the environment.
        session: HTTP session for requesting tokens.
    """

    def __init__(self, secrets: Mapping[str, SecretStr], session: RetryingSession) -> None:
        self._secrets, self._session = secrets, session
        self._sources: dict[tuple[str, str], TokenSource] = {}

    def credential(self, account: Account, mailbox: Mailbox) -> Credential:
        """How to sign in to one mailbox.

        Raises:
            MailSignInError: A secret that the accounts file names is not in the environment.
        """
        name, user = account.secret_name(mailbox), account.user_name(mailbox)
        secret = self._secret(account, name)
        if account.oauth is None:
            return Password(user, secret)
        if (account.name, name) not in self._sources:
            client_secret = self._secret(account, account.oauth.client_secret) if account.oauth.client_secret else None
            self._sources[account.name, name] = TokenSource(account.oauth, secret, client_secret, self._session)
        return XOAuth2(user, self._sources[account.name, name])

    def _secret(self, account: Account, name: str) -> SecretStr:
        found = self._secrets.get(name)
        if found is None or not found.get_secret_value():
            raise MailSignInError(
                f"The secret '{name}' is not set.",
                where=f"mail account {account.name}",
                fix=f"Set SALESOPS_MAIL_SECRETS__{name.upper()} in the environment or .env.",
            )
        return found


def _json_object(answer: requests.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _seconds(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return USUAL_LIFETIME_SECONDS
