"""What a build reads, and whether there is anything to build: the lake snapshot, the business day, the code.

What belongs here: pure decisions about the lake and the published state, which the caller passes in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from storage.errors import StorageError
from storage.home import Home, write_atomically
from storage.lake import Lake, LakeSnapshot
from storage.settings import PROJECT_ROOT

# Predictions are an output of a build, not a reason for one.
PREDICTION_PREFIX = "model__"
DBT_STEPS = ("dbt_marts", "dbt_after_models")
# Whole packages: a needless build costs minutes once, but figures from old code would stay until the lake changes.
# `storage` determines how the lake is read and how phone numbers are normalised before hashing. `ingestion` and
# `incentives` are excluded: they decide what lands, and a landing changes the lake anyway.
_CODE = ("dbt_project", "models_ml", "orchestration", "publishing", "storage", "warehouse")


@dataclass(frozen=True)
class BuildPlan:
    """One build: the lake snapshot, the as-of instant, and a hash of everything the marts depend on."""

    snapshot: LakeSnapshot
    as_of: datetime
    business_day: date
    fingerprint: str


@dataclass(frozen=True)
class RecordedPlan:
    """A build plan as recorded at the start of its build; the lake may have changed since."""

    run_id: str
    as_of: str
    fingerprint: str
    lake_versions: dict[str, int]


@dataclass(frozen=True)
class BuildRecord:
    """The progress of the recorded build.

    Attributes:
        run_id: The run of the plan.
        fingerprint: The plan's fingerprint.
        steps: The finished dbt steps, each with all of its models.
    """

    run_id: str
    fingerprint: str
    steps: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether the warehouse holds everything in the plan."""
        return set(self.steps) >= set(DBT_STEPS)


def plan_build(lake: Lake, as_of: datetime, *, policy: str = "") -> BuildPlan:
    """Take a snapshot of the lake and plan a build as of `as_of`.

    Args:
        lake: The lake.
        as_of: As-of instant of the figures.
        policy: `PublishPolicy.identity`: another key or setting gives a different set of the same marts.
    """
    snapshot = lake.snapshot()
    inputs = LakeSnapshot(
        tuple(table for table in snapshot.tables if not table.table_name.startswith(PREDICTION_PREFIX))
    )
    day = as_of.astimezone(_business_timezone(lake)).date()
    fingerprint = hashlib.sha256(f"{inputs.fingerprint}:{day}:{_hash_code()}:{policy}".encode()).hexdigest()
    return BuildPlan(snapshot, as_of, day, fingerprint)


def is_published(home: Home, plan: BuildPlan, *, published: str | None) -> bool:
    """Whether readers already see this build (same rows, business day and code) and the warehouse is complete.

    Args:
        home: The home folder.
        plan: The build.
        published: Fingerprint of the current published set; None if there is none.
    """
    if published != plan.fingerprint or not home.warehouse.exists():
        return False
    record = _read_build_record(home)
    return record is not None and record.fingerprint == plan.fingerprint and record.is_complete


def record_plan(home: Home, lake: Lake, plan: BuildPlan, run_id: str, *, crm_url: str | None = None) -> None:
    """Write the files from which dbt reads the lake; files of a remote lake are fetched first."""
    _write_build_record(home, BuildRecord(run_id, plan.fingerprint))
    write_atomically(home.lake_snapshot, lake.fetch(plan.snapshot).to_ndjson())
    as_of = plan.as_of.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
    context = {"run_id": run_id, "as_of": as_of, "fingerprint": plan.fingerprint, "crm_url": crm_url}
    write_atomically(home.run_context, json.dumps(context) + "\n")


def read_recorded_plan(home: Home) -> RecordedPlan:
    """What `record_plan` wrote for the current build."""
    context = json.loads(home.run_context.read_text(encoding="utf-8"))
    tables = [json.loads(line) for line in home.lake_snapshot.read_text(encoding="utf-8").splitlines()]
    versions = {table["table_name"]: table["version"] for table in tables}
    return RecordedPlan(context["run_id"], context["as_of"], context["fingerprint"], versions)


def record_step(home: Home, step: str, *, is_whole: bool = True) -> bool:
    """Record a finished dbt step. A partial one resets all steps: the warehouse no longer matches the plan.

    Returns:
        Whether the warehouse now holds everything in the plan.
    """
    record = _read_build_record(home)
    if record is None:
        return False
    record = replace(record, steps=(*record.steps, step) if is_whole else ())
    _write_build_record(home, record)
    return record.is_complete


def require_whole_build(home: Home, plan: RecordedPlan) -> None:
    """Check before publishing that the warehouse was built completely from the recorded plan.

    Raises:
        StorageError: It was not: a build was stopped half-way, or only some models were built.
    """
    record = _read_build_record(home)
    if record is None or record.run_id != plan.run_id or not record.is_complete:
        raise StorageError(
            "The warehouse was not built whole since the lake was last looked at, so it is not published.",
            where=str(home.warehouse),
            fix="Run the whole job: `salesops run --rebuild`, or all assets in the UI. The set published before stays.",
        )


def _read_build_record(home: Home) -> BuildRecord | None:
    try:
        stored = json.loads(home.build_record.read_text(encoding="utf-8"))
        return BuildRecord(stored["run_id"], stored["fingerprint"], tuple(stored["steps"]))
    except (OSError, ValueError, KeyError, TypeError):  # missing or damaged: the build starts over
        return None


def _write_build_record(home: Home, record: BuildRecord) -> None:
    write_atomically(home.build_record, json.dumps(asdict(record)) + "\n")


def record_predictions(home: Home, lake: Lake) -> None:
    """Add this run's predictions to the recorded snapshot; every other table stays at its recorded version."""
    recorded = [json.loads(line) for line in home.lake_snapshot.read_text(encoding="utf-8").splitlines()]
    kept = [table for table in recorded if not table["table_name"].startswith(PREDICTION_PREFIX)]
    predictions = LakeSnapshot(
        tuple(table for table in lake.snapshot().tables if table.table_name.startswith(PREDICTION_PREFIX))
    )
    write_atomically(
        home.lake_snapshot, "".join(json.dumps(table) + "\n" for table in kept) + lake.fetch(predictions).to_ndjson()
    )


def versions_in_use(home: Home, read_published: Callable[[Home], Iterable[Mapping[str, int]]]) -> dict[str, set[int]]:
    """Lake versions that a published set was built from or the last build recorded: vacuum keeps their files.

    Args:
        home: The home folder.
        read_published: Returns the versions of each published set. Called after reading the recorded plan. In the other
            order, a set published from that plan in between would be missed once the next run has recorded its own.
    """
    try:
        recorded = [read_recorded_plan(home).lake_versions]
    except (OSError, ValueError, KeyError, TypeError):  # missing or damaged: no build can continue from it
        recorded = []
    versions: dict[str, set[int]] = {}
    for built_from in [*recorded, *read_published(home)]:
        for table, version in built_from.items():
            versions.setdefault(table, set()).add(version)
    return versions


def _business_timezone(lake: Lake) -> ZoneInfo:
    newest = "select business_timezone from lake order by _known_from desc nulls last, _load_id desc nulls last limit 1"
    found = lake.query("settings__org", newest)
    return ZoneInfo(found.column(0)[0].as_py()) if found and found.num_rows else ZoneInfo("UTC")


def _hash_code() -> str:
    """Hash every file that affects a build: a changed model or fit is a reason to build."""
    digest = hashlib.sha256()
    for package in _CODE:
        for path in sorted((PROJECT_ROOT / package).rglob("*")):
            if path.suffix in {".py", ".sql", ".yml"} and "target" not in path.parts:
                digest.update(str(path.relative_to(PROJECT_ROOT)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()
