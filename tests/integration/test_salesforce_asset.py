"""Salesforce in Dagster, as the step of a run and as a backfill: what is said of a load, and that one object that is refused does not keep the others
from landing."""

from __future__ import annotations

import logging
import re
import shutil
from pathlib import Path

import dagster as dg
import pytest

from ingestion.errors import LoadsFailed
from ingestion.landing import LandingReport, Vanished
from ingestion.settings import load_settings_into_lake
from ingestion.sources.salesforce.objects import find_object
from orchestration.assets.loads import CONTRACT, report_load
from orchestration.assets.salesforce import SALESFORCE_TABLES, salesforce_backfill, salesforce_tables
from orchestration.causes import find_cause
from orchestration.notices import read_notices
from orchestration.resources import Platform
from simulation.company import create_company
from storage.home import Home
from storage.lake import Lake
from storage.settings import PROJECT_ROOT


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """The lake of a tiny simulated company before its CRM is read; the stage map does not know a stage that the CRM uses."""
    home, config = tmp_path / "home", tmp_path / "config"
    monkeypatch.setenv("SALESOPS_HOME", str(home))
    monkeypatch.setenv("SALESOPS_SIMULATE", "true")
    monkeypatch.setenv("SALESOPS_SIMULATION_SIZE", "tiny")
    shutil.copytree(PROJECT_ROOT / "config", config)
    stages = (config / "stages.yml").read_text()
    renamed = re.sub(r"\bNegotiation\b", "Haggling", stages)
    assert renamed != stages
    (config / "stages.yml").write_text(renamed)
    company = create_company(home / "simulation", "tiny", 7)
    lake = Lake(home / "lake")
    load_settings_into_lake(lake, config, known_at=company.now, run_id="settings")
    return lake


def test_an_unknown_stage_lands_and_is_named_at_the_end_of_the_run(lake: Lake) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [salesforce_tables, dg.AssetSpec("settings__stage")],
            resources={"platform": Platform()},
            instance=instance,
        )
        notices = read_notices(instance, result.run_id)
    assert result.success
    landed = lake.count_rows()
    assert landed["salesforce__opportunity"] > 0
    warnings = {notice.table: notice.text for notice in notices if "Negotiation" in notice.text}
    assert set(warnings) == {
        "salesforce__opportunity",
        "salesforce__opportunity_history",
        "salesforce__opportunity_stage",
    }
    assert all("config/stages.yml" in text and "- {name: …" in text for text in warnings.values())


@pytest.fixture
def strict_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two objects whose loads are refused: an unknown stage is fatal to them, as a column that is gone would be."""
    for name in ("Opportunity", "OpportunityHistory"):
        known = find_object(name)
        rules = tuple(rule.fatal() if rule.allowed_list == "stages" else rule for rule in known.rules)
        monkeypatch.setitem(vars(known), "rules", rules)


@pytest.mark.usefixtures("strict_stages")
def test_a_refused_object_keeps_no_other_from_landing(lake: Lake) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [salesforce_tables, dg.AssetSpec("settings__stage")],
            resources={"platform": Platform()},
            instance=instance,
            raise_on_error=False,
        )
        said = [entry.user_message for entry in instance.all_logs(result.run_id) if entry.level == logging.ERROR]
        checks = {
            check.asset_key.to_user_string(): check
            for check in result.get_asset_check_evaluations()
            if check.check_name == CONTRACT
        }

    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    error = failure.step_failure_data.error
    assert error is not None and "Negotiation" in str(error)
    refused = {table for table, check in checks.items() if check.severity is dg.AssetCheckSeverity.ERROR}
    assert refused == {"salesforce__opportunity", "salesforce__opportunity_history"}
    assert all(any(f"lake table {table}" in message for message in said) for table in refused)
    shown = checks["salesforce__opportunity"].metadata["broken"].value
    assert "stage_name_is_known" in str(shown) and "`Negotiation`" in str(shown)
    landed = lake.count_rows()
    assert (
        landed["salesforce__lead"] > 0 and landed["salesforce__task"] > 0
    )  # one was read before the refused object, one after it
    assert not refused & set(landed)


@pytest.mark.usefixtures("strict_stages")
def test_a_backfill_goes_on_with_the_others_and_says_at_the_end_which_were_refused(lake: Lake) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = salesforce_backfill.execute_in_process(
            partition_key="2025-06-01", resources={"platform": Platform()}, instance=instance, raise_on_error=False
        )
        said = [entry.user_message for entry in instance.all_logs(result.run_id) if entry.level == logging.ERROR]

    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    error = failure.step_failure_data.error
    assert error is not None and error.cause is not None
    shown = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}
    refused = set(SALESFORCE_TABLES) - shown
    assert (
        "salesforce__opportunity_history" in refused <= {"salesforce__opportunity", "salesforce__opportunity_history"}
    )
    assert all(f"lake table {table}" in error.cause.message for table in refused)
    assert len([message for message in said if "Negotiation" in message]) >= len(refused)
    landed = lake.count_rows()
    assert (
        landed["salesforce__lead"] > 0 and landed["salesforce__task"] > 0
    )  # one was read before the refused object, one after it
    assert not refused & set(landed)


def test_a_backfill_without_salesforce_reads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALESOPS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SALESOPS_MAILDIR", str(tmp_path))
    result = salesforce_backfill.execute_in_process(partition_key="2025-06-01", resources={"platform": Platform()})
    assert result.success
    assert result.get_asset_materialization_events() == []


def test_a_load_shows_how_many_records_it_marked_deleted() -> None:
    for vanished, marked in ((Vanished(3), 3), (Vanished(300, 400, is_believed=False), 0)):
        shown = report_load(LandingReport("salesforce__lead", vanished=vanished)).metadata
        assert shown is not None
        assert shown["marked_deleted"] == marked


def test_several_refused_tables_are_one_error_that_names_each(tmp_path: Path) -> None:
    from ingestion.errors import CountMismatch, SalesforceRefused

    errors = [
        CountMismatch("Lead came short.", where="Lead", fix="Run again."),
        SalesforceRefused("No Task.", where="Task", fix="Run again."),
    ]
    error = find_cause(LoadsFailed(errors), Home(tmp_path))
    assert "2 tables were not loaded; the others were. Lead came short. No Task." in error.what
    assert (error.where, error.fix) == ("Lead; Task", "Run again.")
