"""The shape of the operator's settings, and of one home's overrides."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from storage.operator_files import OperatorModel

STAGE_ORDER = {
    "prospecting": 1,
    "qualification": 2,
    "discovery": 3,
    "proposal": 4,
    "negotiation": 5,
    "won": 6,
    "lost": 7,
}

Stage = Literal["prospecting", "qualification", "discovery", "proposal", "negotiation", "won", "lost"]
LeadStatus = Literal["new", "working", "nurturing", "qualified", "converted", "disqualified"]
BookingDate = Literal["close_date", "stage_change"]
ToleranceDays = Annotated[int, Field(ge=0, le=3650)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"'{name}' is no time zone; give an IANA name such as America/New_York or UTC") from None
    return name


def _unique_weekdays(days: tuple[Weekday, ...]) -> tuple[Weekday, ...]:
    if len(set(days)) != len(days):
        raise ValueError("a weekday occurs twice")
    return days


TimeZoneName = Annotated[str, AfterValidator(_known_zone)]
CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217, in capitals")]
FiscalStartMonth = Annotated[int, Field(ge=1, le=12)]
ClockTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="HH:MM, 24 hours, in quotes")]
Weekdays = Annotated[tuple[Weekday, ...], Field(min_length=1), AfterValidator(_unique_weekdays)]
Minutes = Annotated[Decimal, Field(ge=0, max_digits=9, decimal_places=2)]
Domain = Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", description="lower case, without @")]
Name = Annotated[str, Field(min_length=1)]


class OrgSettings(OperatorModel):
    """Settings of the organisation. A default would be a guess about money: only a convention of the field has one."""

    effective_from: date
    company_name: Name
    business_timezone: TimeZoneName
    reporting_currency: CurrencyCode
    fiscal_year_start_month: FiscalStartMonth
    workday_start: ClockTime
    workday_end: ClockTime
    workdays: Weekdays
    minutes_per_email: Minutes
    email_domains: tuple[Domain, ...]
    booking_date: BookingDate = "close_date"
    booking_tolerance_days: ToleranceDays = 31

    @model_validator(mode="after")
    def _day_has_a_length(self) -> OrgSettings:
        if self.workday_start >= self.workday_end:
            raise ValueError(f"workday_start {self.workday_start} is not before workday_end {self.workday_end}")
        return self


class OrgOverrides(OperatorModel):
    """The keys of `org.yml` that a mapping file sets for its own home."""

    effective_from: date | None = None
    company_name: Name | None = None
    business_timezone: TimeZoneName | None = None
    reporting_currency: CurrencyCode | None = None
    fiscal_year_start_month: FiscalStartMonth | None = None
    workday_start: ClockTime | None = None
    workday_end: ClockTime | None = None
    workdays: Weekdays | None = None
    minutes_per_email: Minutes | None = None
    email_domains: tuple[Domain, ...] | None = None
    booking_date: BookingDate | None = None
    booking_tolerance_days: ToleranceDays | None = None


class StageSetting(OperatorModel):
    """What one stage name of the CRM means."""

    name: Name
    stage: Stage
    order: Annotated[int, Field(ge=1, le=7)]
    category: Literal["open", "won", "lost"]
    qualified: bool
    probability: Annotated[Decimal, Field(ge=0, le=1, decimal_places=6, description="0 to 1, not percent")]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> StageSetting:
        category = self.stage if self.stage in ("won", "lost") else "open"
        if self.category != category:
            raise ValueError(f"stage '{self.stage}' has category '{category}', not '{self.category}'")
        if self.order != STAGE_ORDER[self.stage]:
            raise ValueError(f"stage '{self.stage}' has order {STAGE_ORDER[self.stage]}, not {self.order}")
        certain = {"won": Decimal(1), "lost": Decimal(0)}.get(self.stage)
        if certain is not None and self.probability != certain:
            raise ValueError(f"a {self.stage} deal has probability {certain}, not {self.probability}")
        return self


class LeadStatusSetting(OperatorModel):
    """What one lead status of the CRM means."""

    name: Name
    status: LeadStatus


FieldType = Literal["text", "integer", "decimal", "percent", "boolean", "date", "timestamp"]
MappedObject = Literal["Lead", "Opportunity", "Event"]
# What we have a name for, by object, and its type: models and metrics read these. Every other name becomes a column of its own.
KNOWN_FIELDS: dict[MappedObject, dict[str, FieldType]] = {
    "Lead": {
        "process": "text",
        "segment": "text",
        "campaign_id": "text",
        "web_visits": "integer",
        "disqualified_reason": "text",
    },
    "Opportunity": {"process": "text", "competitor": "text", "loss_reason": "text", "discount_rate": "percent"},
    "Event": {"is_cancelled": "boolean"},
}
OWN_FIELD_PREFIX = "field_"


class FieldSetting(OperatorModel):
    """What one custom field of the CRM is to us."""

    object: MappedObject
    field: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", description="as the CRM spells it")]
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", description="lower snake case")]
    type: FieldType | None = None

    @model_validator(mode="after")
    def _agrees_with_what_is_known(self) -> FieldSetting:
        known = KNOWN_FIELDS[self.object].get(self.name)
        if known and self.type not in (None, known):
            raise ValueError(f"'{self.name}' of {self.object} is of the type {known}, not {self.type}")
        if not known and self.object == "Event":
            raise ValueError(
                f"'{self.name}' is read by nothing; of an Event there is: {', '.join(KNOWN_FIELDS['Event'])}"
            )
        if not known and self.name.startswith(OWN_FIELD_PREFIX):
            raise ValueError(
                f"'{self.name}' would become the column {OWN_FIELD_PREFIX}{self.name}; leave the prefix out"
            )
        return self

    @property
    def column(self) -> str:
        """The column that it fills: our name, or one of its own."""
        is_known = self.name in KNOWN_FIELDS[self.object]
        return self.name if is_known else f"{OWN_FIELD_PREFIX}{self.name}"

    @property
    def kind(self) -> FieldType:
        """Its type: the known one, else what is said, else text."""
        return KNOWN_FIELDS[self.object].get(self.name) or self.type or "text"


class RoleSetting(OperatorModel):
    """What one role or profile of the CRM's users is to us."""

    name: Name
    role: Literal["inside_rep", "outside_rep", "rep", "sales_manager", "sales_director", "other"]


class ExtraHoliday(OperatorModel):
    """A day off that no public calendar knows."""

    date: date
    name: Name


class HolidaySettings(OperatorModel):
    """Which public calendar applies, and the exceptions to it."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    subdivision: str | None = None
    extra: tuple[ExtraHoliday, ...] = ()
    except_: Annotated[tuple[Name, ...], Field(alias="except")] = ()


class SettingsOverrides(OperatorModel):
    """What a home may override in `config/`: stages and statuses are added by name, and the same name replaces."""

    org: OrgOverrides = OrgOverrides()
    stages: tuple[StageSetting, ...] = ()
    lead_statuses: tuple[LeadStatusSetting, ...] = ()
    fields: tuple[FieldSetting, ...] = ()
    roles: tuple[RoleSetting, ...] = ()
    holidays: HolidaySettings | None = None


class CompanySettings(OperatorModel):
    """All settings of one home, ready to land."""

    org: OrgSettings
    stages: tuple[StageSetting, ...]
    lead_statuses: tuple[LeadStatusSetting, ...]
    fields: tuple[FieldSetting, ...]
    roles: tuple[RoleSetting, ...]
    holidays: tuple[ExtraHoliday, ...]

    @property
    def settings_hash(self) -> str:
        """SHA-256 of the content in canonical form: comments and the order of keys or entries do not change it."""
        ordered = self.model_copy(
            update={
                "stages": tuple(sorted(self.stages, key=lambda stage: stage.name)),
                "lead_statuses": tuple(sorted(self.lead_statuses, key=lambda status: status.name)),
                "fields": tuple(sorted(self.fields, key=lambda field: (field.object, field.name))),
                "roles": tuple(sorted(self.roles, key=lambda role: role.name)),
                "holidays": tuple(sorted(self.holidays, key=lambda holiday: (holiday.date, holiday.name))),
            }
        )
        return hashlib.sha256(ordered.model_dump_json().encode()).hexdigest()
