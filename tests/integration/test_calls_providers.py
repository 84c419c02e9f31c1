"""Aircall and RingCentral over real HTTP: everything arrives once, or the load fails and says why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response

from ingestion.errors import CountMismatch, IngestionError, SourceRefused, TelephonySignInError, TelephonyUnreachable
from ingestion.landing import LandingReport
from ingestion.sources.calls.providers import PROVIDERS
from ingestion.sources.http_session import RetryingSession
from ingestion.sources.settings import PlatformSettings, load_settings
from simulation.company import Company, create_company
from storage.lake import Lake
from tests.call_servers import (
    WITHHELD,
    Leg,
    Served,
    as_aircall,
    as_ringcentral,
    make_aircall,
    make_ringcentral,
    read_calls,
    serve,
)
from tests.servers_sample import CLOCK, write_company

INGEST = {provider.name: provider.ingest for provider in PROVIDERS}
TABLES = {provider.name: provider.table for provider in PROVIDERS}
SECRETS = {
    "aircall_api_token": "air-t0ken",
    "ringcentral_client_secret": "rc-s3cret",
    "ringcentral_jwt": "rc-jwt-assertion",
}


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return create_company(tmp_path_factory.mktemp("company"), "tiny", 7)


@pytest.fixture(scope="module")
def calls(company: Company) -> list[list[Leg]]:
    return read_calls(company.folder / "telephony" / "call.parquet", company.now)


@pytest.fixture(scope="module")
def aircall_calls(calls: list[list[Leg]]) -> list[dict[str, Any]]:
    return [as_aircall(number, legs) for number, legs in enumerate(calls)]


@pytest.fixture(scope="module")
def ringcentral_records(calls: list[list[Leg]]) -> list[dict[str, Any]]:
    return [record for number, legs in enumerate(calls) for record in as_ringcentral(number, legs)]


@pytest.fixture
def aircall(aircall_calls: list[dict[str, Any]]) -> Iterator[Served]:
    with serve(lambda served: make_aircall(served, aircall_calls, "api-id", SECRETS["aircall_api_token"])) as served:
        yield served


def make_log(served: Served, records: list[dict[str, Any]], *, tells_total: bool) -> Starlette:
    return make_ringcentral(
        served,
        records,
        ("client", SECRETS["ringcentral_client_secret"]),
        SECRETS["ringcentral_jwt"],
        tells_total=tells_total,
    )


@pytest.fixture(params=[True, False], ids=["with total", "without total"])
def ringcentral(request: pytest.FixtureRequest, ringcentral_records: list[dict[str, Any]]) -> Iterator[Served]:
    with serve(lambda served: make_log(served, ringcentral_records, tells_total=request.param)) as served:
        yield served


@pytest.fixture(params=["Aircall", "RingCentral with total", "RingCentral"])
def log(
    request: pytest.FixtureRequest, aircall_calls: list[dict[str, Any]], ringcentral_records: list[dict[str, Any]]
) -> Iterator[tuple[str, Served]]:
    """A provider's name and its server, each in turn."""
    if request.param == "Aircall":
        with serve(
            lambda served: make_aircall(served, aircall_calls, "api-id", SECRETS["aircall_api_token"])
        ) as served:
            yield "Aircall", served
        return
    with serve(lambda served: make_log(served, ringcentral_records, tells_total="total" in request.param)) as served:
        yield "RingCentral", served


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def settings_for(served: Served) -> PlatformSettings:
    return load_settings(
        _env_file=None,
        aircall_url=served.url,
        aircall_api_id="api-id",
        ringcentral_url=served.url + "/",
        ringcentral_client_id="client",
        **SECRETS,
    )


def ingest(
    name: str, served: Served, lake: Lake, until: datetime, settings: PlatformSettings | None = None
) -> LandingReport:
    session = RetryingSession(sleep=lambda _: None)
    return INGEST[name](settings or settings_for(served), lake, until=until, run_id="run", session=session)


def ask(lake: Lake, name: str, sql: str) -> list[tuple[Any, ...]]:
    rows = lake.query(TABLES[name], sql)
    assert rows is not None
    return [tuple(row.values()) for row in rows.to_pylist()]


def test_every_aircall_call_lands_with_its_numbers(
    aircall: Served, lake: Lake, company: Company, calls: list[list[Leg]]
) -> None:
    report = ingest("Aircall", aircall, lake, company.now)

    assert (report.landed, report.set_aside, report.unchanged) == (len(calls), 0, 0)
    hidden = sum(WITHHELD in (legs[0].caller, legs[0].called) for legs in calls)
    assert hidden > 0
    assert report.rules["numbers_are_e164"] == hidden
    assert ask(lake, "Aircall", "select count(distinct id), count(*) filter (unread_numbers = 'from') from lake") == [
        (len(calls), hidden)
    ]
    landed = ask(lake, "Aircall", "select sid, from_e164, to_e164 from lake where unread_numbers is null order by sid")
    assert landed == [
        (legs[0].sid, legs[0].caller, legs[0].called)
        for legs in calls
        if WITHHELD not in (legs[0].caller, legs[0].called)
    ]


def test_what_aircall_signs_anew_each_time_is_no_new_version(aircall: Served, lake: Lake, company: Company) -> None:
    friday = company.now - timedelta(days=2, hours=12)
    ingest("Aircall", aircall, lake, friday)
    before = len(aircall.requests)
    again = ingest("Aircall", aircall, lake, friday)

    assert (again.landed, again.version) == (0, None)
    assert again.unchanged > 0
    look_back = int((friday - timedelta(hours=24)).timestamp())
    assert f"from={look_back}&" in aircall.requests[before]


def test_more_calls_than_aircall_gives_out_of_a_window_are_read_in_halves(tmp_path: Path, lake: Lake) -> None:
    folder = write_company(tmp_path / "simulation", leads=1, calls=12_345)
    legs = read_calls(folder / "company" / "telephony" / "call.parquet", CLOCK)
    served_calls = [as_aircall(number, call) for number, call in enumerate(legs)]
    assert len(served_calls) == 12_345
    with serve(lambda served: make_aircall(served, served_calls, "api-id", SECRETS["aircall_api_token"])) as served:
        report = ingest("Aircall", served, lake, CLOCK)
        assert not any("page=201" in request for request in served.requests)

    assert report.landed == 12_345
    assert ask(lake, "Aircall", "select count(distinct id) from lake") == [(12_345,)]


def test_a_half_that_hides_calls_fails(lake: Lake) -> None:
    start = datetime(2026, 1, 5, tzinfo=UTC)
    legs = [
        [
            Leg(
                f"CA{n}",
                None,
                "inbound",
                "+12125550100",
                "+12125550101",
                start + timedelta(seconds=n),
                start + timedelta(seconds=n),
                0,
            )
        ]
        for n in range(10_500)
    ]
    served_calls = [as_aircall(number, call) for number, call in enumerate(legs)]

    def hide(_: int, page: dict[str, Any]) -> dict[str, Any]:
        if page["meta"]["total"] >= 10_000:
            page["meta"]["total"] += 3
        return page

    with serve(lambda served: make_aircall(served, served_calls, "api-id", SECRETS["aircall_api_token"])) as served:
        served.alter = hide
        with pytest.raises(CountMismatch, match="10503 calls, but its two halves have 10500"):
            ingest("Aircall", served, lake, start + timedelta(days=1))
    assert lake.tables() == []


def test_sessions_of_ringcentral_land_with_their_legs(
    ringcentral: Served, lake: Lake, company: Company, calls: list[list[Leg]]
) -> None:
    report = ingest("RingCentral", ringcentral, lake, company.now)

    records = sum(max(1, sum(leg.talk > 0 for leg in legs)) for legs in calls)
    assert records > len(calls), "no call was passed on"
    assert (report.landed, report.set_aside) == (records, 0)
    assert ask(
        lake,
        "RingCentral",
        "select count(distinct id), count(distinct \"sessionId\"), count(*) filter (legs like '%media.example%') from lake",
    ) == [(records, len(calls), 0)]
    assert ingest("RingCentral", ringcentral, lake, company.now).version is None


def test_a_call_that_changes_after_its_start_lands_again(lake: Lake) -> None:
    start = datetime(2026, 1, 5, 9, tzinfo=UTC)
    ringing = Leg("CA1", None, "inbound", "+12125550100", "+12125550101", start, start + timedelta(seconds=20), 0)
    ended = Leg("CA1", None, "inbound", "+12125550100", "+12125550101", start, start + timedelta(seconds=320), 300)
    served_calls = [as_ringcentral(1, [ringing])[0] | {"result": "In Progress"}]
    with serve(lambda served: make_log(served, served_calls, tells_total=False)) as served:
        assert ingest("RingCentral", served, lake, start + timedelta(minutes=1)).landed == 1
        served_calls[:] = as_ringcentral(1, [ended])
        second = ingest("RingCentral", served, lake, start + timedelta(hours=20))
        served_calls[:] = [*served_calls, *as_ringcentral(2, [ringing])]  # written late, with a start long past
        third = ingest("RingCentral", served, lake, start + timedelta(hours=23))

    assert (second.landed, second.unchanged) == (1, 0)
    assert (third.landed, third.unchanged) == (1, 1)


def test_a_limit_passes_and_an_expired_token_is_renewed(
    log: tuple[str, Served], lake: Lake, company: Company, calls: list[list[Leg]]
) -> None:
    name, served = log
    served.faults = {
        1: JSONResponse({"errorCode": "CMN-301", "message": "Request rate exceeded"}, 429, {"Retry-After": "60"}),
        3: Response("<html>busy</html>", 503),
    }
    if name == "RingCentral":
        served.faults[6] = JSONResponse({"errorCode": "TokenExpired", "message": "Access token expired"}, 401)
    report = ingest(name, served, lake, company.now)

    assert not served.faults
    assert report.landed >= len(calls)
    assert served.tokens == (2 if name == "RingCentral" else 0)


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (JSONResponse({"error": "Unauthorized"}, 401), TelephonySignInError, "refused the credentials"),
        (
            JSONResponse({"message": "needs [ReadCallLog] permission"}, 403),
            TelephonySignInError,
            "refused the credentials",
        ),
        (Response("<html>", 503), TelephonyUnreachable, "answers 503"),
        (Response("<html>maintenance</html>", 200), SourceRefused, "does not answer like"),
        (Response('{"meta": {"total": 1}, "calls": [{"id": 1, "dir', 200), SourceRefused, "does not answer like"),
        (
            JSONResponse({"records": [1], "calls": [1], "meta": {"total": 1}}, 200),
            SourceRefused,
            "does not answer like",
        ),
    ],
    ids=["credentials", "permission", "down", "a web page", "a page cut off", "no calls in it"],
)
def test_a_broken_page_fails_and_nothing_lands(
    log: tuple[str, Served], fault: Response, kind: type[IngestionError], said: str, lake: Lake, company: Company
) -> None:
    name, served = log
    served.faults = dict.fromkeys(range(4, 40), fault)  # for as long as anyone asks
    with pytest.raises(kind, match=said) as caught:
        ingest(name, served, lake, company.now)

    assert lake.tables() == []
    assert name in str(caught.value)
    assert not any(secret in str(caught.value) for secret in SECRETS.values())


def test_a_page_that_lacks_a_call_fails_and_names_both_numbers(
    log: tuple[str, Served], lake: Lake, company: Company
) -> None:
    name, served = log
    items = "calls" if name == "Aircall" else "records"

    def drop(number: int, page: dict[str, Any]) -> dict[str, Any]:
        return page | {items: page[items][1:]} if number == 2 else page

    served.alter = drop
    with pytest.raises(CountMismatch, match=r"\d+ (calls|records), but"):
        ingest(name, served, lake, company.now)
    assert lake.tables() == []


def test_a_next_page_elsewhere_or_in_a_circle_is_not_followed(
    log: tuple[str, Served], lake: Lake, company: Company
) -> None:
    name, served = log

    def lead(link: str) -> None:
        def change(_: int, page: dict[str, Any]) -> dict[str, Any]:
            where = (
                {"meta": page["meta"] | {"next_page_link": link}}
                if name == "Aircall"
                else {"navigation": {"nextPage": {"uri": link}}}
            )
            return page | where

        served.alter = change

    lead("https://elsewhere.example/v1/calls")
    with pytest.raises(SourceRefused, match="another server"):
        ingest(name, served, lake, company.now)
    lead(served.url + served.requests[-1])
    with pytest.raises(CountMismatch, match="leads back"):
        ingest(name, served, lake, company.now)
    assert lake.tables() == []


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("Aircall", "aircall_api_id"),
        ("Aircall", "aircall_api_token"),
        ("RingCentral", "ringcentral_client_secret"),
        ("RingCentral", "ringcentral_jwt"),
    ],
)
def test_a_missing_setting_is_named(name: str, missing: str, lake: Lake) -> None:
    settings = settings_for(Served(url="http://127.0.0.1:9")).model_copy(update={missing: None})
    with pytest.raises(TelephonySignInError, match=f"SALESOPS_{missing.upper()} is not set"):
        ingest(name, Served(), lake, CLOCK, settings)


def test_wrong_credentials_are_reported_and_a_closed_port_too(
    log: tuple[str, Served], lake: Lake, company: Company
) -> None:
    name, served = log
    settings = settings_for(served)
    for wrong in ("aircall_api_token",) if name == "Aircall" else ("ringcentral_client_secret", "ringcentral_jwt"):
        with pytest.raises(TelephonySignInError, match=f"SALESOPS_{wrong.upper()}"):
            ingest(name, served, lake, company.now, settings.model_copy(update={wrong: SecretStr("wr0ng")}))
    nowhere = settings.model_copy(update={"aircall_url": "http://127.0.0.1:9", "ringcentral_url": "http://127.0.0.1:9"})
    with pytest.raises(TelephonyUnreachable, match=f"SALESOPS_{name.upper()}_URL"):
        ingest(name, served, lake, company.now, nowhere)
