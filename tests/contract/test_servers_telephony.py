"""The local call log in Twilio's shape."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from simulation.servers import Endpoints, start_servers
from tests.servers_sample import ACCOUNT_SID, CALLS, CLOCK, set_clock, write_company

CALL_KEYS = {
    "account_sid", "annotation", "answered_by", "api_version", "caller_name", "date_created", "date_updated", "direction", "duration", "end_time",
    "forwarded_from", "from", "from_formatted", "group_sid", "parent_call_sid", "phone_number_sid", "price", "price_unit", "queue_time", "sid",
    "start_time", "status", "to", "to_formatted", "trunk_sid", "uri",
}  # fmt: skip
PAGE_KEYS = {
    "calls",
    "end",
    "first_page_uri",
    "next_page_uri",
    "page",
    "page_size",
    "previous_page_uri",
    "start",
    "uri",
}


@pytest.fixture(scope="module")
def session(endpoints: Endpoints) -> Iterator[requests.Session]:
    with requests.Session() as opened:
        opened.trust_env = False
        opened.verify = str(endpoints.ca_file)
        opened.auth = (endpoints.telephony_account_sid, endpoints.telephony_auth_token)
        yield opened


def read_pages(session: requests.Session, endpoints: Endpoints, query: str) -> list[dict[str, Any]]:
    pages = []
    path: str | None = f"/2010-04-01/Accounts/{endpoints.telephony_account_sid}/Calls.json?{query}"
    while path:
        answer = session.get(endpoints.telephony_url + path)
        assert answer.status_code == 200, answer.text
        pages.append(answer.json())
        path = pages[-1]["next_page_uri"]
    return pages


def test_pages_follow_one_another_newest_first_and_each_call_comes_once(
    session: requests.Session, endpoints: Endpoints
) -> None:
    pages = read_pages(session, endpoints, "PageSize=999")
    calls = [call for page in pages for call in page["calls"]]
    starts = [parsedate_to_datetime(call["start_time"]) for call in calls]

    assert [len(page["calls"]) for page in pages] == [999, 999, CALLS - 2 * 999]
    assert [(page["page"], page["start"], page["page_size"]) for page in pages] == [
        (0, 0, 999),
        (1, 999, 999),
        (2, 1998, 999),
    ]
    assert len({call["sid"] for call in calls}) == CALLS
    assert starts == sorted(starts, reverse=True)


def test_a_page_and_a_call_have_twilios_keys_and_spelling(session: requests.Session, endpoints: Endpoints) -> None:
    page = read_pages(session, endpoints, "PageSize=1000")[0]
    answered = next(call for call in page["calls"] if call["status"] == "completed")
    missed = next(call for call in page["calls"] if call["status"] == "no-answer")

    assert set(page) == PAGE_KEYS
    assert page["next_page_uri"].startswith(f"/2010-04-01/Accounts/{ACCOUNT_SID}/Calls.json?")
    # The sample leaves these out; what the company's file has is shown, what Twilio always has is added.
    assert CALL_KEYS - set(answered) <= {
        "answered_by",
        "date_updated",
        "from_formatted",
        "phone_number_sid",
        "price_unit",
        "to_formatted",
    }
    assert isinstance(answered["duration"], str)
    assert answered["price"] == "-0.015000"
    assert (missed["duration"], missed["price"], missed["parent_call_sid"]) == ("0", None, None)
    assert answered["start_time"].startswith("Mon, 05 Jan 2026 09:")
    assert answered["start_time"].endswith(" +0000")


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("StartTime>=2026-01-05T09:10:00Z&StartTime<=2026-01-05T09:15:00Z", "09:10:00", "09:15:00"),
        ("StartTime%3E=2026-01-05T09%3A10%3A00Z&StartTime%3C=2026-01-05T09%3A15%3A00Z", "09:10:00", "09:15:00"),
        ("StartTime>=2026-01-05T10:10:00%2B01:00", "09:10:00", "09:19:10"),
        ("StartTime=2026-01-05", "09:00:00", "09:19:10"),
        ("StartTime<=2026-01-06", "09:00:00", "09:19:10"),
    ],
    ids=["window", "window, escaped", "other zone", "a day", "until midnight"],
)
def test_the_start_time_window_is_kept_on_every_page(
    session: requests.Session, endpoints: Endpoints, query: str, first: str, last: str
) -> None:
    pages = read_pages(session, endpoints, f"{query}&PageSize=400")
    times = [call["start_time"].split()[4] for page in pages for call in page["calls"]]
    everything = [
        call["start_time"].split()[4]
        for page in read_pages(session, endpoints, "PageSize=1000")
        for call in page["calls"]
    ]

    assert (times[-1], times[0]) == (first, last)
    assert times == [time for time in everything if first <= time <= last]


def test_a_call_that_comes_in_between_two_pages_shifts_none(
    session: requests.Session, endpoints: Endpoints, simulation_dir: Path
) -> None:
    address = (
        f"{endpoints.telephony_url}/2010-04-01/Accounts/{endpoints.telephony_account_sid}/Calls.json?PageSize=1000"
    )
    first = session.get(address).json()
    set_clock(simulation_dir, datetime(2026, 2, 2, tzinfo=UTC))
    try:
        second = session.get(endpoints.telephony_url + first["next_page_uri"]).json()
        fresh = session.get(address).json()
    finally:
        set_clock(simulation_dir, CLOCK)

    assert fresh["calls"][0]["sid"] != first["calls"][0]["sid"]
    numbers = [int(call["sid"].removeprefix("CA"), 16) for call in (first["calls"][-1], second["calls"][0])]
    assert numbers[0] - numbers[1] == 1


def test_calls_are_found_by_status_and_number(session: requests.Session, endpoints: Endpoints) -> None:
    pages = read_pages(session, endpoints, "Status=no-answer&From=%2B12125550003&PageSize=1000")
    calls = [call for page in pages for call in page["calls"]]

    assert calls
    assert {(call["status"], call["from"]) for call in calls} == {("no-answer", "+12125550003")}


def test_nothing_found_is_an_empty_page(session: requests.Session, endpoints: Endpoints) -> None:
    (page,) = read_pages(session, endpoints, "StartTime>=2027-01-01")

    assert (page["calls"], page["next_page_uri"]) == ([], None)


def test_a_wrong_token_is_refused(session: requests.Session, endpoints: Endpoints) -> None:
    address = f"{endpoints.telephony_url}/2010-04-01/Accounts/{ACCOUNT_SID}/Calls.json"
    answer = requests.get(
        address, auth=(ACCOUNT_SID, "wrong"), verify=str(endpoints.ca_file), proxies={"https": ""}, timeout=10
    )

    assert answer.status_code == 401
    more = "https://www.twilio.com/docs/errors/20003"
    assert answer.json() == {"code": 20003, "message": "Authenticate", "more_info": more, "status": 401}


@pytest.mark.parametrize("path", ["/2010-04-01/Accounts/AC0/Calls.json", "/2010-04-01/Shoes.json"])
def test_what_is_not_there_is_not_found(session: requests.Session, endpoints: Endpoints, path: str) -> None:
    answer = session.get(endpoints.telephony_url + path)

    assert answer.status_code == 404
    assert set(answer.json()) == {"code", "message", "more_info", "status"}
    assert (answer.json()["code"], answer.json()["status"]) == (20404, 404)


@pytest.mark.parametrize(
    "query", ["StartTime>=yesterday", "PageSize=0", "PageSize=many", "Page=1&PageToken=PACA0", "Page=1"]
)
def test_what_cannot_be_read_is_refused(session: requests.Session, endpoints: Endpoints, query: str) -> None:
    answer = session.get(f"{endpoints.telephony_url}/2010-04-01/Accounts/{ACCOUNT_SID}/Calls.json?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, 20001)


def test_a_page_size_beyond_twilios_is_cut(session: requests.Session, endpoints: Endpoints) -> None:
    page = session.get(f"{endpoints.telephony_url}/2010-04-01/Accounts/{ACCOUNT_SID}/Calls.json?PageSize=5000").json()

    assert (page["page_size"], len(page["calls"])) == (1000, 1000)


def test_the_certificate_authority_outlives_a_restart(tmp_path: Path) -> None:
    write_company(tmp_path, leads=1, calls=1)
    seen = []
    for _ in range(2):
        with start_servers(tmp_path) as started:
            seen.append((started.ca_file.read_bytes(), started.telephony_auth_token))

    assert seen[0][0] == seen[1][0]
    assert seen[0][1] != seen[1][1]
