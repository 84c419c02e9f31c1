"""Calls of a Twilio account, or of a server that answers in Twilio's shape: one row per leg, as text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pyarrow as pa
import requests

from ingestion.errors import CountMismatch, SourceRefused, TelephonySignInError, TelephonyUnreachable
from ingestion.landing import LandingReport, land
from ingestion.patient_session import PatientSession, explain
from storage.lake import Lake
from storage.settings import Settings

CALL_TABLE = "telephony__call"
LOOK_BACK = timedelta(hours=24)  # a call keeps changing after its start: it ends, is transferred, gets a price
PAGE_SIZE = 1000  # Twilio's largest


def ingest_calls(settings: Settings, lake: Lake, *, until: datetime, run_id: str, session: PatientSession | None = None) -> LandingReport:
    """Land the calls that started since the last load, and those of the 24 hours before it that changed.

    Args:
        settings: Where the call log is, and the account to read.
        lake: The lake.
        until: The run's instant: the window of start times is `[cursor - LOOK_BACK, until)`.
        run_id: The orchestrator's run.
        session: The HTTP session to use instead of one of its own.

    Raises:
        TelephonySignInError: The account or its token was refused.
        TelephonyUnreachable: The server does not answer.
        IngestionError: It answers something else, or the rows break their contract. Nothing landed.
    """
    previous = lake.newest_load(CALL_TABLE)
    reached = datetime.fromisoformat(previous.cursor) if previous and previous.cursor else None
    since = reached - LOOK_BACK if reached else None
    if since and since >= until:
        return LandingReport(CALL_TABLE, cursor=previous.cursor if previous else None)
    calls = list(_read_calls(settings, since, until, session or PatientSession(ca_file=settings.telephony_ca_file)))
    return land(
        lake,
        CALL_TABLE,
        table_of_calls(calls),
        key=["sid"],
        version_column="date_updated",
        known_at=until,
        cursor=_iso(max(until, reached) if reached else until),
        window=(_iso(since) if since else None, _iso(until)),
        source_count=len(calls),
        run_id=run_id,
        record_time_column="date_updated",
    )


def table_of_calls(calls: list[dict[str, Any]]) -> pa.Table:
    """Call resources as text columns, in the order the provider names them; links to other resources are left out."""
    names = dict.fromkeys(name for call in calls for name, value in call.items() if not isinstance(value, (dict, list)))
    if not names:
        return pa.table({"sid": pa.array([], pa.string())})
    return pa.table({name: pa.array([_text(call.get(name)) for call in calls], pa.string()) for name in names})


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _read_calls(settings: Settings, since: datetime | None, until: datetime, session: PatientSession) -> Iterator[dict[str, Any]]:
    base, account, token = _credentials(settings)
    first = f"{base}/2010-04-01/Accounts/{quote(account, safe='')}/Calls.json"
    # Twilio's names of these filters end in the comparison sign: "StartTime>=2026-01-05T00:00:00Z".
    filters = {"PageSize": str(PAGE_SIZE), "StartTime<": _iso(until)} | ({"StartTime>": _iso(since)} if since else {})
    address: str | None = requests.Request("GET", first, params=filters).prepare().url
    seen: set[str] = set()
    while address:
        if address in seen:
            raise CountMismatch(
                "The call log leads back to a page that was read before.", where=first, fix="Run again; if it repeats, tell the provider."
            )
        seen.add(address)
        page = _read_page(session, address, (account, token), base)
        yield from page["calls"]
        following = page.get("next_page_uri")
        address = urljoin(address, following) if following else None
        if address and urlsplit(address)[:2] != urlsplit(base)[:2]:
            raise SourceRefused("The call log's next page lies on another server.", where=base, fix="Check SALESOPS_TELEPHONY_URL.")


def _credentials(settings: Settings) -> tuple[str, str, str]:
    token = settings.telephony_auth_token.get_secret_value() if settings.telephony_auth_token else ""
    for name, value in (("URL", settings.telephony_url), ("ACCOUNT_SID", settings.telephony_account_sid), ("AUTH_TOKEN", token)):
        if not value:
            raise TelephonySignInError(
                f"SALESOPS_TELEPHONY_{name} is not set.", where="environment or .env", fix="Set it, or unset SALESOPS_TELEPHONY_URL."
            )
    return str(settings.telephony_url).rstrip("/"), str(settings.telephony_account_sid), token


def _read_page(session: PatientSession, address: str, credentials: tuple[str, str], base: str) -> dict[str, Any]:
    try:
        answer = session.request("GET", address, auth=credentials)
    except requests.RequestException as error:
        raise TelephonyUnreachable(
            f"The call log cannot be reached: {explain(error)}.",
            where=base,
            fix="Check SALESOPS_TELEPHONY_URL, the network, and SALESOPS_TELEPHONY_CA_FILE.",
        ) from None
    if answer.status_code in (401, 403):
        raise TelephonySignInError(
            "The call log refused the account or its token.",
            where=base,
            fix="Check SALESOPS_TELEPHONY_ACCOUNT_SID and SALESOPS_TELEPHONY_AUTH_TOKEN.",
        )
    if answer.status_code in (420, 429) or answer.status_code >= 500:
        raise TelephonyUnreachable(f"The call log answers {answer.status_code}, also when asked again.", where=base, fix="Run again later.")
    try:
        page = answer.json()
    except ValueError:
        page = None
    if answer.status_code != 200 or not isinstance(page, dict) or not isinstance(page.get("calls"), list):
        raise SourceRefused(
            f"The call log does not answer like Twilio (HTTP {answer.status_code}).", where=base, fix="Check SALESOPS_TELEPHONY_URL and the account."
        )
    return page


def _iso(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
