"""Read the operator's YAML files, and say which file and key are wrong where one is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from ingestion.errors import IngestionError
from ingestion.settings.models import (
    CompanySettings,
    ExtraHoliday,
    HolidaySettings,
    LeadStatusSetting,
    OperatorModel,
    OrgSettings,
    SettingsOverrides,
    StageSetting,
)

HOLIDAY_YEARS = range(2016, 2031)
PROBLEMS_SHOWN = 5
REQUIRED_FILES = ("org.yml", "stages.yml", "lead_statuses.yml", "holidays.yml")

Model = TypeVar("Model", bound=BaseModel)
Setting = TypeVar("Setting", StageSetting, LeadStatusSetting)


class OperatorFileError(IngestionError):
    """A file that an operator edits is missing, no YAML, or holds a key or value that cannot be used."""


class _TextLoader(yaml.SafeLoader):
    """Every scalar stays the text that was written (only an empty one is null), so that 17:00, NO or 0.10 reach pydantic as they stand."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - the name and shape are PyYAML's

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse a key that is written twice: YAML would silently keep the last."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key '{key.value}' is written twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_TextLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""])


class _StagesFile(OperatorModel):
    stages: tuple[StageSetting, ...]


class _LeadStatusesFile(OperatorModel):
    lead_statuses: tuple[LeadStatusSetting, ...]


class _HolidaysFile(OperatorModel):
    holidays: HolidaySettings


def read_yaml(path: Path) -> dict[str, Any]:
    """Read one YAML file whose scalars all stay text.

    Raises:
        OperatorFileError: The file is missing, unreadable, no YAML, or no mapping of keys.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_TextLoader)
    except FileNotFoundError:
        raise OperatorFileError(
            "The file is missing.", where=str(path), fix="Check the path; `config/` in the repository has every settings file."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorFileError(f"The file cannot be read: {error}.", where=str(path), fix="It must be a readable UTF-8 text file.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "no valid YAML"
        where = f"{path}, line {mark.line + 1}" if mark else str(path)
        raise OperatorFileError(f"The file is not valid YAML: {problem}.", where=where, fix="Check indentation, quotes and colons there.") from None
    if not isinstance(content, dict):
        raise OperatorFileError("The file holds no keys.", where=str(path), fix="It must be a YAML mapping, `key: value`.")
    return content


def validate(model: type[Model], content: dict[str, Any], path: Path) -> Model:
    """Check a file's content against its shape; the error names file, key and what is wrong, for up to five keys at once.

    Raises:
        OperatorFileError: A key is missing, unknown, or has a value that cannot be used.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        found = error.errors()
        lines = [f"{'.'.join(str(part) for part in problem['loc'])}: {_say(problem)}" for problem in found[:PROBLEMS_SHOWN]]
        if len(found) > PROBLEMS_SHOWN:
            lines.append(f"and {len(found) - PROBLEMS_SHOWN} more")
        raise OperatorFileError(
            "; ".join(lines) + ".", where=str(path), fix="Correct the keys named here; the comments in the file say what each takes."
        ) from None


def require_config_folder(config_dir: Path) -> None:
    """Refuse a configuration folder that is not there or lacks a file that every run reads.

    Raises:
        OperatorFileError: The message names every file that is missing.
    """
    fix = "Set SALESOPS_CONFIG_DIR to the folder with your configuration; `salesops init DIR` makes one that is complete."
    if not config_dir.is_dir():
        raise OperatorFileError("The configuration folder does not exist.", where=str(config_dir), fix=fix)
    missing = [name for name in REQUIRED_FILES if not (config_dir / name).is_file()]
    if missing:
        raise OperatorFileError(f"The configuration folder lacks {', '.join(missing)}.", where=str(config_dir), fix=fix)


def read_company_settings(config_dir: Path, overrides: SettingsOverrides | None = None) -> CompanySettings:
    """Read `org.yml`, `stages.yml`, `lead_statuses.yml` and `holidays.yml`, and lay a home's own settings over them.

    Raises:
        OperatorFileError: A file or key is missing or wrong.
    """
    require_config_folder(config_dir)
    overrides = overrides or SettingsOverrides()
    org_path, holidays_path = config_dir / "org.yml", config_dir / "holidays.yml"
    org = read_yaml(org_path) | overrides.org.model_dump(mode="json", exclude_none=True)
    stages = validate(_StagesFile, read_yaml(config_dir / "stages.yml"), config_dir / "stages.yml").stages
    statuses = validate(_LeadStatusesFile, read_yaml(config_dir / "lead_statuses.yml"), config_dir / "lead_statuses.yml").lead_statuses
    calendar = overrides.holidays or validate(_HolidaysFile, read_yaml(holidays_path), holidays_path).holidays
    return CompanySettings(
        org=validate(OrgSettings, org, org_path),
        stages=_overlay(stages, overrides.stages, config_dir / "stages.yml"),
        lead_statuses=_overlay(statuses, overrides.lead_statuses, config_dir / "lead_statuses.yml"),
        holidays=resolve_holidays(calendar, holidays_path),
    )


def resolve_holidays(calendar: HolidaySettings, path: Path) -> tuple[ExtraHoliday, ...]:
    """The dates of a calendar for `HOLIDAY_YEARS`, observed days included, in order of date; one entry a day.

    Raises:
        OperatorFileError: The country or its subdivision is unknown, or an exception names no holiday of it.
    """
    days: dict[Any, str] = {}
    if calendar.country:
        import holidays  # imports every country's rules: only when a country is asked for

        try:
            days = dict(holidays.country_holidays(calendar.country, subdiv=calendar.subdivision, years=HOLIDAY_YEARS))
        except NotImplementedError:  # so `holidays` refuses what it does not know; its lists leave out names of subdivisions that it takes
            asked = "/".join(part for part in (calendar.country, calendar.subdivision) if part)
            fix = "Use an ISO 3166 code that the Python package `holidays` knows, or leave it empty and list the days under `extra`."
            raise OperatorFileError(f"holidays: no calendar is known for '{asked}'.", where=str(path), fix=fix) from None
    unknown = sorted(set(calendar.except_) - set(days.values()))
    if unknown:
        names = ", ".join(sorted(set(days.values())))
        raise OperatorFileError(
            f"holidays.except: '{unknown[0]}' is no holiday of {calendar.country}.", where=str(path), fix=f"The names are: {names}."
        )
    days = {day: name for day, name in days.items() if name not in calendar.except_}
    days |= {holiday.date: holiday.name for holiday in calendar.extra}
    return tuple(ExtraHoliday(date=day, name=name) for day, name in sorted(days.items()))


def _overlay(settings: tuple[Setting, ...], own: tuple[Setting, ...], path: Path) -> tuple[Setting, ...]:
    for listed in (settings, own):
        names = [setting.name for setting in listed]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise OperatorFileError(f"'{twice[0]}' is listed twice.", where=f"{path} or the mapping file", fix="Keep one of the two entries.")
    return tuple(({setting.name: setting for setting in settings} | {setting.name: setting for setting in own}).values())


def _say(problem: Any) -> str:
    match problem["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "is no key known here"
        case "value_error":
            return str(problem["msg"]).removeprefix("Value error, ")
        case _:
            given = problem.get("input")
            shown = f", not '{given}'" if isinstance(given, str) else ""
            return f"{str(problem['msg'])[:1].lower()}{str(problem['msg'])[1:]}{shown}"
