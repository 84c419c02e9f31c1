"""Settings in the lake: whole, typed, and only when they changed."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ingestion.settings import load_settings_into_lake, read_allowed_values, read_stage_names
from ingestion.settings.load import SETTINGS_TABLES
from storage.lake import Lake
from storage.operator_files import OperatorFileError
from storage.settings import PROJECT_ROOT


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    folder.mkdir()
    for name in ("org.yml", "stages.yml", "lead_statuses.yml", "holidays.yml", "fields.yml"):
        shutil.copy(PROJECT_ROOT / "config" / name, folder / name)
    (folder / "roles.yml").write_text("roles:\n  - {name: Account Executive, role: outside_rep}\n", encoding="utf-8")
    return folder


def load(lake: Lake, config: Path, day: int) -> list[int]:
    reports = load_settings_into_lake(lake, config, known_at=datetime(2026, 1, day, tzinfo=UTC), run_id=f"run-{day}")
    return [report.landed for report in reports]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_settings_land_typed_and_with_one_hash(lake: Lake, config: Path) -> None:
    load(lake, config, 1)
    org = lake.query("settings__org", "select * from lake")
    assert org is not None
    (row,) = org.to_pylist()
    assert row["effective_from"] == date(2016, 1, 1)
    assert (row["minutes_per_email"], row["fiscal_year_start_month"], row["workdays"]) == (
        Decimal("4.00"),
        2,
        "mon,tue,wed,thu,fri",
    )
    assert row["_known_from"] == datetime(2026, 1, 1)  # noqa: DTZ001 - the lake's instants are UTC without zone
    for table in SETTINGS_TABLES:
        hashes = lake.query(table, "select distinct settings_hash from lake")
        assert hashes is not None
        assert hashes.to_pylist() == [{"settings_hash": row["settings_hash"]}]


def test_the_same_settings_do_not_land_again(lake: Lake, config: Path) -> None:
    assert all(load(lake, config, 1))
    assert load(lake, config, 2) == [0] * len(SETTINGS_TABLES)


def test_a_folder_of_before_fields_and_roles_maps_nothing(lake: Lake, config: Path) -> None:
    for name in ("fields.yml", "roles.yml"):
        (config / name).unlink()
    assert dict(zip(SETTINGS_TABLES, load(lake, config, 1), strict=True))["settings__field"] == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{object: Lead, field: Web__c, name: web_visits, type: text}", "is of the type integer, not text"),
        ("{object: Event, field: Room__c, name: room}", "is read by nothing"),
        ("{object: Lead, field: Region__c, name: field_region}", "leave the prefix out"),
        ("{object: Lead, field: A__c, name: web_visits}", "mapped twice"),
        ("{object: Case, field: A__c, name: a}", "object"),
    ],
)
def test_a_mistake_in_a_mapping_of_fields_is_named(lake: Lake, config: Path, line: str, said: str) -> None:
    edit(config / "fields.yml", "fields:\n", f"fields:\n  - {line}\n")
    with pytest.raises(OperatorFileError, match=said):
        load(lake, config, 1)
    assert lake.tables() == []


def test_a_change_lands_whole_and_going_back_lands_again(lake: Lake, config: Path) -> None:
    first = load(lake, config, 1)
    edit(config / "stages.yml", "  - {name: Qualification,", "  - {name: Assessment,")
    assert load(lake, config, 2) == first
    assert "Assessment" in read_stage_names(lake)
    assert "Qualification" not in read_stage_names(lake)
    edit(config / "stages.yml", "  - {name: Assessment,", "  - {name: Qualification,")
    assert load(lake, config, 3) == first
    assert "Qualification" in read_stage_names(lake)
    assert len(list(lake.loads("settings__stage"))) == 3


def test_a_list_that_becomes_empty_is_empty_from_then_on(lake: Lake, config: Path) -> None:
    load(lake, config, 1)
    edit(config / "org.yml", "email_domains:\n  - northlight.example", "email_domains: []")
    load(lake, config, 2)
    newest = lake.newest_load("settings__email_domain")
    assert newest is not None
    assert newest.source_count == 0


def test_a_wrong_file_lands_nothing(lake: Lake, config: Path) -> None:
    load(lake, config, 1)
    before = lake.snapshot()
    edit(config / "org.yml", "fiscal_year_start_month: 2", "fiscal_year_start_month: 0")
    with pytest.raises(OperatorFileError):
        load(lake, config, 2)
    assert lake.snapshot() == before


def test_what_contracts_are_filled_from(lake: Lake, config: Path) -> None:
    assert read_allowed_values(lake) == {"stages": [], "lead_statuses": []}
    load(lake, config, 1)
    allowed = read_allowed_values(lake)
    assert {"Prospecting", "Closed Lost", "Negotiation/Review"} <= set(allowed["stages"])
    assert {"Working", "Closed - Converted"} <= set(allowed["lead_statuses"])
