"""One signed-in org: its objects and fields, and simple-salesforce's REST and Bulk 2.0 clients to read it with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import requests
from simple_salesforce import Salesforce
from simple_salesforce.bulk2 import _Bulk2Client
from simple_salesforce.exceptions import SalesforceError

from ingestion.errors import IngestionError, SalesforceRefused, SalesforceSignInError
from ingestion.sources.salesforce.refusals import find_fix, shorten
from ingestion.sources.salesforce.session import ClientCredentials, Grant, JwtBearer, SalesforceSession
from ingestion.sources.salesforce.settings import SalesforceSettings

# Compound fields repeat their parts and binary ones hold files; Bulk 2.0 refuses both.
_UNREADABLE_TYPES = frozenset({"address", "location", "base64", "complexvalue", "json"})


@dataclass(frozen=True)
class Field:
    """One readable field.

    Attributes:
        name: As Salesforce spells it.
        type: Salesforce's name for its type.
        is_calculated: Whether it is a formula, whose value changes without touching the record's stamp.
    """

    name: str
    type: str
    is_calculated: bool = False


class SalesforceClient:
    """A signed-in org.

    Args:
        session: The session for all calls.
        api_version: Such as `66.0`.
        sleep: Waits between looks at a Bulk job; tests pass one that does not wait.
    """

    def __init__(
        self, session: SalesforceSession, *, api_version: str = "66.0", sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.session = session
        self.sleep = sleep
        if not session.token:
            session.sign_in()
        # Numbers stay text, so that Decimal(text) in staging is exactly what the org holds.
        self.rest = Salesforce(
            instance_url=session.instance_url,
            session_id=session.token,
            session=session,
            version=api_version,
            object_pairs_hook=None,  # plain dictionaries, made without a call for each
            parse_float=str,
        )
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {session.token}"}
        self.bulk = _Bulk2Client("Query", self.rest.bulk2_url, headers, session)
        self._fields: dict[str, tuple[Field, ...]] = {}
        self._left_out: set[tuple[str, str]] = set()

    @cached_property
    def object_names(self) -> frozenset[str]:
        """The objects that the org has and the user may query."""
        with explained("the org's list of objects"):
            answer = self.rest.describe() or {}
        return frozenset(entry["name"] for entry in answer.get("sobjects", ()) if entry.get("queryable", True))

    def fields(self, object_name: str) -> tuple[Field, ...]:
        """An object's fields that the user may read, with custom but without compound and binary ones; asked once.

        Fields that `leave_out` named are not among them.
        """
        if object_name not in self._fields:
            with explained(object_name):
                answer = getattr(self.rest, object_name).describe()
            self._fields[object_name] = tuple(
                Field(field["name"], field["type"], bool(field.get("calculated", False)))
                for field in answer["fields"]
                if field["type"] not in _UNREADABLE_TYPES and not field.get("deprecatedAndHidden", False)
            )
        return tuple(field for field in self._fields[object_name] if (object_name, field.name) not in self._left_out)

    def leave_out(self, object_name: str, field_name: str) -> None:
        """Read a field no more, for as long as this client lives: a run."""
        self._left_out.add((object_name, field_name))

    def learn_limits(self) -> None:
        """Ask how many of the day's requests are used: before the first answer, and after those of Bulk 2.0.

        Without an answer reading goes on: a user may lack the permission to see limits, and any other problem shows
        with the next request.
        """
        with suppress(IngestionError), explained("the org's limits"):
            self.session.budget.note_limits(self.rest.limits())


def connect(
    login_url: str, grant: Grant, *, api_version: str = "66.0", ca_file: Path | None = None, **session_options: Any
) -> SalesforceClient:
    """Sign in and return the org's client.

    Raises:
        SalesforceSignInError: The credentials were refused.
        SalesforceUnreachable: The login server does not answer.
    """
    return SalesforceClient(
        SalesforceSession(login_url, grant, ca_file=ca_file, **session_options), api_version=api_version
    )


def connect_salesforce(settings: SalesforceSettings) -> SalesforceClient:
    """Sign in as the settings say: client credentials where a secret is set, else JWT bearer.

    Raises:
        SalesforceSignInError: A setting is missing, or the credentials were refused.
        SalesforceUnreachable: The login server does not answer.
    """
    login_url, client_id = settings.salesforce_login_url, settings.salesforce_client_id
    if not login_url or not client_id:
        missing = "SALESOPS_SALESFORCE_CLIENT_ID" if login_url else "SALESOPS_SALESFORCE_LOGIN_URL"
        raise SalesforceSignInError(
            f"{missing} is not set.",
            where="environment or .env",
            fix="Set it; docs/salesforce.md says what the connected app needs.",
        )
    grant: Grant
    if settings.salesforce_client_secret and settings.salesforce_client_secret.get_secret_value():
        grant = ClientCredentials(client_id, settings.salesforce_client_secret.get_secret_value())
    elif settings.salesforce_username and settings.salesforce_private_key_file:
        grant = JwtBearer(
            client_id,
            settings.salesforce_username,
            settings.salesforce_private_key_file,
            audience=login_url.rstrip("/"),
        )
    else:
        raise SalesforceSignInError(
            "There is no credential to sign in to Salesforce with.",
            where="environment or .env",
            fix="Set SALESOPS_SALESFORCE_CLIENT_SECRET, or SALESOPS_SALESFORCE_USERNAME and SALESOPS_SALESFORCE_PRIVATE_KEY_FILE.",
        )
    return connect(login_url, grant, api_version=settings.salesforce_api_version, ca_file=settings.salesforce_ca_file)


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn simple-salesforce's errors into ones a user can act on.

    Raises:
        SalesforceRefused: Salesforce answered with an error.
    """
    try:
        yield
    except SalesforceError as error:
        content = error.content[0] if isinstance(error.content, list) and error.content else error.content
        code = content.get("errorCode", "") if isinstance(content, dict) else ""
        message = content.get("message", "") if isinstance(content, dict) else f"HTTP {error.status}"
        raise SalesforceRefused(
            f"Salesforce refused to give {what}: {shorten(str(message))}" + (f" ({code})" if code else ""),
            where=str(error.url).partition("?")[0],
            fix=find_fix(str(code)),
            code=str(code),
        ) from None
    except requests.exceptions.JSONDecodeError:
        raise SalesforceRefused(
            f"Salesforce's answer for {what} is not JSON.",
            where=what,
            fix="Check that no proxy or login page answers in its place, and run again.",
        ) from None
