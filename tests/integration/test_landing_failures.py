"""One call log or one feed that fails: the others land all the same, the step fails, and says what is wrong."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from ingestion.contracts import LakeTable
from ingestion.errors import LoadsFailed, TelephonySignInError
from ingestion.landing import LandingReport
from ingestion.sources.calls.ingest import ingest_call_logs
from ingestion.sources.calls.providers import CALL_TABLES
from ingestion.sources.feeds.register import DROPPED_FILE_TABLE
from ingestion.sources.settings import load_settings
from orchestration.assets.feeds import FEED_TABLES, feed_tables
from orchestration.assets.landing import call_tables
from orchestration.resources import Platform
from storage.errors import StorageError
from storage.lake import Lake
from tests.call_servers import Leg, as_aircall, make_aircall, serve

NOW = datetime(2026, 3, 1, tzinfo=UTC)
START = NOW - timedelta(hours=5)
CALL = [Leg("CA1", None, "inbound", "+14155550100", "+14155550101", START, START + timedelta(minutes=2), 100)]
QUOTAS = "employee_id,period_start,quota_amount,currency\nE1,2026-01-01,1000,USD\n"
PAYMENTS = "payment_id,invoice_id,payment_date,amount,currency\nP1,I1,2026-01-05,100,USD\n"
RAGGED = QUOTAS + "E2,2026-01-01\n"


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setenv("SALESOPS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SALESOPS_DROP_SETTLE_SECONDS", "0.01")
    return Lake(tmp_path / "home" / "lake")


@pytest.fixture
def feeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "feeds" / "incoming").mkdir(parents=True)
    monkeypatch.setenv("SALESOPS_FEEDS_DIR", str(tmp_path / "feeds"))
    return tmp_path / "feeds"


@pytest.fixture
def call_logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Twilio has revoked the token, Aircall answers, RingCentral is not configured."""
    revoked = Starlette(
        routes=[Route("/{path:path}", lambda _: JSONResponse({"code": 20003, "message": "Authenticate"}, 401))]
    )
    with (
        serve(lambda _: revoked) as twilio,
        serve(lambda served: make_aircall(served, [as_aircall(0, CALL)], "id", "token")) as aircall,
    ):
        variables = {"TELEPHONY_URL": twilio.url, "TELEPHONY_ACCOUNT_SID": "AC1", "TELEPHONY_AUTH_TOKEN": "revoked"}
        variables |= {"AIRCALL_URL": aircall.url, "AIRCALL_API_ID": "id", "AIRCALL_API_TOKEN": "token"}
        for name, value in variables.items():
            monkeypatch.setenv(f"SALESOPS_{name}", value)
        yield


@dataclass(frozen=True)
class Step:
    """How a step ended: the tables it reported, what it logged as an error, and the text of the error that ended it."""

    shown: set[str]
    said: list[str]
    ended_by: str


def run(asset: dg.AssetsDefinition) -> Step:
    with dg.DagsterInstance.ephemeral() as instance:
        tags = {"salesops/as_of": NOW.isoformat()}
        result = dg.materialize(
            [asset], resources={"platform": Platform()}, instance=instance, tags=tags, raise_on_error=False
        )
        said = [entry.user_message for entry in instance.all_logs(result.run_id) if entry.level == logging.ERROR]
    shown = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}
    failures = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
    assert result.success is not bool(failures)
    return Step(shown, said, str(failures[0]) if failures else "")


def test_a_call_log_that_refuses_to_sign_in_does_not_keep_the_next_from_landing(lake: Lake, call_logs: None) -> None:
    step = run(call_tables)
    assert lake.count_rows() == {"telephony__aircall_call": 1}
    assert step.shown == set(CALL_TABLES) - {"telephony__call"}
    assert "Twilio" in step.ended_by and "SALESOPS_TELEPHONY_AUTH_TOKEN" in step.ended_by
    assert any("Twilio" in message for message in step.said)


def test_several_call_logs_that_fail_are_one_error_that_names_each(
    lake: Lake, call_logs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SALESOPS_AIRCALL_API_TOKEN", "revoked too")
    outcomes = []
    with pytest.raises(LoadsFailed) as caught:
        for table, outcome in ingest_call_logs(load_settings(), lake, until=NOW, run_id="run"):
            outcomes.append((table, type(outcome)))
    assert outcomes == [("telephony__call", TelephonySignInError), ("telephony__aircall_call", TelephonySignInError)]
    assert "Twilio" in caught.value.what and "Aircall" in caught.value.what


def test_call_logs_that_answer_raise_nothing(lake: Lake, call_logs: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SALESOPS_TELEPHONY_URL")
    ((table, outcome),) = ingest_call_logs(load_settings(), lake, until=NOW, run_id="run")
    assert table == "telephony__aircall_call" and isinstance(outcome, LandingReport) and outcome.landed == 1


def test_a_ragged_feed_keeps_neither_the_others_nor_the_dropped_files_from_landing(lake: Lake, feeds: Path) -> None:
    (feeds / "quotas.csv").write_text(RAGGED)
    (feeds / "payments.csv").write_text(PAYMENTS)
    (feeds / "incoming" / "payments_2.csv").write_text(PAYMENTS.replace("P1", "P2"))
    step = run(feed_tables)
    assert lake.count_rows() == {DROPPED_FILE_TABLE: 1, "feed__payments": 2}
    assert step.shown == {*FEED_TABLES, DROPPED_FILE_TABLE} - {"feed__quotas"}
    assert "Line 3 of quotas.csv has 2 fields" in step.ended_by
    assert any("Line 3 of quotas.csv has 2 fields" in message for message in step.said)

    (feeds / "quotas.csv").write_text(QUOTAS)
    assert run(feed_tables).ended_by == ""
    assert lake.count_rows() == {DROPPED_FILE_TABLE: 1, "feed__payments": 2, "feed__quotas": 1}


def test_what_was_dropped_for_a_feed_is_reported_although_its_file_in_the_folder_is_refused(
    lake: Lake, feeds: Path
) -> None:
    (feeds / "quotas.csv").write_text(RAGGED)
    (feeds / "incoming" / "quotas_2.csv").write_text(QUOTAS)
    step = run(feed_tables)
    assert lake.count_rows() == {DROPPED_FILE_TABLE: 1, "feed__quotas": 1}
    assert step.shown == {*FEED_TABLES, DROPPED_FILE_TABLE}
    assert "Line 3 of quotas.csv has 2 fields" in step.ended_by


def test_several_feeds_that_are_refused_are_one_error_that_names_each(lake: Lake, feeds: Path) -> None:
    (feeds / "quotas.csv").write_text(RAGGED)
    (feeds / "payments.csv").write_text("x\n")
    step = run(feed_tables)
    assert "2 tables were not loaded; the others were." in step.ended_by
    assert "quotas.csv" in step.ended_by and "payments.csv" in step.ended_by


def test_a_missing_feeds_folder_is_reported_once_and_the_dropped_files_are_taken(
    lake: Lake, feeds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SALESOPS_DROP_DIR", str(feeds / "incoming"))
    monkeypatch.setenv("SALESOPS_FEEDS_DIR", str(tmp_path / "nowhere"))
    (feeds / "incoming" / "quotas_2.csv").write_text(QUOTAS)
    step = run(feed_tables)
    assert lake.count_rows() == {DROPPED_FILE_TABLE: 1, "feed__quotas": 1}
    assert (
        step.ended_by.count("The feeds folder does not exist.") == 1 and "tables were not loaded" not in step.ended_by
    )
    assert sum("The feeds folder does not exist." in message for message in step.said) == 1


def test_a_missing_drop_folder_is_reported_and_the_feeds_folder_lands(
    lake: Lake, feeds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SALESOPS_DROP_DIR", str(feeds / "nowhere"))
    (feeds / "payments.csv").write_text(PAYMENTS)
    step = run(feed_tables)
    assert lake.count_rows() == {"feed__payments": 1}
    assert step.shown == set(FEED_TABLES)
    assert "The drop folder does not exist." in step.ended_by


def test_a_lake_that_cannot_be_written_ends_the_step_at_once(
    lake: Lake, feeds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def fail(_: Lake, table: LakeTable, *__: object, **___: object) -> None:
        tried.append(table.name)
        raise StorageError("The disk is full.")

    monkeypatch.setattr("ingestion.sources.feeds.ingest.land", fail)
    (feeds / "quotas.csv").write_text(QUOTAS)
    (feeds / "payments.csv").write_text(PAYMENTS)
    assert "The disk is full." in run(feed_tables).ended_by
    assert tried == ["feed__quotas"]
