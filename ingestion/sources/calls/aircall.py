"""Calls of an Aircall account: one row per call, as text.

Aircall returns at most 10,000 calls of one window over all pages: a larger one is halved until each half has fewer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import pyarrow as pa
import requests

from ingestion.errors import CountMismatch, SourceRefused
from ingestion.landing import LandingReport
from ingestion.sources.calls.loading import Progress, land_calls
from ingestion.sources.calls.pages import CallLog, Page, require_settings
from ingestion.sources.calls.rows import flatten, iso, table_of
from ingestion.sources.calls.settings import CallSettings
from ingestion.sources.calls.tables import AIRCALL_CALLS, RECORDED_AT
from ingestion.sources.http_session import RetryingSession
from storage.lake import Lake

LOOK_BACK = timedelta(hours=24)
PAGE_SIZE = 50  # Aircall's largest
MOST_CALLS = 10_000

# The stable parts of a call's related records: whether a user is free right now would make each reading a new version.
_PARTS = {
    "user": ("id", "name", "email"),
    "number": ("id", "name", "digits"),
    "assigned_to": ("id",),
    "transferred_by": ("id",),
    "transferred_to": ("id",),
    "contact": ("id",),
}
# The signed URLs of recordings differ at each reading.
_LEFT_OUT = ("direct_link", "recording", "recording_short_url", "voicemail", "voicemail_short_url", "asset")


def ingest_calls(
    settings: CallSettings, lake: Lake, *, until: datetime, run_id: str, session: RetryingSession | None = None
) -> LandingReport:
    """Land the calls made since the last load, and those of the 24 hours before it that changed.

    Aircall has no change timestamp: a call that differs in any column from what the lake holds is a new version.

    Args:
        settings: Where the call log is, and the API key to read it with.
        lake: The lake.
        until: The run's instant: the window of creation times is `[cursor - LOOK_BACK, until)`.
        run_id: The orchestrator's run.
        session: The HTTP session to use; by default a new one.

    Raises:
        TelephonySignInError: The API key was refused.
        TelephonyUnreachable: The server does not answer.
        CountMismatch: Fewer or more calls were read than Aircall reports.
        IngestionError: Any other answer, or rows that break their contract. Nothing landed.
    """
    progress = Progress(lake, AIRCALL_CALLS, until=until, look_back=LOOK_BACK)
    if progress.is_over:
        return progress.unread
    log, auth = _open_log(settings, session or RetryingSession(ca_file=settings.aircall_ca_file))
    first = int(progress.since.timestamp()) if progress.since else 0
    # Aircall includes both ends of the window, in whole seconds.
    calls = _read_window(log, auth, first, int(until.timestamp()) - 1)
    return land_calls(
        lake,
        progress,
        calls,
        make_table=table_of_calls,
        parties=_parties,
        region=settings.telephony_region,
        run_id=run_id,
    )


def check_sign_in(settings: CallSettings, session: RetryingSession) -> None:
    """Ask for one call, to check the address and the key.

    Raises:
        IngestionError: As `ingest_calls`.
    """
    log, auth = _open_log(settings, session)
    log.read_page(f"{log.base}/v1/calls?per_page=1", auth=auth)


def _open_log(settings: CallSettings, session: RetryingSession) -> tuple[CallLog, tuple[str, str]]:
    url, api_id, token = require_settings(
        settings, ("aircall_url", "aircall_api_id", "aircall_api_token"), "aircall_url"
    )
    credentials = ("SALESOPS_AIRCALL_API_ID", "SALESOPS_AIRCALL_API_TOKEN")
    return CallLog("Aircall", url.rstrip("/"), "SALESOPS_AIRCALL_URL", credentials, "calls", session), (api_id, token)


def table_of_calls(calls: list[dict[str, Any]]) -> pa.Table:
    """Calls as text columns: parts of user and line as `user__id` …, and `recorded_at`, its latest ISO 8601 stamp."""
    return table_of(
        [flatten(call, _PARTS, without=_LEFT_OUT) | {RECORDED_AT: _recorded_at(call)} for call in calls], "id"
    )


def _recorded_at(call: Mapping[str, Any]) -> str | None:
    stamps = [call.get(name) for name in ("ended_at", "answered_at", "started_at")]
    newest = next((stamp for stamp in stamps if isinstance(stamp, int) and stamp > 0), None)
    return iso(datetime.fromtimestamp(newest, UTC)) if newest else None


def _parties(row: Mapping[str, str | None]) -> tuple[str | None, str | None]:
    ours, theirs = row.get("number__digits"), row.get("raw_digits")
    return (theirs, ours) if row.get("direction") == "inbound" else (ours, theirs)


def _read_window(log: CallLog, auth: tuple[str, str], first: int, last: int) -> Iterator[dict[str, Any]]:
    """The calls created from `first` to `last`, both included, in seconds since 1970."""
    query = {"from": str(first), "to": str(last), "order": "asc", "per_page": str(PAGE_SIZE)}
    address = str(requests.Request("GET", f"{log.base}/v1/calls", params=query).prepare().url)
    page = log.read_page(address, auth=auth)
    total = _total_of(log, page)
    if total >= MOST_CALLS:
        yield from _read_halves(log, auth, first, last, total)
        return
    ids, seen = {call.get("id") for call in page["calls"]}, {address}
    yield from page["calls"]
    while following := log.follow(address, page["meta"].get("next_page_link"), seen):
        address, page = following, log.read_page(following, auth=auth)
        ids.update(call.get("id") for call in page["calls"])
        total = _total_of(log, page)
        yield from page["calls"]
    log.check_total(total, len(ids), f"{iso(_instant(first))} to {iso(_instant(last))}")


def _read_halves(log: CallLog, auth: tuple[str, str], first: int, last: int, total: int) -> Iterator[dict[str, Any]]:
    if first >= last:
        raise SourceRefused(
            f"Aircall has {total} calls of one second, more than it gives out.",
            where=f"{log.base}, {iso(_instant(first))}",
            fix="Ask Aircall.",
        )
    middle = (first + last) // 2
    count = 0
    for call in chain(_read_window(log, auth, first, middle), _read_window(log, auth, middle + 1, last)):
        count += 1
        yield call
    if count < total:
        raise CountMismatch(
            f"Aircall says that a window has {total} calls, but its two halves have {count}. Nothing landed.",
            where=f"{log.base}, {iso(_instant(first))} to {iso(_instant(last))}",
            fix="Run again; if it repeats, tell Aircall.",
        )


def _total_of(log: CallLog, page: Page) -> int:
    meta = page.get("meta")
    total = meta.get("total") if isinstance(meta, dict) else None
    if not isinstance(total, int):
        raise SourceRefused(
            "A page of the Aircall call log does not say how many calls there are.",
            where=log.base,
            fix="Check SALESOPS_AIRCALL_URL.",
        )
    return total


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
