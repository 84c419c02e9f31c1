"""What a build reads, and whether there is anything to build: the lake's picture, the business day, the code.

What belongs here: pure decisions over the lake and over what is published, which the caller hands in.
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

# What the models said is an outcome of a build, not a reason for one.
PREDICTION_PREFIX = "model__"
DBT_STEPS = ("dbt_marts", "dbt_after_models")
# Whole packages: a build for nothing costs minutes once, but figures of older code would stay until the lake changes.
# `storage` says how the lake is read and how phone numbers are written before they are hashed. `ingestion` and
# `incentives` are not here: they decide what lands, and a landing changes the lake.
_CODE = ("dbt_project", "models_ml", "orchestration", "publishing", "storage", "warehouse")


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


@dataclass(frozen=True)
class BuildRecord:
    """How far the recorded build came.

    Attributes:
        run_id: The run whose plan it is.
        fingerprint: Of that plan.
        steps: The dbt steps that were finished, each with all of its models.
    """

    run_id: str
    fingerprint: str
    steps: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether the warehouse holds all that the plan gives."""
        return set(self.steps) >= set(DBT_STEPS)


def plan_build(lake: Lake, as_of: datetime, *, policy: str = "") -> BuildPlan:
    """Look at the lake once and say what a build at `as_of` would read.

    Args:
        lake: The lake.
        as_of: Instant the figures are asked for.
        policy: `PublishPolicy.identity`: another key or setting gives another set of the same marts.
    """
    snapshot = lake.snapshot()
    inputs = LakeSnapshot(
        tuple(table for table in snapshot.tables if not table.table_name.startswith(PREDICTION_PREFIX))
    )
    day = as_of.astimezone(_business_timezone(lake)).date()
    fingerprint = hashlib.sha256(f"{inputs.fingerprint}:{day}:{_hash_code()}:{policy}".encode()).hexdigest()
    return BuildPlan(snapshot, as_of, day, fingerprint)


def is_published(home: Home, plan: BuildPlan, *, published: str | None) -> bool:
    """Whether readers already see what this build would give: same rows, same business day, same code, and the warehouse still stands whole.

    Args:
        home: The home folder.
        plan: The build.
        published: Fingerprint of the set that readers see now; None where there is none.
    """
    if published != plan.fingerprint or not home.warehouse.exists():
        return False
    record = _read_build_record(home)
    return record is not None and record.fingerprint == plan.fingerprint and record.is_complete


def record_plan(home: Home, lake: Lake, plan: BuildPlan, run_id: str) -> None:
    """Write the files that dbt reads the lake by; a remote lake's files are fetched first."""
    _write_build_record(home, BuildRecord(run_id, plan.fingerprint))
    write_atomically(home.lake_snapshot, lake.fetch(plan.snapshot).to_ndjson())
    as_of = plan.as_of.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
    write_atomically(
        home.run_context, json.dumps({"run_id": run_id, "as_of": as_of, "fingerprint": plan.fingerprint}) + "\n"
    )


def read_recorded_plan(home: Home) -> RecordedPlan:
    """What `record_plan` wrote for the build that is going on."""
    context = json.loads(home.run_context.read_text(encoding="utf-8"))
    tables = [json.loads(line) for line in home.lake_snapshot.read_text(encoding="utf-8").splitlines()]
    return RecordedPlan(**context, lake_versions={table["table_name"]: table["version"] for table in tables})


def record_step(home: Home, step: str, *, is_whole: bool = True) -> bool:
    """Note that a dbt step was finished; with a part of its models only, the warehouse is no longer what the recorded plan gives.

    Returns:
        Whether the warehouse now holds all that the plan gives.
    """
    record = _read_build_record(home)
    if record is None:
        return False
    record = replace(record, steps=(*record.steps, step) if is_whole else ())
    _write_build_record(home, record)
    return record.is_complete


def require_whole_build(home: Home, plan: RecordedPlan) -> None:
    """Let only a warehouse be published that was built whole from the recorded plan.

    Raises:
        StorageError: It was not: a build was stopped half-way, or only some of its models were built.
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
    except (OSError, ValueError, KeyError, TypeError):  # missing or damaged: the build begins anew
        return None


def _write_build_record(home: Home, record: BuildRecord) -> None:
    write_atomically(home.build_record, json.dumps(asdict(record)) + "\n")


def record_predictions(home: Home, lake: Lake) -> None:
    """Bring the predictions of this run into the recorded picture; every other table stays at the version it had."""
    recorded = [json.loads(line) for line in home.lake_snapshot.read_text(encoding="utf-8").splitlines()]
    kept = [table for table in recorded if not table["table_name"].startswith(PREDICTION_PREFIX)]
    predictions = LakeSnapshot(
        tuple(table for table in lake.snapshot().tables if table.table_name.startswith(PREDICTION_PREFIX))
    )
    write_atomically(
        home.lake_snapshot, "".join(json.dumps(table) + "\n" for table in kept) + lake.fetch(predictions).to_ndjson()
    )


def versions_in_use(home: Home, read_published: Callable[[Home], Iterable[Mapping[str, int]]]) -> dict[str, set[int]]:
    """Versions of every lake table that a published set was built from, or that the last build recorded: vacuum keeps their files.

    Args:
        home: The home folder.
        read_published: Returns the versions that each published set was built from. Called after the recorded plan was read: were it called
            before, a set published in between from that plan would be missed once the next run has recorded its own.
    """
    try:
        recorded = [read_recorded_plan(home).lake_versions]
    except (OSError, ValueError, KeyError, TypeError):  # none yet, or damaged: then no build can go on from it either
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
    """Of every file that decides what is built from the same lake: a change of a model or of its fit is a reason to build."""
    digest = hashlib.sha256()
    for package in _CODE:
        for path in sorted((PROJECT_ROOT / package).rglob("*")):
            if path.suffix in {".py", ".sql", ".yml"} and "target" not in path.parts:
                digest.update(str(path.relative_to(PROJECT_ROOT)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()
