"""Load the operator's settings into the lake, in full and only when they changed, and read back those in force."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pyarrow as pa

from ingestion.landing import LandingReport
from ingestion.settings.config_folder import read_company_settings
from ingestion.settings.models import CompanySettings, SettingsOverrides
from storage.append import append_once
from storage.lake import Lake

# In the order they land. The organisation comes last because its hash says which settings are in force: a run killed
# between two of these commits leaves the earlier settings in force.
SETTINGS_TABLES = (
    "settings__stage",
    "settings__lead_status",
    "settings__field",
    "settings__role",
    "settings__holiday",
    "settings__email_domain",
    "settings__org",
)
HASH_DETAIL = "settings_hash"

_SCHEMAS = {
    "settings__org": pa.schema(
        [
            ("settings_hash", pa.string()),
            ("effective_from", pa.date32()),
            ("company_name", pa.string()),
            ("business_timezone", pa.string()),
            ("fiscal_year_start_month", pa.int32()),
            ("reporting_currency", pa.string()),
            ("minutes_per_email", pa.decimal128(9, 2)),
            ("workday_start", pa.string()),
            ("workday_end", pa.string()),
            ("workdays", pa.string()),
            ("booking_date", pa.string()),
            ("booking_tolerance_days", pa.int32()),
        ]
    ),
    "settings__stage": pa.schema(
        [
            ("settings_hash", pa.string()),
            ("stage_name", pa.string()),
            ("stage", pa.string()),
            ("stage_order", pa.int32()),
            ("category", pa.string()),
            ("is_qualified_pipeline", pa.bool_()),
            ("probability", pa.decimal128(9, 6)),
        ]
    ),
    "settings__lead_status": pa.schema(
        [("settings_hash", pa.string()), ("status_name", pa.string()), ("status", pa.string())]
    ),
    "settings__field": pa.schema(
        [
            ("settings_hash", pa.string()),
            ("object_name", pa.string()),
            ("field_name", pa.string()),
            ("column_name", pa.string()),
            ("field_type", pa.string()),
        ]
    ),
    "settings__role": pa.schema([("settings_hash", pa.string()), ("source_role", pa.string()), ("role", pa.string())]),
    "settings__holiday": pa.schema(
        [("settings_hash", pa.string()), ("holiday_date", pa.date32()), ("name", pa.string())]
    ),
    "settings__email_domain": pa.schema([("settings_hash", pa.string()), ("domain", pa.string())]),
}


def load_settings_into_lake(
    lake: Lake, config_dir: Path, *, known_at: datetime, run_id: str, mapping: SettingsOverrides | None = None
) -> list[LandingReport]:
    """Land the settings of `config_dir` with a home's own over them; skip a table whose newest load has the same hash.

    Every table of one load carries the same `settings_hash`, which covers all of them. The newest load of
    `settings__org` is in force, with the rows of the other tables that carry its hash.

    Args:
        lake: The lake.
        config_dir: Folder with `org.yml`, `stages.yml`, `lead_statuses.yml` and `holidays.yml`.
        known_at: The run's instant, with a time zone.
        run_id: The orchestrator's run.
        mapping: The mapping file in use; its `org`, `stages`, `lead_statuses` and `holidays` sections override
            `config_dir`.

    Returns:
        One report per table, in `SETTINGS_TABLES` order.

    Raises:
        OperatorFileError: A settings file is missing or wrong; nothing landed.
    """
    settings = read_company_settings(config_dir, mapping)
    tables = tables_of(settings)
    return [
        _land_when_changed(lake, table, tables[table], settings.settings_hash, known_at=known_at, run_id=run_id)
        for table in SETTINGS_TABLES
    ]


def tables_of(settings: CompanySettings) -> dict[str, pa.Table]:
    """The rows of every settings table, typed, without the lake's reserved columns."""
    org, settings_hash = settings.org, settings.settings_hash
    rows = {
        "settings__org": [
            org.model_dump(include=set(_SCHEMAS["settings__org"].names)) | {"workdays": ",".join(org.workdays)}
        ],
        "settings__stage": [
            {
                "stage_name": stage.name,
                "stage": stage.stage,
                "stage_order": stage.order,
                "category": stage.category,
                "is_qualified_pipeline": stage.qualified,
                "probability": stage.probability,
            }
            for stage in settings.stages
        ],
        "settings__lead_status": [
            {"status_name": status.name, "status": status.status} for status in settings.lead_statuses
        ],
        "settings__field": [
            {
                "object_name": field.object,
                "field_name": field.field,
                "column_name": field.column,
                "field_type": field.kind,
            }
            for field in settings.fields
        ],
        "settings__role": [{"source_role": role.name, "role": role.role} for role in settings.roles],
        "settings__holiday": [{"holiday_date": holiday.date, "name": holiday.name} for holiday in settings.holidays],
        "settings__email_domain": [{"domain": domain} for domain in dict.fromkeys(org.email_domains)],
    }
    return {
        table: pa.Table.from_pylist(
            [{"settings_hash": settings_hash, **row} for row in rows[table]], schema=_SCHEMAS[table]
        )
        for table in SETTINGS_TABLES
    }


def read_stage_names(lake: Lake) -> list[str]:
    """The stage names in force in the lake, in the order they were listed; empty before the first settings load."""
    return _names_in_force(lake, "settings__stage", "stage_name")


def read_allowed_values(lake: Lake) -> dict[str, list[str]]:
    """Values for a contract's `one_of` rules: the stages and lead statuses in force in the lake."""
    return {
        "stages": read_stage_names(lake),
        "lead_statuses": _names_in_force(lake, "settings__lead_status", "status_name"),
    }


def _names_in_force(lake: Lake, table: str, column: str) -> list[str]:
    newest = lake.newest_load(table)
    rows = lake.query(table, "select * from lake where _load_id = ?", [newest.load_id]) if newest else None
    return list(rows.column(column).to_pylist()) if rows is not None else []


def _land_when_changed(
    lake: Lake, table: str, rows: pa.Table, settings_hash: str, *, known_at: datetime, run_id: str
) -> LandingReport:
    # Not `land()`, which writes only the rows that differ: a settings load must be complete to be in force.
    done = append_once(
        lake, table, rows, known_at=known_at, run_id=run_id, state=(HASH_DETAIL, settings_hash), cursor=settings_hash
    )
    return LandingReport(
        table, done.landed, unchanged=done.unchanged, version=done.version, cursor=settings_hash, load_id=done.load_id
    )
