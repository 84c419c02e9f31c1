"""Calls of a Twilio account, or of a server that answers in Twilio's shape: one row per leg, as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import requests

from ingestion.landing import LandingReport
from ingestion.sources.calls.loading import Progress, land_calls
from ingestion.sources.calls.pages import CallLog, require_settings
from ingestion.sources.calls.rows import iso, table_of
from ingestion.sources.calls.settings import CallSettings
from ingestion.sources.calls.tables import TWILIO_CALLS
from ingestion.sources.http_session import RetryingSession
from storage.lake import Lake

LOOK_BACK = timedelta(hours=24)  # a call keeps changing after its start: it ends, is transferred, gets a price
PAGE_SIZE = 1000  # Twilio's largest


def ingest_calls(
    settings: CallSettings, lake: Lake, *, until: datetime, run_id: str, session: RetryingSession | None = None
) -> LandingReport:
    """Land the calls that started since the last load, and those of the 24 hours before it that changed in any value.

    Args:
        settings: Where the call log is, and the account to read.
        lake: The lake.
        until: The run's instant: the window of start times is `[cursor - LOOK_BACK, until)`.
        run_id: The orchestrator's run.
        session: The HTTP session to use; by default a new one.

    Raises:
        TelephonySignInError: The account or its token was refused.
        TelephonyUnreachable: The server does not answer.
        IngestionError: Any other answer, or rows that break their contract. Nothing landed.
    """
    progress = Progress(lake, TWILIO_CALLS, until=until, look_back=LOOK_BACK)
    if progress.is_over:
        return progress.unread
    calls = _read_calls(settings, progress, session or RetryingSession(ca_file=settings.telephony_ca_file))
    return land_calls(
        lake,
        progress,
        calls,
        make_table=table_of_calls,
        parties=_parties,
        region=settings.telephony_region,
        run_id=run_id,
    )


def table_of_calls(calls: list[dict[str, Any]]) -> pa.Table:
    """Call resources as text columns, in the provider's order; links to other resources are left out."""
    return table_of(calls, "sid")


def _parties(row: Mapping[str, str | None]) -> tuple[str | None, str | None]:
    return row.get("from"), row.get("to")


def check_sign_in(settings: CallSettings, session: RetryingSession) -> None:
    """Ask for one call, to check the address and the credentials.

    Raises:
        IngestionError: As `ingest_calls`.
    """
    log, auth, calls = _open_log(settings, session)
    log.read_page(f"{calls}?PageSize=1", auth=auth)


def _open_log(settings: CallSettings, session: RetryingSession) -> tuple[CallLog, tuple[str, str], str]:
    """The call log, the credentials, and the address of its calls."""
    url, account, token = require_settings(
        settings, ("telephony_url", "telephony_account_sid", "telephony_auth_token"), "telephony_url"
    )
    credentials = ("SALESOPS_TELEPHONY_ACCOUNT_SID", "SALESOPS_TELEPHONY_AUTH_TOKEN")
    log = CallLog("Twilio", url.rstrip("/"), "SALESOPS_TELEPHONY_URL", credentials, "calls", session)
    return log, (account, token), f"{log.base}/2010-04-01/Accounts/{quote(account, safe='')}/Calls.json"


def _read_calls(settings: CallSettings, progress: Progress, session: RetryingSession) -> Iterator[dict[str, Any]]:
    log, auth, first = _open_log(settings, session)
    # Twilio's names for these filters end in the comparison sign: "StartTime>=2026-01-05T00:00:00Z".
    filters = {"PageSize": str(PAGE_SIZE), "StartTime<": iso(progress.until)} | (
        {"StartTime>": iso(progress.since)} if progress.since else {}
    )
    address = requests.Request("GET", first, params=filters).prepare().url
    seen: set[str] = set()
    while address:
        page = log.read_page(address, auth=auth)
        yield from page["calls"]
        address = log.follow(address, page.get("next_page_uri"), seen)
