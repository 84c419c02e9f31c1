"""Every source of the simulated company over the wire: the lake ends up equal to the source, once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from pydantic import SecretStr

from ingestion.errors import SalesforceSignInError, SalesforceUnreachable, TelephonySignInError, TelephonyUnreachable
from ingestion.landing import LandingReport
from ingestion.sources.calls.tables import TWILIO_CALLS
from ingestion.sources.calls.twilio import ingest_calls
from ingestion.sources.feeds.catalogue import FEEDS
from ingestion.sources.feeds.ingest import ingest_feed
from ingestion.sources.mail.ingest import ingest_maildir
from ingestion.sources.mail.tables import MESSAGE_TABLE
from ingestion.sources.salesforce import query as query_module
from ingestion.sources.salesforce import result_pages
from ingestion.sources.salesforce.client import connect, connect_salesforce
from ingestion.sources.salesforce.extract import ingest_object
from ingestion.sources.salesforce.objects import OBJECTS, find_object
from ingestion.sources.salesforce.session import JwtBearer
from ingestion.sources.settings import PlatformSettings, load_settings
from simulation.company import create_company
from simulation.delivery import deliver
from simulation.servers import Endpoints
from storage.lake import Lake
from tests.servers_sample import set_clock
from tests.support.fault_servers import ServerControl, start_fault_servers

STAGES = ["Prospecting", "Qualification", "Discovery", "Proposal", "Negotiation", "Closed Won", "Closed Lost"]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulation")
    created = create_company(folder, "tiny", 7)
    deliver(folder, created.now)
    return folder


@pytest.fixture(scope="module")
def served(company: Path) -> Iterator[Endpoints]:
    with start_fault_servers(company) as endpoints:
        yield endpoints


@pytest.fixture(scope="module")
def settings(served: Endpoints) -> PlatformSettings:
    return load_settings(
        _env_file=None,
        salesforce_login_url=served.salesforce_login_url,
        salesforce_client_id=served.salesforce_client_id,
        salesforce_client_secret=served.salesforce_client_secret,
        salesforce_ca_file=served.ca_file,
        telephony_url=served.telephony_url,
        telephony_account_sid=served.telephony_account_sid,
        telephony_auth_token=served.telephony_auth_token,
        telephony_ca_file=served.ca_file,
        maildir=served.maildir,
    )


def ingest_everything(settings: PlatformSettings, lake: Lake, until: datetime) -> dict[str, LandingReport]:
    client = connect_salesforce(settings)
    allowed = {"stages": STAGES}
    reports = [ingest_object(client, lake, each, until=until, run_id="run", allowed_values=allowed) for each in OBJECTS]
    reports.append(ingest_calls(settings, lake, until=until, run_id="run"))
    assert settings.maildir
    reports.append(ingest_maildir(settings.maildir, lake, known_at=until, run_id="run"))
    return {report.table: report for report in reports}


@pytest.fixture(scope="module")
def first(
    settings: PlatformSettings, served: Endpoints, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Lake, dict[str, LandingReport]]:
    lake = Lake(tmp_path_factory.mktemp("home") / "lake")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(query_module, "BULK_FROM_ROWS", 200)  # both APIs must be used by so small a company
        patch.setattr(result_pages, "PAGE_ROWS", 150)
        return lake, ingest_everything(settings, lake, served.now)


def assert_equal_to_source(lake: Lake, company: Path, until: datetime) -> None:
    """The newest version of every record in the lake, cast back, is the newest one visible in the company's own files."""
    for name in sorted(path.stem for path in (company / "company" / "salesforce").glob("*.parquet")):
        source = company / "company" / "salesforce" / f"{name}.parquet"
        stamp = find_object(name).stamp
        columns = duckdb.connect().sql(f"describe select * exclude (_visible_from) from '{source}'").fetchall()
        casts = ", ".join(f'"{column}"::{kind} as "{column}"' for column, kind, *_ in columns)
        newest = f'qualify row_number() over (partition by "Id" order by "{stamp}" desc, _load_id desc) = 1'
        held = lake.query(find_object(name).table, f"select {casts} from lake where _broken_rules is null {newest}")
        visible = f"""
            select * exclude (_visible_from) from read_parquet($source) where _visible_from <= $until
            qualify row_number() over (partition by "Id" order by "{stamp}" desc, _visible_from desc) = 1
        """
        parameters = {"source": str(source), "until": until.replace(tzinfo=None)}
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            ((count,),) = connection.execute(f"select count(*) from ({visible})", parameters).fetchall()
            if held is None:
                assert count == 0, name
                continue
            connection.register("held", held)
            only_there = connection.execute(f"({visible}) except all from held", parameters).fetchall()
            only_here = connection.execute(f"from held except all ({visible})", parameters).fetchall()
        assert (only_there[:2], only_here[:2], held.num_rows) == ([], [], count), name


def assert_calls_equal_to_source(lake: Lake, company: Path, until: datetime) -> None:
    source = str(company / "company" / "telephony" / "call.parquet")
    newest = "qualify row_number() over (partition by sid order by _visible_from desc) = 1 order by sid"
    visible = (
        duckdb.connect()
        .execute(
            f"select sid, status, duration::varchar from read_parquet(?) where _visible_from <= ? {newest}",
            [source, until.replace(tzinfo=None)],
        )
        .fetchall()
    )
    held = lake.query(
        TWILIO_CALLS.name,
        "select sid, status, duration from lake qualify _load_id = max(_load_id) over (partition by sid) order by sid",
    )
    assert held is not None
    assert [tuple(row.values()) for row in held.to_pylist()] == visible


def test_the_lake_equals_the_source(
    first: tuple[Lake, dict[str, LandingReport]], company: Path, served: Endpoints
) -> None:
    lake, reports = first
    assert_equal_to_source(lake, company, served.now)
    assert {table for table, report in reports.items() if table.startswith("salesforce") and report.set_aside} == set()
    used = {
        load.details["api"]
        for table in lake.tables()
        if table.startswith("salesforce")
        if (load := lake.newest_load(table))
    }
    assert used == {"rest", "bulk"}


def test_every_call_and_message_has_landed_or_is_set_aside(
    first: tuple[Lake, dict[str, LandingReport]], company: Path, served: Endpoints
) -> None:
    _, reports = first
    until = served.now.replace(tzinfo=None)
    for relative, key, table in (
        ("telephony/call", "sid", TWILIO_CALLS.name),
        ("mail/message", "mailbox || maildir_key", MESSAGE_TABLE),
    ):
        source = str(company / "company" / f"{relative}.parquet")
        (visible,) = (
            duckdb.connect()
            .execute(f"select count(distinct {key}) from read_parquet(?) where _visible_from <= ?", [source, until])
            .fetchall()[0]
        )
        assert reports[table].source_count == visible
    assert reports[TWILIO_CALLS.name].set_aside == 0


def test_every_row_of_a_feed_keeps_its_contract(company: Path, served: Endpoints, tmp_path: Path) -> None:
    reports = [
        ingest_feed(Lake(tmp_path / "lake"), feed, company / "feeds", known_at=served.now, run_id="run")
        for feed in FEEDS
    ]
    assert {report.table for report in reports if report.set_aside or report.unchanged} == set()
    assert {report.table for report in reports if report.landed} == {
        feed.table for feed in FEEDS if feed.name != "exchange_rates"
    }


def test_a_second_tick_lands_nothing(
    first: tuple[Lake, dict[str, LandingReport]], settings: PlatformSettings, served: Endpoints
) -> None:
    lake, _ = first
    before = lake.snapshot().fingerprint
    client = connect_salesforce(settings)
    for each in OBJECTS:
        report = ingest_object(client, lake, each, until=served.now, run_id="second")
        assert (report.landed, report.set_aside, report.version) == (0, 0, None), each.name
    assert client.session.request_count <= 2 + 3 * len(OBJECTS)
    assert ingest_calls(settings, lake, until=served.now, run_id="second").version is None
    assert lake.snapshot().fingerprint == before


def test_after_some_days_the_lake_equals_the_source_again(
    first: tuple[Lake, dict[str, LandingReport]], settings: PlatformSettings, company: Path, served: Endpoints
) -> None:
    lake, _ = first
    for days in (1, 8):
        until = served.now + timedelta(days=days)
        set_clock(company, until)
        deliver(company, until)
        reports = ingest_everything(settings, lake, until)
        assert_equal_to_source(lake, company, until)
        assert 0 < reports["salesforce__lead"].landed < 100
        assert_calls_equal_to_source(lake, company, until)
    assert reports[TWILIO_CALLS.name].landed > 0


def test_the_jwt_flow_signs_in_too(served: Endpoints) -> None:
    grant = JwtBearer(
        served.salesforce_client_id,
        served.salesforce_username,
        served.salesforce_private_key_file,
        served.salesforce_login_url,
    )
    assert "Lead" in connect(served.salesforce_login_url, grant, ca_file=served.ca_file).object_names


def test_a_session_that_ends_in_the_middle_is_renewed(
    settings: PlatformSettings, served: Endpoints, tmp_path: Path
) -> None:
    client = connect_salesforce(settings)
    assert client.object_names
    ServerControl(served.salesforce_login_url, served.ca_file).expire_sessions()
    assert (
        ingest_object(client, Lake(tmp_path / "lake"), find_object("Lead"), until=served.now, run_id="run").landed > 0
    )


def test_a_busy_server_is_asked_again(settings: PlatformSettings, served: Endpoints, tmp_path: Path) -> None:
    client = connect_salesforce(settings)
    control = ServerControl(served.salesforce_login_url, served.ca_file)
    control.fault(
        "status", path="/services/data", status=503, times=2, body="<html>busy</html>", headers={"Retry-After": "0"}
    )
    assert (
        ingest_object(client, Lake(tmp_path / "lake"), find_object("User"), until=served.now, run_id="run").landed > 0
    )
    assert [fault["met"] for fault in control.faults()] == [2]


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        ({"salesforce_client_secret": SecretStr("wrong")}, SalesforceSignInError, "CLIENT_SECRET"),
        ({"salesforce_client_id": "wrong"}, SalesforceSignInError, "CLIENT_ID"),
        ({"salesforce_client_secret": None}, SalesforceSignInError, "no credential"),
        ({"salesforce_ca_file": None}, SalesforceUnreachable, "certificate is not trusted"),
    ],
    ids=["secret", "client id", "no secret", "CA"],
)
def test_a_wrong_salesforce_setting_is_reported(
    settings: PlatformSettings, change: dict[str, object], kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind) as caught:
        connect_salesforce(settings.model_copy(update=change))
    assert said in str(caught.value)
    assert "wrong" not in str(caught.value)


def test_a_wrong_telephony_token_is_reported(settings: PlatformSettings, served: Endpoints, tmp_path: Path) -> None:
    wrong = settings.model_copy(update={"telephony_auth_token": SecretStr("wrong")})
    with pytest.raises(TelephonySignInError, match="refused"):
        ingest_calls(wrong, Lake(tmp_path / "lake"), until=served.now, run_id="run")


def test_servers_that_are_not_there_are_reported(
    settings: PlatformSettings, served: Endpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.sources.http_session.FIRST_CONTACT_SECONDS", 0.1)
    nowhere = settings.model_copy(
        update={"salesforce_login_url": "https://127.0.0.1:9", "telephony_url": "https://127.0.0.1:9"}
    )
    with pytest.raises(SalesforceUnreachable, match="refused or broken"):
        connect_salesforce(nowhere)
    with pytest.raises(TelephonyUnreachable, match="refused or broken"):
        ingest_calls(nowhere, Lake(tmp_path / "lake"), until=served.now, run_id="run")
