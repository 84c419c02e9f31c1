"""Read the company's settings from `config/`, and apply a home's own over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from ingestion.settings.models import (
    CompanySettings,
    ExtraHoliday,
    FieldSetting,
    HolidaySettings,
    LeadStatusSetting,
    OrgSettings,
    RoleSetting,
    SettingsOverrides,
    StageSetting,
)
from storage.operator_files import OperatorModel, file_error, read_file

HOLIDAY_YEARS = range(2016, 2031)
REQUIRED_FILES = ("org.yml", "stages.yml", "lead_statuses.yml", "holidays.yml")

Setting = TypeVar("Setting", StageSetting, LeadStatusSetting, RoleSetting)


class _StagesFile(OperatorModel):
    stages: tuple[StageSetting, ...]


class _LeadStatusesFile(OperatorModel):
    lead_statuses: tuple[LeadStatusSetting, ...]


class _FieldsFile(OperatorModel):
    fields: tuple[FieldSetting, ...]


class _RolesFile(OperatorModel):
    roles: tuple[RoleSetting, ...]


class _HolidaysFile(OperatorModel):
    holidays: HolidaySettings


def require_config_folder(config_dir: Path) -> None:
    """Raise if the configuration folder is missing or lacks a file that every run reads.

    Raises:
        OperatorFileError: The folder or a file is missing; the message names every missing file.
    """
    fix = (
        "Set SALESOPS_CONFIG_DIR to the folder with your configuration; `salesops init DIR` makes one that is complete."
    )
    if not config_dir.is_dir():
        raise file_error(config_dir, "The configuration folder does not exist.", fix)
    missing = [name for name in REQUIRED_FILES if not (config_dir / name).is_file()]
    if missing:
        raise file_error(config_dir, f"The configuration folder lacks {', '.join(missing)}.", fix)


def read_company_settings(config_dir: Path, overrides: SettingsOverrides | None = None) -> CompanySettings:
    """Read `org.yml`, `stages.yml`, `lead_statuses.yml`, `holidays.yml`, `fields.yml` and `roles.yml`, and apply a home's own settings over them.

    Raises:
        OperatorFileError: A file or key is missing or wrong.
    """
    require_config_folder(config_dir)
    overrides = overrides or SettingsOverrides()
    org_path, stages_path, statuses_path = (
        config_dir / "org.yml",
        config_dir / "stages.yml",
        config_dir / "lead_statuses.yml",
    )
    holidays_path = config_dir / "holidays.yml"
    org = read_file(org_path, OrgSettings, overrides=overrides.org.model_dump(mode="json", exclude_none=True))
    stages = read_file(stages_path, _StagesFile).content.stages
    statuses = read_file(statuses_path, _LeadStatusesFile).content.lead_statuses
    fields_path, roles_path = config_dir / "fields.yml", config_dir / "roles.yml"
    # Folders of before these files have none: nothing is mapped then.
    fields = read_file(fields_path, _FieldsFile).content.fields if fields_path.is_file() else ()
    roles = read_file(roles_path, _RolesFile).content.roles if roles_path.is_file() else ()
    calendar = overrides.holidays or read_file(holidays_path, _HolidaysFile).content.holidays
    return CompanySettings(
        org=org.content,
        stages=_overlay(stages, overrides.stages, stages_path),
        lead_statuses=_overlay(statuses, overrides.lead_statuses, statuses_path),
        fields=_check_fields((*fields, *overrides.fields), fields_path),
        roles=_overlay(roles, overrides.roles, roles_path),
        holidays=resolve_holidays(calendar, holidays_path),
    )


def resolve_holidays(calendar: HolidaySettings, path: Path) -> tuple[ExtraHoliday, ...]:
    """The dates of a calendar for `HOLIDAY_YEARS`, observed days included, sorted by date, one per day.

    Raises:
        OperatorFileError: The country or subdivision is unknown, or `except` names a holiday that it does not have.
    """
    days: dict[Any, str] = {}
    if calendar.country:
        import holidays  # imports every country's rules, so only when a country is set

        try:
            days = dict(holidays.country_holidays(calendar.country, subdiv=calendar.subdivision, years=HOLIDAY_YEARS))
        except NotImplementedError:  # raised for an unknown code; the lists in `holidays` lack names that it accepts
            asked = "/".join(part for part in (calendar.country, calendar.subdivision) if part)
            fix = "Use an ISO 3166 code that the Python package `holidays` knows, or leave it empty and list the days under `extra`."
            raise file_error(path, f"holidays: no calendar is known for '{asked}'.", fix, place="holidays") from None
    unknown = sorted(set(calendar.except_) - set(days.values()))
    if unknown:
        names = ", ".join(sorted(set(days.values())))
        what = f"holidays.except: '{unknown[0]}' is no holiday of {calendar.country}."
        raise file_error(path, what, f"The names are: {names}.", place="holidays.except")
    days = {day: name for day, name in days.items() if name not in calendar.except_}
    days |= {holiday.date: holiday.name for holiday in calendar.extra}
    return tuple(ExtraHoliday(date=day, name=name) for day, name in sorted(days.items()))


def _check_fields(fields: tuple[FieldSetting, ...], path: Path) -> tuple[FieldSetting, ...]:
    named = [(field.object, field.name) for field in fields]
    for field in fields:
        if named.count((field.object, field.name)) > 1:
            what = f"'{field.name}' of {field.object} is mapped twice, there or in the mapping file."
            raise file_error(path, what, "Keep one of the two entries.")
    return fields


def _overlay(settings: tuple[Setting, ...], own: tuple[Setting, ...], path: Path) -> tuple[Setting, ...]:
    for listed in (settings, own):
        names = [setting.name for setting in listed]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise file_error(
                path, f"'{twice[0]}' is listed twice, there or in the mapping file.", "Keep one of the two entries."
            )
    return tuple(
        ({setting.name: setting for setting in settings} | {setting.name: setting for setting in own}).values()
    )
