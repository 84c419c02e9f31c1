"""The company call log of a RingCentral account: one row per record, as text, with its legs as JSON text.

A transferred call has several legs, which overlap, and may have several records in one session; staging counts the
session once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import requests

from ingestion.errors import CountMismatch
from ingestion.landing import LandingReport
from ingestion.sources.calls.loading import Progress, land_calls
from ingestion.sources.calls.pages import CallLog, Page, require_settings
from ingestion.sources.calls.rows import flatten, iso, table_of
from ingestion.sources.calls.settings import CallSettings
from ingestion.sources.calls.tables import RINGCENTRAL_CALLS
from ingestion.sources.http_session import RetryingSession
from storage.lake import Lake

LOOK_BACK = timedelta(hours=24)
PAGE_SIZE = 250  # the largest of a detailed log
EARLIEST = datetime(1999, 1, 1, tzinfo=UTC)  # RingCentral's founding: without a start it returns the last day only
_CALL_LOG = "/restapi/v1.0/account/~/call-log"
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"

_PARTY = ("phoneNumber", "extensionNumber", "extensionId", "name")
_PARTS = {"from": _PARTY, "to": _PARTY, "extension": ("id",)}
_LEG_LEFT_OUT = frozenset({"recording", "message", "uri"})  # what was said in a call is not kept


def ingest_calls(
    settings: CallSettings, lake: Lake, *, until: datetime, run_id: str, session: RetryingSession | None = None
) -> LandingReport:
    """Land the calls that started since the last load, and those of the 24 hours before it that changed.

    Args:
        settings: Where the call log is, and the app and user JWT to read it with.
        lake: The lake.
        until: The run's instant: the window of start times is `[cursor - LOOK_BACK, until)`.
        run_id: The orchestrator's run.
        session: The HTTP session to use; by default a new one.

    Raises:
        TelephonySignInError: The app or the JWT was refused, or may not read the company call log.
        TelephonyUnreachable: The server does not answer, or keeps limiting the rate.
        CountMismatch: A page, or all pages together, hold a different number of records than RingCentral reports.
        IngestionError: Any other answer, or rows that break their contract. Nothing landed.
    """
    progress = Progress(lake, RINGCENTRAL_CALLS, until=until, look_back=LOOK_BACK)
    if progress.is_over:
        return progress.unread
    signed_in = _open_log(settings, session or RetryingSession(ca_file=settings.ringcentral_ca_file))
    calls = _read_calls(signed_in, progress)
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
    """Sign in and ask for one call, to check the address, the app, the JWT and its permission.

    Raises:
        IngestionError: As `ingest_calls`.
    """
    signed_in = _open_log(settings, session)
    signed_in.read_page(f"{signed_in.log.base}{_CALL_LOG}?perPage=1")


def _open_log(settings: CallSettings, session: RetryingSession) -> _SignedIn:
    names = ("ringcentral_url", "ringcentral_client_id", "ringcentral_client_secret", "ringcentral_jwt")
    url, client_id, client_secret, jwt = require_settings(settings, names, "ringcentral_url")
    credentials = tuple(f"SALESOPS_{name.upper()}" for name in names[1:])
    log = CallLog("RingCentral", url.rstrip("/"), "SALESOPS_RINGCENTRAL_URL", credentials, "records", session)
    return _SignedIn(log, (client_id, client_secret), jwt)


def table_of_calls(calls: list[dict[str, Any]]) -> pa.Table:
    """Call log records as text columns: parties as `from__phoneNumber` …, `legs` as a JSON list without recordings."""
    return table_of(
        [
            flatten(call, _PARTS, without=("uri", "recording", "message")) | {"legs": _legs_text(call.get("legs"))}
            for call in calls
        ],
        "id",
    )


def _legs_text(legs: Any) -> str | None:
    if not isinstance(legs, list):
        return None
    kept = [
        {name: value for name, value in leg.items() if name not in _LEG_LEFT_OUT}
        for leg in legs
        if isinstance(leg, dict)
    ]
    return json.dumps(kept, separators=(",", ":"), ensure_ascii=False)


def _parties(row: Mapping[str, str | None]) -> tuple[str | None, str | None]:
    # A colleague is known only by an extension, which is not a phone number and has a column of its own.
    return row.get("from__phoneNumber"), row.get("to__phoneNumber")


class _SignedIn:
    """Requests with an access token, fetched when first needed and again once it has expired."""

    def __init__(self, log: CallLog, app: tuple[str, str], jwt: str) -> None:
        self.log = log
        self._app = app
        self._jwt = jwt
        self._token: str | None = None

    def read_page(self, address: str) -> Page:
        answer = self._get(address)
        if answer.status_code == 401:
            self._token = None
            answer = self._get(address)
        return self.log.page_of(answer)

    def _get(self, address: str) -> requests.Response:
        self._token = self._token or self._sign_in()
        return self.log.send("GET", address, headers={"Authorization": f"Bearer {self._token}"})

    def _sign_in(self) -> str:
        form = {"grant_type": JWT_GRANT, "assertion": self._jwt}
        answer = self.log.send("POST", f"{self.log.base}/restapi/oauth/token", data=form, auth=self._app)
        if answer.status_code in (400, 401, 403):
            raise self.log.sign_in_refused()
        token = self.log.json_of(answer).get("access_token")
        if not isinstance(token, str) or not token:
            raise self.log.unlike(answer)
        return token


def _read_calls(signed_in: _SignedIn, progress: Progress) -> Iterator[dict[str, Any]]:
    log = signed_in.log
    query = {
        "view": "Detailed",
        "type": "Voice",
        "dateFrom": iso(progress.since or EARLIEST),
        "dateTo": iso(progress.until),
        "perPage": str(PAGE_SIZE),
        "page": "1",
    }
    address = requests.Request("GET", f"{log.base}{_CALL_LOG}", params=query).prepare().url
    seen: set[str] = set()
    ids: set[object] = set()
    stated: object = None
    while address:
        page = signed_in.read_page(address)
        records, paging = page["records"], page.get("paging") or {}
        _check_page(log, paging, len(records))
        stated = paging.get("totalElements", stated)
        ids.update(record.get("id") for record in records)
        yield from records
        address = log.follow(address, ((page.get("navigation") or {}).get("nextPage") or {}).get("uri"), seen)
    log.check_total(stated, len(ids), "the window")


def _check_page(log: CallLog, paging: Mapping[str, Any], count: int) -> None:
    start, end = paging.get("pageStart"), paging.get("pageEnd")
    if isinstance(start, int) and isinstance(end, int) and count and end - start + 1 != count:
        raise CountMismatch(
            f"A page of the RingCentral call log says that it has {end - start + 1} records, but holds {count}. Nothing landed.",
            where=f"{log.base}, page {paging.get('page')}",
            fix="Run again; if it repeats, tell RingCentral.",
        )
