"""The step `salesforce` in Dagster: what it says of a load, and that one object that is refused does not keep the others from landing."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import dagster as dg
import pytest

from ingestion.errors import LoadsFailed
from ingestion.settings import load_settings_into_lake
from orchestration.assets.loads import CONTRACT
from orchestration.assets.salesforce import salesforce_tables
from orchestration.embedded import find_cause
from orchestration.resources import Platform
from simulation.company import create_company
from storage.lake import Lake
from storage.settings import PROJECT_ROOT


def test_an_unknown_stage_refuses_its_object_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, config = tmp_path / "home", tmp_path / "config"
    monkeypatch.setenv("SALESOPS_HOME", str(home))
    monkeypatch.setenv("SALESOPS_SIMULATION_SIZE", "tiny")
    shutil.copytree(PROJECT_ROOT / "config", config)
    stages = (config / "stages.yml").read_text()
    renamed = re.sub(r"\bNegotiation\b", "Haggling", stages)
    assert renamed != stages
    (config / "stages.yml").write_text(renamed)
    company = create_company(home / "simulation", "tiny", 7)
    lake = Lake(home / "lake")
    load_settings_into_lake(lake, config, known_at=company.now, run_id="settings")

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [salesforce_tables, dg.AssetSpec("settings__stage")], resources={"platform": Platform()}, instance=instance, raise_on_error=False
        )
        checks = {check.asset_key.to_user_string(): check for check in result.get_asset_check_evaluations() if check.check_name == CONTRACT}

    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    error = failure.step_failure_data.error
    assert error is not None and "Negotiation" in str(error)
    refused = {table for table, check in checks.items() if check.severity is dg.AssetCheckSeverity.ERROR}
    assert refused == {"salesforce__opportunity", "salesforce__opportunity_history"}
    shown = checks["salesforce__opportunity"].metadata["broken"].value
    assert "stage_name_is_known" in str(shown) and "`Negotiation`" in str(shown)
    landed = lake.count_rows()
    assert landed["salesforce__lead"] > 0 and landed["salesforce__task"] > 0  # one was read before the refused object, one after it
    assert not refused & set(landed)


def test_several_refused_tables_are_one_error_that_names_each() -> None:
    from ingestion.errors import CountMismatch, SalesforceRefused

    errors = [CountMismatch("Lead came short.", where="Lead", fix="Run again."), SalesforceRefused("No Task.", where="Task", fix="Run again.")]
    error = find_cause(LoadsFailed(errors))
    assert "2 tables were not loaded; the others were. Lead came short. No Task." in error.what
    assert (error.where, error.fix) == ("Lead; Task", "Run again.")
