"""A lake with the records of the tiny simulated company, landed without servers, and dbt over it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from ingestion.settings.load import load_settings_into_lake
from ingestion.settings.models import SettingsOverrides
from simulation.company import Company
from storage.home import Home
from storage.lake import Lake, LoadRecord, stamp_rows

ROOT = Path(__file__).resolve().parents[1]
KEYS = {
    "personnel": "employee_id, effective_date",
    "absences": "employee_id, start_date, kind",
    "quotas": "employee_id, period_start",
    "invoices": "invoice_id",
    "payments": "payment_id",
    "campaign_costs": "campaign_id, cost_date",
    "product_costs": "product_code, valid_from",
    "call": "sid",
    "message": "maildir_key, mailbox",
}
PREFIXES = {"salesforce": "salesforce__", "telephony": "telephony__", "mail": "mail__", "feeds": "feed__"}


@dataclass(frozen=True)
class Warehouse:
    """A home whose lake is filled, and dbt over it.

    Attributes:
        home: The home.
        target: Folder for what dbt writes besides the warehouse.
        parsed: The fixture `parsed_dbt`, which saves ten seconds; without it dbt parses the project.
    """

    home: Home
    target: Path
    parsed: Path | None = None

    def dbt(self, *arguments: str, timeout: int = 240, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run dbt on this home in a process of its own, with environment variables of its own besides."""
        environment = {
            **os.environ,
            **settings,
            "SALESOPS_HOME": str(self.home.root),
            "SALESOPS_WAREHOUSE": str(self.home.warehouse),
            "SALESOPS_LAKE_SNAPSHOT": str(self.home.lake_snapshot),
            "SALESOPS_RUN_CONTEXT": str(self.home.run_context),
        }
        if self.parsed:
            shutil.copytree(self.parsed, self.home.dbt, dirs_exist_ok=True)
            command = [sys.executable, "-m", "tests.run_dbt", str(self.home.root), str(self.target), *arguments]
        else:
            paths = ["--profiles-dir", ".", "--target-path", str(self.target), "--log-path", str(self.target)]
            command = [str(Path(sys.executable).with_name("dbt")), "--no-use-colors", *arguments, *paths]
        return subprocess.run(
            command,
            cwd=ROOT if self.parsed else ROOT / "dbt_project",
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Rows of the warehouse."""
        with duckdb.connect(str(self.home.warehouse), read_only=True) as connection:
            return connection.execute(sql).fetchall()


def fill_lake(company: Company, home: Home) -> None:
    """Land the newest visible version of every record of the company as text, with the settings it goes by."""
    home.prepare()
    lake, now = Lake(home.lake), company.now
    overrides = SettingsOverrides.model_validate({"org": {"email_domains": [company.description["email_domain"]]}})
    load_settings_into_lake(lake, ROOT / "config", known_at=now, run_id="test", mapping=overrides)
    with duckdb.connect() as connection:
        for path in sorted(company.folder.rglob("*.parquet")):
            table = PREFIXES[path.parent.name] + re.sub(r"(?<!^)(?=[A-Z])", "_", path.stem).lower()
            rows = connection.sql(
                _as_text(connection, path), params={"now": now.astimezone(UTC).replace(tzinfo=None)}
            ).to_arrow_table()
            load_id = f"{table}:000001:test"
            lake.commit(
                table,
                stamp_rows(rows, load_id=load_id, known_from=now),
                LoadRecord(load_id, now.isoformat(), rows.num_rows, rows.num_rows),
            )
    record_run(home, now)


def record_run(home: Home, as_of: datetime) -> None:
    """Write what a build reads besides the lake: its snapshot and the run's instant."""
    home.lake_snapshot.write_text(Lake(home.lake).snapshot().to_ndjson())
    home.run_context.write_text(
        json.dumps({"run_id": "test", "as_of": as_of.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}) + "\n"
    )


def _as_text(connection: duckdb.DuckDBPyConnection, path: Path) -> str:
    relation = connection.read_parquet(str(path))
    columns = []
    for name, kind in zip(relation.columns, map(str, relation.types), strict=True):
        if name == "_visible_from":
            continue
        column = f'"{name}"'
        if kind == "TIMESTAMP":
            pattern = "%a, %d %b %Y %H:%M:%S +0000" if path.stem == "call" else "%Y-%m-%dT%H:%M:%S.000Z"
            text = f"strftime({column}, '{pattern}')"
        else:
            text = f"to_json({column})::varchar" if kind.endswith("[]") else f"{column}::varchar"
        columns.append(f'{text} as "{"date" if name == "sent_at" else name}"')
    key = KEYS.get(path.stem, '"Id"')
    newest = f"qualify row_number() over (partition by {key} order by _visible_from desc) = 1"
    return f"select {', '.join(columns)} from read_parquet('{path}') where _visible_from <= $now {newest}"
