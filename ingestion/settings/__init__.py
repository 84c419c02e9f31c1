"""The operator's settings in `config/`, validated and loaded into the lake, so that a figure can be traced to them.

What belongs here: the shape of `org.yml`, `stages.yml`, `lead_statuses.yml` and `holidays.yml`, reading them, and the
lake tables `settings__*`. What does not: secrets and paths (`storage.settings`), pay plans and contests (`incentives`),
and what the settings mean for a figure (dbt).
"""

from __future__ import annotations

from ingestion.settings.config_folder import read_company_settings, require_config_folder
from ingestion.settings.load import load_settings_into_lake, read_allowed_values, read_stage_names
from ingestion.settings.models import CompanySettings, SettingsOverrides

__all__ = [
    "CompanySettings",
    "SettingsOverrides",
    "load_settings_into_lake",
    "read_allowed_values",
    "read_company_settings",
    "read_stage_names",
    "require_config_folder",
]
