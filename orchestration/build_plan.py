"""What a build reads, and whether there is anything to build: the lake's picture, the business day, the code.

What belongs here: pure decisions over the lake and the published manifest. What does not: Dagster.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from publishing.published_set import read_current_manifest, read_manifests
from storage.home import Home, write_atomically
from storage.lake import Lake, LakeSnapshot
from storage.settings import PROJECT_ROOT

# What the models said is an outcome of a build, not a reason for one.
PREDICTION_PREFIX = "model__"
_CODE = ("dbt_project", "models_ml", "orchestration", "publishing")


@dataclass(frozen=True)
class BuildPlan:
    """One build: the lake's picture, the instant, and a hash over everything that the marts depend on."""

    snapshot: LakeSnapshot
    as_of: datetime
    business_day: date
    fingerprint: str


@dataclass(frozen=True)
class RecordedPlan:
    """A build plan as it was recorded at the start of its build; the lake may have moved on since."""

    run_id: str
    as_of: str
    fingerprint: str
    lake_versions: dict[str, int]


def plan_build(lake: Lake, as_of: datetime, *, policy: str = "") -> BuildPlan:
    """Look at the lake once and say what a build at `as_of` would read.

    Args:
        lake: The lake.
        as_of: Instant the figures are asked for.
        policy: `PublishPolicy.identity`: another key or setting gives another set of the same marts.
    """
    snapshot = lake.snapshot()
    inputs = LakeSnapshot(tuple(table for table in snapshot.tables if not table.table_name.startswith(PREDICTION_PREFIX)))
    day = as_of.astimezone(_business_timezone(lake)).date()
    fingerprint = hashlib.sha256(f"{inputs.fingerprint}:{day}:{_hash_code()}:{policy}".encode()).hexdigest()
    return BuildPlan(snapshot, as_of, day, fingerprint)


def is_published(home: Home, plan: BuildPlan) -> bool:
    """Whether readers already see what this build would give: same rows, same business day, same code, and the warehouse still stands."""
    manifest = read_current_manifest(home)
    return manifest is not None and manifest.fingerprint == plan.fingerprint and home.warehouse.exists()


def record_plan(home: Home, lake: Lake, plan: BuildPlan, run_id: str) -> None:
    """Write the files that dbt reads the lake by; a remote lake's files are fetched first."""
    write_atomically(home.lake_snapshot, lake.fetch(plan.snapshot).to_ndjson())
    as_of = plan.as_of.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
    write_atomically(home.run_context, json.dumps({"run_id": run_id, "as_of": as_of, "fingerprint": plan.fingerprint}) + "\n")


def read_recorded_plan(home: Home) -> RecordedPlan:
    """What `record_plan` wrote for the build that is going on."""
    context = json.loads(home.run_context.read_text(encoding="utf-8"))
    tables = [json.loads(line) for line in home.lake_snapshot.read_text(encoding="utf-8").splitlines()]
    return RecordedPlan(**context, lake_versions={table["table_name"]: table["version"] for table in tables})


def record_predictions(home: Home, lake: Lake) -> None:
    """Bring the predictions of this run into the recorded picture; every other table stays at the version it had."""
    recorded = [json.loads(line) for line in home.lake_snapshot.read_text(encoding="utf-8").splitlines()]
    kept = [table for table in recorded if not table["table_name"].startswith(PREDICTION_PREFIX)]
    predictions = LakeSnapshot(tuple(table for table in lake.snapshot().tables if table.table_name.startswith(PREDICTION_PREFIX)))
    write_atomically(home.lake_snapshot, "".join(json.dumps(table) + "\n" for table in kept) + lake.fetch(predictions).to_ndjson())


def versions_in_use(home: Home) -> dict[str, set[int]]:
    """Versions of every lake table that a published set was built from, or that the last build recorded: vacuum keeps their files."""
    recorded = [read_recorded_plan(home).lake_versions] if home.lake_snapshot.exists() and home.run_context.exists() else []
    versions: dict[str, set[int]] = {}
    for built_from in [*recorded, *(manifest.lake_versions for manifest in read_manifests(home))]:
        for table, version in built_from.items():
            versions.setdefault(table, set()).add(version)
    return versions


def _business_timezone(lake: Lake) -> ZoneInfo:
    newest = "select business_timezone from lake order by _known_from desc nulls last, _load_id desc nulls last limit 1"
    found = lake.query("settings__org", newest)
    return ZoneInfo(found.column(0)[0].as_py()) if found and found.num_rows else ZoneInfo("UTC")


def _hash_code() -> str:
    """Of every file that decides what is built from the same lake: a change of a model or of its fit is a reason to build."""
    digest = hashlib.sha256()
    for package in _CODE:
        for path in sorted((PROJECT_ROOT / package).rglob("*")):
            if path.suffix in {".py", ".sql", ".yml"} and "target" not in path.parts:
                digest.update(str(path.relative_to(PROJECT_ROOT)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()
