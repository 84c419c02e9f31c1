"""Read a call log page by page, with errors in words a user can act on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from ingestion.errors import CountMismatch, SourceRefused, TelephonySignInError, TelephonyUnreachable
from ingestion.sources.calls.settings import CallSettings
from ingestion.sources.http_session import RetryingSession, explain

Page = dict[str, Any]


@dataclass(frozen=True)
class CallLog:
    """One provider's call log, and the names of its settings.

    Attributes:
        provider: The provider's name, for messages.
        base: Address, without a trailing slash.
        url_setting: Environment variable with the address.
        credential_settings: Environment variables with the credentials.
        items: Key under which a page holds its records.
        session: HTTP session.
    """

    provider: str
    base: str
    url_setting: str
    credential_settings: tuple[str, ...]
    items: str
    session: RetryingSession = field(repr=False)

    def read_page(self, address: str, **options: Any) -> Page:
        """Read one page.

        Args:
            address: The page's address.
            options: Options for `requests`: `auth`, `headers`.

        Raises:
            TelephonySignInError: The credentials were refused.
            TelephonyUnreachable: No answer, or a busy or broken server.
            SourceRefused: The answer is not a page of this provider.
        """
        return self.page_of(self.send("GET", address, **options))

    def send(self, method: str, address: str, **options: Any) -> requests.Response:
        """Send a request, and explain connection errors.

        Raises:
            TelephonyUnreachable: The server does not answer.
        """
        try:
            return self.session.request(method, address, **options)
        except requests.RequestException as error:
            raise TelephonyUnreachable(
                f"The {self.provider} call log cannot be reached: {explain(error)}.",
                where=self.base,
                fix=f"Check {self.url_setting}, the network, and {self.url_setting.removesuffix('URL')}CA_FILE.",
            ) from None

    def page_of(self, answer: requests.Response) -> Page:
        """The page in an answer.

        Raises:
            TelephonySignInError, TelephonyUnreachable, SourceRefused: As `read_page` does.
        """
        if answer.status_code in (401, 403):
            raise self.sign_in_refused()
        page = self.json_of(answer)
        if not isinstance(page.get(self.items), list) or not all(isinstance(item, dict) for item in page[self.items]):
            raise self.unlike(answer)
        return page

    def json_of(self, answer: requests.Response) -> Page:
        """The JSON object of a successful answer.

        Raises:
            TelephonyUnreachable: The server is busy or broken.
            SourceRefused: The answer is anything but success and JSON.
        """
        if answer.status_code in (420, 429) or answer.status_code >= 500:
            raise TelephonyUnreachable(
                f"The {self.provider} call log answers {answer.status_code}, also when asked again.",
                where=self.base,
                fix="Run again later.",
            )
        try:
            content = answer.json()
        except ValueError:
            content = None
        if answer.status_code != 200 or not isinstance(content, dict):
            raise self.unlike(answer)
        return content

    def sign_in_refused(self) -> TelephonySignInError:
        """The error for refused credentials."""
        return TelephonySignInError(
            f"{self.provider} refused the credentials of the call log.",
            where=self.base,
            fix=f"Check {' and '.join(self.credential_settings)}.",
        )

    def unlike(self, answer: requests.Response) -> SourceRefused:
        """The error for an answer that is not this provider's."""
        return SourceRefused(
            f"The call log does not answer like {self.provider} (HTTP {answer.status_code}).",
            where=self.base,
            fix=f"Check {self.url_setting} and the account.",
        )

    def follow(self, address: str, following: str | None, seen: set[str]) -> str | None:
        """The address of the next page, if any.

        Args:
            address: The page just read.
            following: Its link to the next page: absolute, relative or absent.
            seen: Pages read so far; `address` is added.

        Raises:
            CountMismatch: The link leads back to a page that was read before.
            SourceRefused: The link leads to another server, which must not see the credentials.
        """
        seen.add(address)
        if not following:
            return None
        target = urljoin(address, following)
        if urlsplit(target)[:2] != urlsplit(self.base)[:2]:
            raise SourceRefused(
                f"The {self.provider} call log's next page lies on another server.",
                where=self.base,
                fix=f"Check {self.url_setting}.",
            )
        if target in seen:
            raise CountMismatch(
                f"The {self.provider} call log leads back to a page that was read before.",
                where=address.partition("?")[0],
                fix="Run again; if it repeats, tell the provider.",
            )
        return target

    def check_total(self, stated: object, read: int, what: str) -> None:
        """Compare the number of calls read with the provider's own count, if it states one.

        Raises:
            CountMismatch: They differ; the message names both.
        """
        if isinstance(stated, int) and stated != read:
            raise CountMismatch(
                f"{self.provider} says that {what} has {stated} calls, but {read} were read. Nothing landed.",
                where=self.base,
                fix="Run again: calls may have come in or gone meanwhile. If it repeats, tell the provider.",
            )


def require_settings(settings: CallSettings, names: tuple[str, ...], url_name: str) -> Iterator[str]:
    """The values of the settings that a provider requires, secrets in plain text.

    Raises:
        TelephonySignInError: One is not set; the message names its environment variable.
    """
    for name in names:
        value = getattr(settings, name)
        plain = value.get_secret_value() if hasattr(value, "get_secret_value") else value
        if not plain:
            raise TelephonySignInError(
                f"SALESOPS_{name.upper()} is not set.",
                where="environment or .env",
                fix=f"Set it, or unset SALESOPS_{url_name.upper()}.",
            )
        yield str(plain)
