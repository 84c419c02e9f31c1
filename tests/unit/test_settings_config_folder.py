"""The operator's settings: what comes with the project is sound, and an error names file and key."""

from __future__ import annotations

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from ingestion.settings import CompanySettings, SettingsOverrides, read_company_settings
from storage.operator_files import OperatorFileError
from storage.settings import PROJECT_ROOT


@pytest.fixture
def config(tmp_path: Path) -> Path:
    for name in ("org.yml", "stages.yml", "lead_statuses.yml", "holidays.yml"):
        shutil.copy(PROJECT_ROOT / "config" / name, tmp_path / name)
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_settings_that_come_with_the_project(config: Path) -> None:
    settings = read_company_settings(config)
    assert (settings.org.business_timezone, settings.org.fiscal_year_start_month, settings.org.workday_end) == (
        "America/New_York",
        2,
        "17:00",
    )
    stages = {stage.name: stage for stage in settings.stages}
    assert (stages["Discovery"].probability, stages["Discovery"].qualified, stages["Qualification"].qualified) == (
        Decimal("0.35"),
        True,
        False,
    )
    days = {holiday.date: holiday.name for holiday in settings.holidays}
    assert days[date(2026, 11, 26)] == "Thanksgiving Day"
    assert (min(days).year, max(days).year) == (2016, 2030)
    assert len(days) == len(settings.holidays)


def test_comments_and_order_do_not_change_the_hash_but_a_value_does(config: Path) -> None:
    before = read_company_settings(config).settings_hash
    lines = (config / "lead_statuses.yml").read_text().splitlines()
    entries = [line for line in lines if line.strip().startswith("-")]
    (config / "lead_statuses.yml").write_text("lead_statuses: # shorter\n" + "\n".join(reversed(entries)) + "\n")
    assert read_company_settings(config).settings_hash == before
    edit(config / "org.yml", "minutes_per_email: 4", "minutes_per_email: 5")
    assert read_company_settings(config).settings_hash != before


def test_a_home_overrides_and_adds(config: Path) -> None:
    overrides = SettingsOverrides.model_validate(
        {
            "org": {"reporting_currency": "BRL", "fiscal_year_start_month": "1"},
            "stages": [
                {"name": "Won", "stage": "won", "order": 6, "category": "won", "qualified": True, "probability": 1},
                {
                    "name": "Proposal",
                    "stage": "proposal",
                    "order": 4,
                    "category": "open",
                    "qualified": True,
                    "probability": "0.6",
                },
            ],
            "holidays": {"country": "BR"},
        }
    )
    settings = read_company_settings(config, overrides)
    assert (settings.org.reporting_currency, settings.org.fiscal_year_start_month) == ("BRL", 1)
    assert settings.org.business_timezone == "America/New_York"
    stages = {stage.name: stage.probability for stage in settings.stages}
    assert (stages["Won"], stages["Proposal"], stages["Closed Won"]) == (1, Decimal("0.6"), 1)
    assert any(holiday.date == date(2018, 9, 7) for holiday in settings.holidays)
    assert not any(holiday.name == "Thanksgiving Day" for holiday in settings.holidays)


def test_days_of_ones_own_and_days_worked(config: Path) -> None:
    edit(config / "holidays.yml", "extra: []", "extra: [{date: 2026-12-24, name: Company holiday}]")
    edit(config / "holidays.yml", "except: []", "except: [Columbus Day]")
    names = {holiday.date: holiday.name for holiday in read_company_settings(config).holidays}
    assert names[date(2026, 12, 24)] == "Company holiday"
    assert "Columbus Day" not in names.values()


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        pytest.param(
            "org.yml",
            "fiscal_year_start_month: 2",
            "fiscal_year_start_month: 13",
            "fiscal_year_start_month",
            id="no such month",
        ),
        pytest.param(
            "org.yml",
            "reporting_currency: USD",
            "reporting_currency: dollars",
            "reporting_currency",
            id="no currency code",
        ),
        pytest.param("org.yml", "America/New_York", "New York", "'New York' is no time zone", id="no time zone"),
        pytest.param(
            "org.yml", "company_name: Northlight Systems", "", "The field company_name is missing.", id="a key missing"
        ),
        pytest.param(
            "org.yml",
            '"17:00"',
            '"08:00"',
            "workday_start 09:00 is not before workday_end 08:00",
            id="a day without length",
        ),
        pytest.param(
            "org.yml",
            "workdays: [mon,",
            "workdays: [mon, mon,",
            "workdays: a weekday occurs twice.",
            id="a weekday twice",
        ),
        pytest.param(
            "stages.yml",
            "probability: 0.35",
            "probability: 35",
            "line 14, stages[2].probability",
            id="percent for a share",
        ),
        pytest.param(
            "stages.yml", "name: Discovery", "name: Proposal", "'Proposal' is listed twice", id="a stage twice"
        ),
        pytest.param(
            "stages.yml",
            "stage: discovery, order: 3",
            "stage: discovery, order: 4",
            "has order 3, not 4",
            id="an order that contradicts",
        ),
        pytest.param(
            "stages.yml",
            "stage: won, order: 6, category: won",
            "stage: won, order: 6, category: open",
            "has category 'won'",
            id="a category that contradicts",
        ),
        pytest.param(
            "lead_statuses.yml",
            "status: nurturing",
            "status: sleeping",
            "lead_statuses[2].status",
            id="an unknown status",
        ),
        pytest.param(
            "holidays.yml", "country: US", "country: XX", "no calendar is known for 'XX'", id="an unknown country"
        ),
        pytest.param(
            "holidays.yml",
            "except: []",
            "except: [Pi Day]",
            "'Pi Day' is no holiday of US",
            id="an exception to nothing",
        ),
    ],
)
def test_a_wrong_setting_is_reported_by_file_and_key(config: Path, file: str, old: str, new: str, said: str) -> None:
    edit(config / file, old, new)
    with pytest.raises(OperatorFileError) as caught:
        read_company_settings(config)
    assert said in str(caught.value)
    assert file in caught.value.where
    assert caught.value.fix


def test_yaml_words_are_not_taken_for_other_types(config: Path) -> None:
    edit(config / "org.yml", "company_name: Northlight Systems", "company_name: NO")
    edit(config / "org.yml", '"17:00"', "17:00")
    settings: CompanySettings = read_company_settings(config)
    assert (settings.org.company_name, settings.org.workday_end) == ("NO", "17:00")
