"""Calls of every provider and export, through ingestion, lake and dbt: a call counts once, with the same talk time from every provider."""

from __future__ import annotations

import csv
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from ingestion.landing import LandingReport
from ingestion.settings import load_settings_into_lake
from ingestion.sources.calls.providers import PROVIDERS
from ingestion.sources.files.ingest import ingest_files
from ingestion.sources.files.mapping import load_mapping
from ingestion.sources.settings import load_settings
from simulation.company import Company, create_company
from simulation.servers import start_servers
from storage.home import Home
from storage.lake import Lake
from storage.settings import PROJECT_ROOT
from tests.call_servers import Leg, as_aircall, as_ringcentral, make_aircall, make_ringcentral, read_calls, serve
from tests.dbt_sample import Warehouse, record_run
from tests.reference.kpi_oracle import count_talk_seconds


def build(parsed_dbt: Path, folder: Path, home: Home, as_of: datetime, *models: str) -> Warehouse:
    record_run(home, as_of)
    warehouse = Warehouse(home, folder / "target", parsed_dbt)
    done = warehouse.dbt("build", "--quiet", "--select", *models, "--exclude", "resource_type:test")
    assert done.returncode == 0, done.stdout + done.stderr
    return warehouse


def ingest_export(home: Home, name: str, export: Path, day: int) -> dict[str, LandingReport]:
    known_at = datetime(2026, 1, day, tzinfo=UTC)
    home.prepare()
    mapping = load_mapping(PROJECT_ROOT / "config" / "mappings" / f"{name}.yml")
    load_settings_into_lake(Lake(home.lake), PROJECT_ROOT / "config", known_at=known_at, run_id="run", mapping=mapping)
    reports = ingest_files(Lake(home.lake), mapping, export, known_at=known_at, run_id="run")
    return {report.table: report for report in reports}


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return create_company(tmp_path_factory.mktemp("company"), "tiny", 7)


@pytest.fixture(scope="module")
def calls(company: Company) -> list[list[Leg]]:
    return read_calls(company.folder / "telephony" / "call.parquet", company.now)


@pytest.fixture(scope="module")
def three_providers(
    company: Company, calls: list[list[Leg]], tmp_path_factory: pytest.TempPathFactory, parsed_dbt: Path
) -> Warehouse:
    """The company's calls as Twilio, Aircall and RingCentral tell them, all three configured in one home."""
    folder = tmp_path_factory.mktemp("thrice")
    home = Home(folder / "home")
    home.prepare()
    load_settings_into_lake(Lake(home.lake), PROJECT_ROOT / "config", known_at=company.now, run_id="run")
    served_calls = [as_aircall(number, legs) for number, legs in enumerate(calls)]
    records = [record for number, legs in enumerate(calls) for record in as_ringcentral(number, legs)]
    with (
        start_servers(company.folder.parent) as twilio,
        serve(lambda served: make_aircall(served, served_calls, "id", "token")) as aircall,
        serve(
            lambda served: make_ringcentral(served, records, ("client", "secret"), "jwt", tells_total=True)
        ) as ringcentral,
    ):
        settings = load_settings(
            _env_file=None,
            telephony_url=twilio.telephony_url,
            telephony_account_sid=twilio.telephony_account_sid,
            telephony_auth_token=SecretStr(twilio.telephony_auth_token),
            telephony_ca_file=twilio.ca_file,
            aircall_url=aircall.url,
            aircall_api_id="id",
            aircall_api_token="token",
            ringcentral_url=ringcentral.url,
            ringcentral_client_id="client",
            ringcentral_client_secret="secret",
            ringcentral_jwt="jwt",
        )
        for provider in PROVIDERS:
            assert provider.is_configured(settings)
            assert provider.ingest(settings, Lake(home.lake), until=company.now, run_id="run").set_aside == 0
    return build(parsed_dbt, folder, home, company.now, "+int_calls")


@pytest.mark.parametrize("provider", ["twilio", "aircall", "ringcentral"])
def test_each_provider_tells_the_same_calls(three_providers: Warehouse, calls: list[list[Leg]], provider: str) -> None:
    """Direction, both numbers, talk time and whether it was answered, against every second counted by hand."""
    expected: Counter[tuple[Any, ...]] = Counter()
    for legs in calls:
        spoken = [(leg.end - timedelta(seconds=leg.talk), leg.end) for leg in legs if leg.talk]
        sides = [re.sub(r"\D", "", number) for number in (legs[0].caller, legs[0].called)]
        talk = count_talk_seconds(spoken)
        # Only Twilio says whether a machine took a call out: in the simulation, whatever was over in less than 25 seconds.
        is_machine = provider == "twilio" and not legs[0].is_inbound and legs[0].talk < 25
        direction = "inbound" if legs[0].is_inbound else "outbound"
        expected[(direction, *sides, talk, talk > 0 and not is_machine)] += 1
    hidden = "266696687"
    found: Counter[tuple[Any, ...]] = Counter()
    sql = "select call_direction, from_digits, to_digits, talk_seconds, is_connected from conformed.int_calls"
    for direction, caller, called, *rest in three_providers.rows(f"{sql} where provider = '{provider}'"):
        # Aircall says 'anonymous' where Twilio writes a number for it.
        found[(direction, *(hidden if side is None else side for side in (caller, called)), *rest)] += 1

    assert found == expected
    assert any(len(legs) > 1 for legs in calls)


def test_ringing_is_no_talk(three_providers: Warehouse) -> None:
    sql = "select distinct ring_seconds from conformed.int_calls where provider = 'aircall' and is_connected"
    assert three_providers.rows(sql) == [(9,)]


# How the exports' calls are told apart by their ids.
EXPORTS = {"technion_calls": "files:AA%", "asterisk_cdr": "files:169%", "freeswitch_cdr": "files:%-%-%"}


@pytest.fixture(scope="module")
def exports(reference_data: Path, tmp_path_factory: pytest.TempPathFactory, parsed_dbt: Path) -> Warehouse:
    """The three exports in one lake."""
    folder = tmp_path_factory.mktemp("exports")
    home = Home(folder / "home")
    landed = {}
    for day, name in enumerate(EXPORTS, start=1):
        source = reference_data / ("call_center_1999" if name == "technion_calls" else "telephony_samples")
        report = ingest_export(home, name, source, day)["files__call"]
        landed[name] = (report.landed, report.set_aside, report.unchanged)
    # FreeSWITCH wrote one of its ten records twice, word for word.
    assert landed == {"technion_calls": (33_344, 0, 0), "asterisk_cdr": (14, 0, 0), "freeswitch_cdr": (9, 0, 1)}
    return build(parsed_dbt, folder, home, datetime(2026, 1, 9, tzinfo=UTC), "+int_activities")


def ask_calls(exports: Warehouse, name: str, select: str) -> list[tuple[object, ...]]:
    return exports.rows(f"select {select} from conformed.int_calls where call_id like '{EXPORTS[name]}'")


def test_the_technion_log_has_33344_calls_of_which_an_agent_answered_27162(exports: Warehouse) -> None:
    staged = (
        "select count(*), count(distinct call_leg_id), count(*) filter (is_answered) from staging.stg_telephony__calls"
    )
    assert exports.rows(f"{staged} where call_leg_id like '{EXPORTS['technion_calls']}'") == [(33_344, 33_344, 27_162)]
    assert ask_calls(exports, "technion_calls", "count(*), count(*) filter (is_connected)") == [(33_344, 27_162)]


def test_the_technion_talk_time_is_that_of_the_agents(exports: Warehouse, reference_data: Path) -> None:
    with (reference_data / "call_center_1999" / "february_1999.txt").open(encoding="ascii", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert ask_calls(exports, "technion_calls", "sum(talk_seconds)") == [
        (sum(int(row["ser_time"]) for row in rows if row["outcome"] == "AGENT"),)
    ]
    served = Counter(row["server"] for row in rows if row["server"] != "NO_SERVER")
    found = exports.rows(
        "select rep_id, count(*) from conformed.int_activities where rep_id is not null group by rep_id"
    )
    assert dict(found) == served


def test_a_call_answered_past_midnight_is_answered_the_next_day(exports: Warehouse) -> None:
    ((longest, shortest),) = ask_calls(exports, "technion_calls", "max(ring_seconds), min(ring_seconds)")
    assert (shortest, longest < 3600) == (0, True)
    # 23:59:54 in Jerusalem, answered at 0:00:26 of the log's same day, in UTC.
    crossing = "answered_at::varchar from conformed.int_calls where started_at = timestamp '1999-02-15 21:59:54'"
    assert exports.rows(f"select {crossing}") == [("1999-02-15 22:00:26",)]


@pytest.mark.parametrize(
    ("name", "legs", "calls", "connected", "talk"),
    [
        # Each record is of a channel of its own; three were not answered.
        ("asterisk_cdr", 14, 14, 11, 13 + 13 + 18 + 8 + 8 + 7 + 3 + 2 + 2 + 2 + 2),
        # Two records are of one call, which talked 20 s once.
        ("freeswitch_cdr", 9, 8, 7, 9 + 61 + 21 + 327 + 20 + 32 + 20),
    ],
)
def test_call_detail_records_of_an_exchange(
    exports: Warehouse, name: str, legs: int, calls: int, connected: int, talk: int
) -> None:
    staged = f"from staging.stg_telephony__calls where call_leg_id like '{EXPORTS[name]}'"
    assert exports.rows(f"select count(*) {staged}") == [(legs,)]
    assert ask_calls(exports, name, "count(*), count(*) filter (is_connected), sum(talk_seconds)") == [
        (calls, connected, talk)
    ]
    # Extensions stay as they came, and are marked.
    assert exports.rows(f"select count(*) {staged} and unread_numbers = 'from,to' and from_phone not like '+%'") == [
        (legs,)
    ]


def test_a_longer_file_lands_only_what_is_new(reference_data: Path, tmp_path: Path) -> None:
    export, home = tmp_path / "export", Home(tmp_path / "home")
    export.mkdir()
    records = (reference_data / "telephony_samples" / "freeswitch_Master.csv").read_text(encoding="utf-8")
    (export / "freeswitch_Master.csv").write_text(records, encoding="utf-8")
    ingest_export(home, "freeswitch_cdr", export, 1)
    new = "Sales,+1 415-555-0123,1004,public,2020/2/12 10:00,2020/2/12 10:00,2020/2/12 10:01,60,55,NORMAL_CLEARING,a-new-one,,,PCMU,PCMU\n"
    (export / "freeswitch_Master.csv").write_text(records + new, encoding="utf-8")
    report = ingest_export(home, "freeswitch_cdr", export, 2)["files__call"]

    assert (report.landed, report.unchanged) == (1, 10)
    newest = Lake(home.lake).query(
        "files__call", "select from_number, extra_caller_id_number, direction from lake where call_id = 'a-new-one'"
    )
    assert newest is not None
    assert newest.to_pylist() == [
        {"from_number": "+14155550123", "extra_caller_id_number": "+1 415-555-0123", "direction": "inbound"}
    ]
