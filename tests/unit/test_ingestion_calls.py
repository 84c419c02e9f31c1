"""Twilio's pages as text rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from ingestion.errors import CountMismatch, SourceRefused, TelephonySignInError, TelephonyUnreachable
from ingestion.landing import LandingReport
from ingestion.sources.calls import loading
from ingestion.sources.calls.tables import TWILIO_CALLS
from ingestion.sources.calls.twilio import ingest_calls, table_of_calls
from ingestion.sources.http_session import RetryingSession
from ingestion.sources.settings import PlatformSettings, load_settings
from storage.lake import Lake
from tests.ingestion_fake_http import Answer, FakeServer, Handler, in_turn

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def call(number: int, **change: Any) -> dict[str, Any]:
    started = "Mon, 05 Jan 2026 09:00:00 +0000"
    return {"sid": f"CA{number}", "status": "completed", "direction": "inbound", "start_time": started, "end_time": started, "duration": "12",
            "price": None, "queue_time": 0, "date_updated": started, "subresource_uris": {"events": "/x"}, **change}  # fmt: skip


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def settings() -> PlatformSettings:
    return load_settings(
        telephony_url="https://calls.example/",
        telephony_account_sid="AC1",
        telephony_auth_token="the-token",
        _env_file=None,
    )


def ingest(
    lake: Lake, settings: PlatformSettings, handler: Handler, until: datetime = NOON
) -> tuple[LandingReport, FakeServer]:
    session = RetryingSession(sleep=lambda _: None)
    server = FakeServer(handler)
    session.mount("https://", server)
    return ingest_calls(settings, lake, until=until, run_id="run", session=session), server


def test_pages_are_followed_to_the_end(lake: Lake, settings: PlatformSettings) -> None:
    pages = in_turn(
        (200, {"calls": [call(1), call(2)], "next_page_uri": "/2010-04-01/Accounts/AC1/Calls.json?Page=1"}),
        (200, {"calls": [call(3)], "next_page_uri": None}),
    )
    report, server = ingest(lake, settings, pages)
    assert (report.landed, report.set_aside) == (3, 0)
    first, second = [str(request.url) for request in server.requests]
    assert (
        first
        == "https://calls.example/2010-04-01/Accounts/AC1/Calls.json?PageSize=1000&StartTime%3C=2026-01-05T12%3A00%3A00Z"
    )
    assert second == "https://calls.example/2010-04-01/Accounts/AC1/Calls.json?Page=1"
    assert all(request.headers["Authorization"].startswith("Basic ") for request in server.requests)


def test_half_an_emoji_lands_as_the_replacement_character(lake: Lake, settings: PlatformSettings) -> None:
    report, _ = ingest(
        lake, settings, in_turn((200, {"calls": [call(1, caller_name="cut \ud83d"), call(2)], "next_page_uri": None}))
    )
    assert report.landed == 2
    names = lake.query(TWILIO_CALLS.name, "select caller_name from lake order by sid")
    assert names is not None
    assert names["caller_name"].to_pylist() == ["cut \ufffd", None]


def test_years_of_calls_come_a_batch_at_a_time(
    lake: Lake, settings: PlatformSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "CALLS_AT_A_TIME", 2)
    calls = [call(1), call(2), call(3, caller_name="Desk"), call(4), call(1)]
    report, _ = ingest(lake, settings, in_turn((200, {"calls": calls})))
    assert (report.landed, report.unchanged, report.source_count) == (4, 1, 5)
    named = lake.query(TWILIO_CALLS.name, "select sid, caller_name from lake order by sid")
    assert named is not None and named.column("caller_name").to_pylist() == [None, None, "Desk", None]


def test_calls_become_text_and_links_are_left_out() -> None:
    table = table_of_calls([call(1, annotated=True), call(2, caller_name="")])
    assert "subresource_uris" not in table.column_names
    assert table.select(["sid", "price", "queue_time", "annotated", "caller_name"]).to_pylist() == [
        {"sid": "CA1", "price": None, "queue_time": "0", "annotated": "true", "caller_name": None},
        {"sid": "CA2", "price": None, "queue_time": "0", "annotated": None, "caller_name": None},
    ]


def test_a_day_is_looked_back_and_only_changed_calls_land(lake: Lake, settings: PlatformSettings) -> None:
    ingest(lake, settings, in_turn((200, {"calls": [call(1), call(2, status="in-progress")]})))
    ended = call(2, date_updated="Mon, 05 Jan 2026 12:30:00 +0000")
    report, server = ingest(
        lake, settings, in_turn((200, {"calls": [call(1), ended, call(3)]})), NOON + timedelta(days=1)
    )
    assert (report.landed, report.unchanged) == (2, 1)
    assert "StartTime%3E=2026-01-04T12%3A00%3A00Z" in str(server.requests[0].url)


def test_a_price_that_comes_later_lands_although_the_stamp_stays(lake: Lake, settings: PlatformSettings) -> None:
    ingest(lake, settings, in_turn((200, {"calls": [call(1), call(2)]})))
    report, _ = ingest(
        lake, settings, in_turn((200, {"calls": [call(1, price="-0.01"), call(2)]})), NOON + timedelta(hours=1)
    )
    assert (report.landed, report.unchanged) == (1, 1)


def test_no_calls_land_nothing(lake: Lake, settings: PlatformSettings) -> None:
    report, _ = ingest(lake, settings, in_turn((200, {"calls": []})))
    assert (report.landed, report.version) == (0, None)


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        ((401, {"code": 20003, "message": "Authenticate"}), TelephonySignInError, "AUTH_TOKEN"),
        ((503, "<html>"), TelephonyUnreachable, "503"),
        ((200, "<html>hello</html>"), SourceRefused, "like Twilio"),
        ((404, {"code": 20404}), SourceRefused, "HTTP 404"),
        (requests.exceptions.ConnectionError("refused"), TelephonyUnreachable, "cannot be reached"),
    ],
    ids=["credential", "down", "not Twilio", "no account", "no server"],
)
def test_a_failure_says_what_to_check_and_lands_nothing(
    lake: Lake, settings: PlatformSettings, answer: Answer | Exception, kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind) as caught:
        ingest(lake, settings, in_turn((200, {"calls": [call(1)], "next_page_uri": "/more"}), answer))
    assert said in str(caught.value)
    assert "the-token" not in str(caught.value)
    assert lake.tables() == []


@pytest.mark.parametrize(
    ("following", "kind"),
    [
        ("https://elsewhere.example/steal", SourceRefused),
        ("?PageSize=1000&StartTime%3C=2026-01-05T12%3A00%3A00Z", CountMismatch),
    ],
)
def test_credentials_do_not_follow_a_page_elsewhere_nor_in_circles(
    lake: Lake, settings: PlatformSettings, following: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        ingest(lake, settings, in_turn((200, {"calls": [call(1)], "next_page_uri": following})))
    assert TWILIO_CALLS.name not in lake.tables()


@pytest.mark.parametrize("name", ["telephony_account_sid", "telephony_auth_token"])
def test_a_missing_setting_is_named(lake: Lake, settings: PlatformSettings, name: str) -> None:
    with pytest.raises(TelephonySignInError, match=f"SALESOPS_{name.upper()}"):
        ingest(lake, settings.model_copy(update={name: None}), in_turn((200, {})))
