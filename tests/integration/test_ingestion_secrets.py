"""Secrets stay where they were put: they are in no error, no log record, no Dagster event and no file that a run writes, whatever goes wrong."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import dagster as dg
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr
from starlette.responses import JSONResponse, Response

from ingestion.landing import LandingReport
from ingestion.sources.calls.providers import CALL_TABLES, PROVIDERS
from ingestion.sources.calls.tables import TWILIO_CALLS
from ingestion.sources.calls.twilio import ingest_calls
from ingestion.sources.http_session import RetryingSession
from ingestion.sources.mail.ingest import check_mail_accounts, ingest_mail
from ingestion.sources.mail.tables import MESSAGE_TABLE
from ingestion.sources.salesforce import query as query_module
from ingestion.sources.salesforce.client import connect_salesforce
from ingestion.sources.salesforce.extract import ingest_object
from ingestion.sources.salesforce.objects import find_object
from ingestion.sources.settings import PlatformSettings, load_settings
from simulation.servers import Endpoints
from storage.errors import SalesopsError
from storage.lake import Lake
from tests.call_servers import Leg, Served, as_aircall, as_ringcentral, make_aircall, make_ringcentral, serve
from tests.s3_server import BUCKET, SECRET_KEY, serve_s3
from tests.servers_sample import CLOCK
from tests.support.fault_servers import ServerControl
from tests.support.misbehaving_org import make_rows
from tests.talkative_mail_server import MAILBOX, PASSWORD, encode_token, run_talkative_mail_server
from tests.token_server import CLIENT_SECRET, REFRESH_TOKEN, TokenServer, run_token_server

OBJECT, TABLE = "Kept__c", "salesforce__kept_c"
WRONG = SecretStr("wrong-S3cret-value")
TOKEN_PATH = "/services/oauth2/token"
AIRCALL_ID, AIRCALL_TOKEN = "aircall-api-id", "aircall-api-t0ken"
RINGCENTRAL_ID, RINGCENTRAL_SECRET, RINGCENTRAL_JWT = (
    "ringcentral-app",
    "ringcentral-s3cret",
    "ringcentral-jwt-assertion",
)
INGEST = {provider.name: provider.ingest for provider in PROVIDERS}


class Watch:
    """Everything that a run says and writes, held against the secrets it was given."""

    def __init__(self, settings: PlatformSettings, log: pytest.LogCaptureFixture) -> None:
        self.home = settings.home
        self.log = log
        self.said: list[str] = []
        self.secrets: dict[str, str] = {}

    def keep(self, **secrets: str) -> None:
        """Look for these too."""
        assert all(len(secret) >= 12 for secret in secrets.values())
        self.secrets.update(secrets)

    def fails(self, act: Callable[[], object]) -> None:
        """Do what must fail, and note what its error says, and the errors that led to it."""
        with pytest.raises(SalesopsError) as caught:
            act()
        errors: list[BaseException | None] = [caught.value]
        while error := errors.pop():
            self.said += [str(error), repr(error), repr(error.args)]
            errors += [None, error.__cause__ or error.__context__]

    def found(self) -> list[str]:
        """Where a secret came out."""
        places = {f"error: {text}": text.encode() for text in self.said}
        places |= {
            f"log: {record.getMessage()}": f"{record.getMessage()} {record.args}".encode()
            for record in self.log.records
        }
        places |= {str(path): path.read_bytes() for path in self.home.rglob("*") if path.is_file()}
        return [
            f"{name} in {place}"
            for place, content in places.items()
            for name, secret in self.secrets.items()
            if secret.encode() in content
        ]


@pytest.fixture
def control(control: ServerControl) -> ServerControl:
    control.records(OBJECT, make_rows(50))
    return control


@dataclass
class Mail:
    """A mail server and the server that gives its tokens.

    Attributes:
        port: Of the mail server.
        tokens: The token server.
        folder: Where accounts files are written.
    """

    port: int
    tokens: TokenServer
    folder: Path

    def write_accounts(self, sign_in: str = "password", **changed: Any) -> Path:
        """An accounts file: by password, by a refresh token, or by the client's own secret."""
        account = {
            "name": "sales",
            "host": "localhost",
            "port": self.port,
            "security": "none",
            "folders": ["INBOX"],
            "mailboxes": [MAILBOX],
        }
        if sign_in != "password":
            oauth = {"token_url": f"{self.tokens.url}/token", "grant": sign_in, "client_id": "app"}
            own = {"client_secret": "client"} if sign_in == "refresh_token" else {}
            account |= {"sign_in": "xoauth2", "secret": "refresh" if own else "client", "oauth": oauth | own}
        path = self.folder / f"mail_{len(list(self.folder.glob('mail_*')))}.yml"
        path.write_text(json.dumps({"accounts": [account | changed]}))  # JSON is YAML
        return path


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[Mail]:
    with run_token_server() as tokens, run_talkative_mail_server(lambda token: token in tokens.live) as port:
        tokens.user = MAILBOX
        yield Mail(port, tokens, tmp_path)


@dataclass
class CallLogs:
    """Running servers of two providers, each with one call."""

    aircall: Served
    ringcentral: Served


@pytest.fixture
def call_logs() -> Iterator[CallLogs]:
    rung = CLOCK - timedelta(days=60)
    legs = [Leg("CA1", None, "inbound", "+12125550100", "+12125550101", rung, rung + timedelta(minutes=5), 280)]
    app = (RINGCENTRAL_ID, RINGCENTRAL_SECRET)
    with (
        serve(lambda served: make_aircall(served, [as_aircall(1, legs)], AIRCALL_ID, AIRCALL_TOKEN)) as aircall,
        serve(
            lambda served: make_ringcentral(served, as_ringcentral(1, legs), app, RINGCENTRAL_JWT, tells_total=True)
        ) as ringcentral,
    ):
        yield CallLogs(aircall, ringcentral)


@pytest.fixture
def settings(endpoints: Endpoints, tmp_path: Path, mail: Mail, call_logs: CallLogs) -> PlatformSettings:
    return load_settings(
        _env_file=None,
        home=tmp_path / "home",
        salesforce_login_url=endpoints.salesforce_login_url,
        salesforce_client_id=endpoints.salesforce_client_id,
        salesforce_client_secret=endpoints.salesforce_client_secret,
        salesforce_username=endpoints.salesforce_username,
        salesforce_private_key_file=endpoints.salesforce_private_key_file,
        salesforce_ca_file=endpoints.ca_file,
        telephony_url=endpoints.telephony_url,
        telephony_account_sid=endpoints.telephony_account_sid,
        telephony_auth_token=endpoints.telephony_auth_token,
        telephony_ca_file=endpoints.ca_file,
        aircall_url=call_logs.aircall.url,
        aircall_api_id=AIRCALL_ID,
        aircall_api_token=SecretStr(AIRCALL_TOKEN),
        ringcentral_url=call_logs.ringcentral.url,
        ringcentral_client_id=RINGCENTRAL_ID,
        ringcentral_client_secret=SecretStr(RINGCENTRAL_SECRET),
        ringcentral_jwt=SecretStr(RINGCENTRAL_JWT),
        mail_accounts=mail.write_accounts(),
        mail_secrets={
            "sales": SecretStr(PASSWORD),
            "refresh": SecretStr(REFRESH_TOKEN),
            "client": SecretStr(CLIENT_SECRET),
        },
    )


def encode_basic(user: str, password: str) -> str:
    """The pair as basic sign-in puts it on the wire."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def watch(settings: PlatformSettings, endpoints: Endpoints, caplog: pytest.LogCaptureFixture) -> Watch:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")
    watching = Watch(settings, caplog)
    watching.keep(
        client_secret=endpoints.salesforce_client_secret,
        wrong_secret=WRONG.get_secret_value(),
        telephony_token=endpoints.telephony_auth_token,
        private_key=endpoints.salesforce_private_key_file.read_text().splitlines()[3],
        aircall_id=AIRCALL_ID,
        aircall_token=AIRCALL_TOKEN,
        wire_aircall=encode_basic(AIRCALL_ID, AIRCALL_TOKEN),
        ringcentral_secret=RINGCENTRAL_SECRET,
        wire_ringcentral=encode_basic(RINGCENTRAL_ID, RINGCENTRAL_SECRET),
        ringcentral_jwt=RINGCENTRAL_JWT,
        mail_password=PASSWORD,
        mail_refresh_token=REFRESH_TOKEN,
        mail_client_secret=CLIENT_SECRET,
    )
    return watching


@pytest.fixture
def key_of_another_kind(tmp_path: Path, watch: Watch) -> Path:
    """A private key that the JWT flow cannot use."""
    path = tmp_path / "other.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(ec.generate_private_key(ec.SECP256R1()).private_bytes(*form))
    watch.keep(other_key=path.read_text().splitlines()[1])
    return path


def test_when_signing_in_goes_wrong(
    settings: PlatformSettings,
    control: ServerControl,
    watch: Watch,
    key_of_another_kind: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    by_key = settings.model_copy(update={"salesforce_client_secret": None})
    sign = jwt.encode

    def keep_signed(*arguments: Any, **named: Any) -> str:
        signed = sign(*arguments, **named)
        watch.keep(**{f"assertion_{len(watch.secrets)}": signed})
        return signed

    monkeypatch.setattr(jwt, "encode", keep_signed)
    watch.keep(token=connect_salesforce(settings).session.token, jwt_token=connect_salesforce(by_key).session.token)
    changes: list[dict[str, object]] = [
        {"salesforce_client_secret": WRONG},
        {"salesforce_client_id": "nobody"},
        {"salesforce_ca_file": None},
        {"salesforce_client_secret": None, "salesforce_username": "nobody@example.com"},
        {"salesforce_client_secret": None, "salesforce_client_id": "nobody"},
        {"salesforce_client_secret": None, "salesforce_ca_file": None},
        {"salesforce_client_secret": None, "salesforce_private_key_file": key_of_another_kind},
        {"salesforce_client_secret": None, "salesforce_private_key_file": key_of_another_kind.parent / "missing.pem"},
    ]
    for change in changes:
        watch.fails(partial(connect_salesforce, settings.model_copy(update=change)))
    for chosen in (settings, by_key):
        control.limit_exceeded(TOKEN_PATH)
        watch.fails(partial(connect_salesforce, chosen))
        control.fault("status", path=TOKEN_PATH, status=404, body="<html>not here</html>")
        watch.fails(partial(connect_salesforce, chosen))
        control.fault("drop", path=TOKEN_PATH)
        watch.keep(**{f"token_{len(watch.secrets)}": connect_salesforce(chosen).session.token})

    assert sum(name.startswith("assertion") for name in watch.secrets) > 5
    assert any(record.name.startswith("urllib3") and TOKEN_PATH in record.getMessage() for record in watch.log.records)
    assert watch.found() == []


def test_when_loads_go_wrong(
    settings: PlatformSettings,
    control: ServerControl,
    endpoints: Endpoints,
    watch: Watch,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lake = Lake(settings.home / "lake")
    client = connect_salesforce(settings)
    monkeypatch.setattr(client.session, "_sleep", lambda _: None)
    monkeypatch.setattr(client, "sleep", lambda _: None)
    watch.keep(token=client.session.token)
    ingest = partial(ingest_object, client, lake, find_object(OBJECT), until=endpoints.now, run_id="run")
    faults: tuple[dict[str, Any], ...] = (
        {"kind": "drop"},
        {"kind": "drop", "after_bytes": 20},
        {"kind": "status", "status": 401, "body": "[]"},
        {"kind": "status", "status": 403, "body": "no"},
        {"kind": "status", "status": 200, "body": "<html>"},
    )
    places = [(10_000, "/queryAll/"), (1, "/jobs/query$"), (1, r"/jobs/query/\w+$"), (1, r"/results\?")]
    for (bulk_from_rows, path), fault in product(places, faults):
        monkeypatch.setattr(query_module, "BULK_FROM_ROWS", bulk_from_rows)
        control.fault(object=OBJECT, path=path, times=None, **fault)
        watch.fails(ingest)
        watch.keep(**{f"token_{len(watch.secrets)}": client.session.token})
        control.clear_faults()
    assert ingest().landed == 50

    call_settings = {
        "until": endpoints.now,
        "run_id": "run",
        "session": RetryingSession(ca_file=endpoints.ca_file, sleep=lambda _: None),
    }
    telephony = ServerControl(endpoints.telephony_url, endpoints.ca_file)
    watch.fails(
        partial(ingest_calls, settings.model_copy(update={"telephony_auth_token": WRONG}), lake, **call_settings)
    )
    watch.fails(
        partial(
            ingest_calls,
            settings.model_copy(update={"telephony_ca_file": None}),
            lake,
            until=endpoints.now,
            run_id="run",
        )
    )
    for fault in faults:
        telephony.fault(path="/Calls", times=None, **fault)
        watch.fails(partial(ingest_calls, settings, lake, **call_settings))
        telephony.clear_faults()
    assert ingest_calls(settings, lake, **call_settings).landed == 20

    assert lake.tables() == sorted([TWILIO_CALLS.name, TABLE])
    assert len(watch.secrets) > 10
    assert watch.found() == []


def test_when_call_logs_are_read_and_when_they_are_not(
    settings: PlatformSettings, endpoints: Endpoints, call_logs: CallLogs, watch: Watch
) -> None:
    lake = Lake(settings.home / "lake")
    faults = (Response("<html>", 503), Response("<html>maintenance</html>"), JSONResponse({"error": "Forbidden"}, 403))

    def ingest(name: str, chosen: PlatformSettings = settings) -> LandingReport:
        return INGEST[name](
            chosen, lake, until=endpoints.now, run_id="run", session=RetryingSession(sleep=lambda _: None)
        )

    signing_in: list[tuple[str, Served, dict[str, object]]] = [
        ("Aircall", call_logs.aircall, {"aircall_api_id": WRONG.get_secret_value()}),
        ("Aircall", call_logs.aircall, {"aircall_api_token": WRONG}),
        ("RingCentral", call_logs.ringcentral, {"ringcentral_client_secret": WRONG}),
        ("RingCentral", call_logs.ringcentral, {"ringcentral_jwt": WRONG}),
    ]
    for name, served, wrong in signing_in:
        watch.fails(partial(ingest, name, settings.model_copy(update=wrong)))
        assert f"{name} refused the credentials" in watch.said[-3]
        assert served.tokens == 0
    # RingCentral fails at sign-in, and at the page that its token opens.
    reading = (
        ("Aircall", call_logs.aircall, 0),
        ("RingCentral", call_logs.ringcentral, 0),
        ("RingCentral", call_logs.ringcentral, 1),
    )
    for (name, served, passing), fault in product(reading, faults):
        begins = len(served.requests) + passing
        served.faults = dict.fromkeys(range(begins, begins + 30), fault)
        watch.fails(partial(ingest, name))
        served.faults = {}
        watch.keep(**{f"token_{name}_{len(served.requests)}": served.token})
    assert ingest("Aircall").landed == ingest("RingCentral").landed == 1
    watch.keep(access_token=call_logs.ringcentral.token)

    assert call_logs.ringcentral.tokens > 1
    assert any(
        record.name.startswith("urllib3") and "/restapi/oauth/token" in record.getMessage()
        for record in watch.log.records
    )
    assert lake.tables() == sorted(set(CALL_TABLES) - {TWILIO_CALLS.name})
    assert watch.found() == []


def test_when_mail_is_read_and_when_it_is_not(
    settings: PlatformSettings, endpoints: Endpoints, mail: Mail, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.sources.mail.imap.LONGEST_WAIT_SECONDS", 0.01)
    ingest = partial(ingest_mail, lake=Lake(settings.home / "lake"), known_at=endpoints.now, run_id="run")
    by_refresh, by_client = (
        settings.model_copy(update={"mail_accounts": mail.write_accounts(way)})
        for way in ("refresh_token", "client_credentials")
    )

    assert ingest(settings).landed == 1
    for chosen in (settings, by_refresh, by_client):
        assert check_mail_accounts(chosen) == (1, 1)
        assert ingest(chosen).source_count == 0  # signed in, and found nothing new
    tokens = sorted(mail.tokens.live)
    assert len(tokens) == 4

    for chosen, name in ((settings, "sales"), (by_refresh, "refresh"), (by_refresh, "client"), (by_client, "client")):
        for wrong in (WRONG, SecretStr("")):
            changed = chosen.model_copy(update={"mail_secrets": chosen.mail_secrets | {name: wrong}})
            watch.fails(partial(ingest, changed))
            watch.fails(partial(check_mail_accounts, changed))
    give = mail.tokens.give_token

    def give_dead(form: dict[str, str]) -> tuple[int, dict[str, object]]:
        answer = give(form)
        tokens.extend(mail.tokens.live)
        mail.tokens.live.clear()
        return answer

    monkeypatch.setattr(mail.tokens, "give_token", give_dead)
    for chosen in (by_refresh, by_client):
        watch.fails(partial(ingest, chosen))
        watch.fails(partial(check_mail_accounts, chosen))
    for way in ("password", "refresh_token", "client_credentials"):
        watch.fails(partial(ingest, settings.model_copy(update={"mail_accounts": mail.write_accounts(way, port=1)})))

    watch.keep(
        **{f"mail_{token}": token for token in tokens}, **{f"wire_{token}": encode_token(token) for token in tokens}
    )
    assert len({*tokens}) > 10
    assert ingest(settings).source_count == 0
    assert watch.found() == []


def describe_sources(settings: PlatformSettings) -> dict[str, Any]:
    """The settings of every source, by their names in the environment."""
    sources = ("salesforce", "telephony", "aircall", "ringcentral", "home", "mail_accounts")
    described = {
        name: value for name, value in settings.model_dump().items() if value is not None and name.startswith(sources)
    }
    return described | {"mail_secrets__sales": settings.mail_secrets["sales"]}


def materialize(watch: Watch, monkeypatch: pytest.MonkeyPatch, endpoints: Endpoints, described: dict[str, Any]) -> bool:
    """Run the sources' assets with these settings in the environment, and say whether that went well; notes every event."""
    from orchestration.assets.landing import call_tables, mail_tables, salesforce_tables
    from orchestration.resources import Platform

    for name, value in described.items():
        monkeypatch.setenv(
            f"SALESOPS_{name.upper()}", value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        )
    (watch.home / "dagster").mkdir(parents=True)
    with dg.DagsterInstance.local_temp(str(watch.home / "dagster")) as instance:
        tags = {"salesops/as_of": (endpoints.now - timedelta(days=30)).isoformat()}
        result = dg.materialize(
            [salesforce_tables, call_tables, mail_tables],
            resources={"platform": Platform()},
            instance=instance,
            tags=tags,
            raise_on_error=False,
        )
        watch.said += [str(entry.to_json()) for entry in instance.all_logs(result.run_id)]
    return result.success


@pytest.mark.parametrize("is_refused", [False, True], ids=["a run", "a run that is refused"])
def test_in_dagsters_events(
    settings: PlatformSettings,
    endpoints: Endpoints,
    call_logs: CallLogs,
    watch: Watch,
    monkeypatch: pytest.MonkeyPatch,
    is_refused: bool,
) -> None:
    described = describe_sources(settings)
    if is_refused:
        described |= {"salesforce_client_secret": WRONG, "telephony_auth_token": WRONG, "mail_secrets__sales": WRONG}

    assert materialize(watch, monkeypatch, endpoints, described) is not is_refused
    assert ("CLIENT_SECRET" in "".join(watch.said)) == is_refused
    assert ("mail server refused to sign in" in "".join(watch.said)) == is_refused
    assert (Lake(settings.home / "lake").newest_load(MESSAGE_TABLE) is None) == is_refused
    assert len(list((settings.home / "dagster").rglob("*.db"))) > 0
    assert watch.found() == []


@pytest.mark.parametrize("is_refused", [False, True], ids=["a run", "a run that is refused"])
def test_of_a_lake_on_s3(
    settings: PlatformSettings, endpoints: Endpoints, watch: Watch, monkeypatch: pytest.MonkeyPatch, is_refused: bool
) -> None:
    token = "temporary-t0ken-of-a-session"
    watch.keep(lake_secret=SECRET_KEY, lake_token=token)
    described = describe_sources(settings)
    with serve_s3() as options:
        described |= {f"lake_{name.removeprefix('AWS_').lower()}": value for name, value in options.items()}
        described |= {"lake": f"s3://{'no-such-bucket' if is_refused else BUCKET}/lake", "lake_session_token": token}
        assert materialize(watch, monkeypatch, endpoints, described) is not is_refused
        assert (Lake(f"s3://{BUCKET}/lake", options).tables() == []) == is_refused

    assert ("no-such-bucket" in "".join(watch.said)) == is_refused
    assert watch.found() == []
