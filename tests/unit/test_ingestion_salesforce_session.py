"""Signing in, staying signed in, waiting and giving up."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ingestion.errors import SalesforceRefused, SalesforceSignInError, SalesforceUnreachable
from ingestion.sources.salesforce.budget import ApiBudget
from ingestion.sources.salesforce.session import ClientCredentials, JwtBearer, SalesforceSession
from tests.ingestion_fake_http import Answer, FakeServer, Handler, in_turn

LOGIN = "https://login.example"
TOKEN = (200, {"access_token": "T1", "instance_url": "https://org.example"})
SECRET = "the-consumer-secret"


def session_on(
    handler: Handler, waits: list[float] | None = None, **options: Any
) -> tuple[SalesforceSession, FakeServer]:
    session = SalesforceSession(
        LOGIN, ClientCredentials("id", SECRET), sleep=(waits if waits is not None else []).append, **options
    )
    server = FakeServer(handler)
    session.mount("https://", server)
    session.mount("http://", server)
    return session, server


def org(api: Handler, tokens: Handler | None = None) -> Handler:
    issued = tokens or in_turn(
        *[(200, {"access_token": f"T{n}", "instance_url": "https://org.example"}) for n in range(1, 9)]
    )
    return lambda request: issued(request) if str(request.url).startswith(LOGIN) else api(request)


def test_the_first_call_signs_in_and_carries_the_token() -> None:
    session, server = session_on(org(in_turn((200, {}))))
    assert session.get("https://org.example/x").status_code == 200
    token_request, call = server.requests
    assert "grant_type=client_credentials" in str(token_request.body)
    assert "Authorization" not in token_request.headers
    assert call.headers["Authorization"] == "Bearer T1"
    assert session.instance_url == "https://org.example"


def test_the_sessions_token_wins_over_a_stale_copy() -> None:
    session, server = session_on(org(in_turn((200, {}))))
    session.request("GET", "https://org.example/x", headers={"Authorization": "Bearer stale"})
    assert server.requests[-1].headers["Authorization"] == "Bearer T1"


def test_an_expired_session_is_renewed_once() -> None:
    session, server = session_on(
        org(in_turn((401, [{"errorCode": "INVALID_SESSION_ID", "message": "expired"}]), (200, {})))
    )
    assert session.get("https://org.example/x").status_code == 200
    assert server.requests[-1].headers["Authorization"] == "Bearer T2"


def test_a_session_that_is_refused_again_is_not_renewed_for_ever() -> None:
    session, server = session_on(org(in_turn((401, []))))
    assert session.get("https://org.example/x").status_code == 401
    assert len(server.requests) == 4


@pytest.mark.parametrize("status", [420, 429, 500, 502, 503, 504])
def test_what_can_pass_is_asked_again_and_slower(status: int) -> None:
    waits: list[float] = []
    session, _ = session_on(org(in_turn((status, "<html>"), (status, "<html>"), (200, {}))), waits)
    assert session.get("https://org.example/x").status_code == 200
    assert len(waits) == 2
    assert waits[1] > 0.3


@pytest.mark.parametrize("status", [400, 403, 404])
def test_what_cannot_pass_is_not_asked_again(status: int) -> None:
    waits: list[float] = []
    session, _ = session_on(org(in_turn((status, []))), waits)
    assert session.get("https://org.example/x").status_code == status
    assert waits == []


def test_the_server_says_how_long_to_wait() -> None:
    waits: list[float] = []
    session, _ = session_on(org(in_turn((503, "", {"Retry-After": "7"}), (200, {}))), waits)
    session.get("https://org.example/x")
    assert waits == [7.0]


@pytest.mark.parametrize(("status", "sent"), [(500, 1), (503, 2)])
def test_a_job_is_created_again_only_when_the_server_did_not_take_it(status: int, sent: int) -> None:
    session, server = session_on(org(in_turn((status, ""), (200, {}))))
    session.post("https://org.example/jobs", data="{}")
    assert sum("org.example" in str(request.url) for request in server.requests) == sent


@pytest.mark.parametrize(
    "fault", [(500, ""), requests.exceptions.ConnectionError("reset"), requests.exceptions.ReadTimeout()], ids=str
)
def test_a_query_job_is_created_again_even_if_the_server_may_have_taken_it(fault: Answer | Exception) -> None:
    session, server = session_on(org(in_turn(fault, (200, {}))))
    assert session.post("https://org.example/services/data/v66.0/jobs/query", data="{}").status_code == 200
    assert sum("org.example" in str(request.url) for request in server.requests) == 2


@pytest.mark.parametrize("status", [420, 429, 503])
def test_a_server_that_stays_busy_is_reported_as_such(status: int) -> None:
    session, server = session_on(
        org(in_turn((status, [{"errorCode": "SERVER_UNAVAILABLE", "message": "later"}]))), patience=1
    )
    with pytest.raises(SalesforceUnreachable, match=f"HTTP {status} however often it was asked") as caught:
        session.get("https://org.example/x?token=hidden")
    assert len(server.requests) == 1 + 3
    assert caught.value.where == "https://org.example/x"
    assert "goes on from the cursor" in caught.value.fix


def test_the_budget_keeps_the_higher_of_what_an_answer_and_the_limits_say() -> None:
    budget, share = ApiBudget(), Decimal("0.5")
    budget.note_limits({"DailyApiRequests": {"Max": 1000, "Remaining": 400}})
    assert "600 of the org's 1,000" in budget.describe_spent(share)
    answer = requests.Response()
    answer.headers["Sforce-Limit-Info"] = "api-usage=700/1000"
    budget.note(answer)
    budget.note_limits({"DailyApiRequests": {"Max": 1000, "Remaining": 399}})
    assert "700 of the org's 1,000" in budget.describe_spent(share)
    answer.headers["Sforce-Limit-Info"] = "api-usage=300/1000"
    budget.note(answer)
    assert budget.describe_spent(share) == ""


@pytest.mark.parametrize("limits", [None, [], {}, {"DailyApiRequests": None}, {"DailyApiRequests": {"Max": 5000}}])
def test_limits_without_the_figures_leave_the_budget_as_it_is(limits: object) -> None:
    budget = ApiBudget()
    budget.note_limits(limits)
    assert budget.describe_spent(Decimal("0.1")) == ""


def test_a_broken_connection_is_made_again() -> None:
    session, _ = session_on(
        org(in_turn(requests.exceptions.ConnectionError("reset"), requests.exceptions.ReadTimeout(), (200, {})))
    )
    assert session.get("https://org.example/x").status_code == 200


@pytest.mark.parametrize("status", [420, 429, 500, 502, 503, 504])
def test_an_outage_of_two_minutes_passes(status: int) -> None:
    waits: list[float] = []

    def come_back(_: requests.PreparedRequest) -> Answer:
        return (200, {}) if sum(waits) > 110 else (status, "<html>")

    session, _ = session_on(org(come_back), waits)
    assert session.get("https://org.example/x").status_code == 200
    assert max(waits) <= 31
    assert 110 < sum(waits) < 130


def test_a_network_that_is_gone_for_a_minute_comes_back_where_the_org_has_answered_before() -> None:
    waits: list[float] = []

    def come_back(_: requests.PreparedRequest) -> Answer:
        if waits and sum(waits) < 60:
            raise requests.exceptions.ConnectionError("its name is unknown")
        return (200, {}) if waits else (503, "")

    session, _ = session_on(org(come_back), waits)
    assert session.get("https://org.example/x").status_code == 200


def test_a_server_that_never_answered_is_given_up_in_seconds() -> None:
    waits: list[float] = []
    session, _ = session_on(org(in_turn((200, {})), in_turn(requests.exceptions.ConnectionError("refused"))), waits)
    with pytest.raises(SalesforceUnreachable):
        session.sign_in()
    assert 7 <= sum(waits) < 15


def test_an_outage_is_waited_out_once_and_not_with_every_call() -> None:
    waits: list[float] = []
    answers = {"code": 502}
    session, _ = session_on(org(lambda _: (answers["code"], "<html>")), waits)
    spent = []
    for code in (502, 502, 200, 502):
        answers["code"] = code
        before = sum(waits)
        session.get("https://org.example/x")
        spent.append(sum(waits) - before)
    assert [seconds >= 120 for seconds in spent] == [True, False, False, True]
    assert 7 <= spent[1] < 15


def test_a_server_that_asks_for_long_waits_is_not_waited_for_any_longer() -> None:
    waits: list[float] = []
    session, _ = session_on(org(in_turn((429, "", {"Retry-After": "3600"}))), waits)
    with pytest.raises(SalesforceUnreachable):
        session.get("https://org.example/x")
    assert waits == [60, 60]


@pytest.mark.parametrize(
    ("error", "attempts", "said"),
    [
        (requests.exceptions.ConnectionError(f"refused {SECRET}"), 5, "refused or broken"),
        (requests.exceptions.SSLError("self-signed"), 1, "certificate is not trusted"),
        (requests.exceptions.ReadTimeout(), 10, "did not answer in time"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_unreachable_server_is_reported_without_secrets(error: Exception, attempts: int, said: str) -> None:
    session, server = session_on(org(in_turn(error)))
    with pytest.raises(SalesforceUnreachable, match=said) as caught:
        session.get("https://org.example/x?token=hidden")
    assert len(server.requests) == 1 + attempts
    assert caught.value.where == "https://org.example/x"
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (
            (400, {"error": "invalid_client", "error_description": "invalid client credentials"}),
            SalesforceSignInError,
            "CLIENT_SECRET",
        ),
        (
            (400, {"error": "invalid_client_id", "error_description": "client identifier invalid"}),
            SalesforceSignInError,
            "CLIENT_ID",
        ),
        (
            (403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]),
            SalesforceRefused,
            "API limit",
        ),
        ((404, "<html>not here</html>"), SalesforceSignInError, "does not answer like Salesforce"),
        ((503, "<html>maintenance</html>"), SalesforceUnreachable, "503"),
        ((503, [{"errorCode": "SERVER_UNAVAILABLE", "message": "busy"}]), SalesforceUnreachable, "503"),
    ],
    ids=["secret", "client id", "limit", "not Salesforce", "maintenance", "maintenance in JSON"],
)
def test_a_refused_sign_in_says_what_to_check(answer: Answer, kind: type[Exception], said: str) -> None:
    session, _ = session_on(org(in_turn((200, {})), in_turn(answer)))
    with pytest.raises(kind) as caught:
        session.sign_in()
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)


def test_secrets_stay_out_of_reprs() -> None:
    assert SECRET not in repr(ClientCredentials("id", SECRET))


def test_a_ca_file_and_a_timeout_go_with_every_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/elsewhere.pem")
    session, server = session_on(org(in_turn((200, {}))), ca_file=tmp_path / "ca.pem", timeout=(1, 2))
    session.get("https://org.example/x")
    assert {(options["verify"], options["timeout"]) for options in server.options} == {
        (str(tmp_path / "ca.pem"), (1, 2))
    }


@pytest.mark.parametrize(("host", "is_proxied"), [("localhost", False), ("127.0.0.1", False), ("org.example", True)])
def test_a_proxy_does_not_stand_between_us_and_loopback(
    monkeypatch: pytest.MonkeyPatch, host: str, is_proxied: bool
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    session, server = session_on(org(in_turn((200, {}))))
    session.get(f"https://{host}/x")
    assert ("https" in server.options[-1]["proxies"]) == is_proxied


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def test_jwt_bearer_sends_an_assertion_that_its_certificate_verifies(tmp_path: Path, key: rsa.RSAPrivateKey) -> None:
    pem = tmp_path / "key.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem.write_bytes(key.private_bytes(*form))
    sent = JwtBearer("consumer", "ops@acme.example", pem, LOGIN).form()
    claims = jwt.decode(sent["assertion"], key.public_key(), algorithms=["RS256"], audience=LOGIN)
    assert (claims["iss"], claims["sub"]) == ("consumer", "ops@acme.example")
    assert 0 < claims["exp"] - time.time() <= 180


@pytest.mark.parametrize(
    "write", [lambda path: None, lambda path: path.write_text("no key")], ids=["missing", "no key"]
)
def test_an_unusable_key_file_is_named(tmp_path: Path, write: Callable[[Path], object]) -> None:
    write(tmp_path / "key.pem")
    with pytest.raises(SalesforceSignInError) as caught:
        JwtBearer("consumer", "ops@acme.example", tmp_path / "key.pem", LOGIN).form()
    assert "key.pem" in caught.value.where
