"""Our event log answers as Dagster's own does, over the same files."""

import shutil
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

from orchestration.event_log import KeptOpenSqliteEventLogStorage
from storage.settings import PROJECT_ROOT


@dg.asset(check_specs=[dg.AssetCheckSpec("rows", asset="leads")])
def leads() -> dg.MaterializeResult:  # type: ignore[type-arg]  # with [None] Dagster takes it for an output of its own
    return dg.MaterializeResult(
        metadata={"rows": 3}, check_results=[dg.AssetCheckResult(check_name="rows", passed=True)]
    )


def test_events_written_by_ours_are_read_by_dagsters_own(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text(
        "event_log_storage:\n  module: orchestration.event_log\n  class: KeptOpenSqliteEventLogStorage\n"
        f"  config:\n    base_dir: {tmp_path / 'events'}\ntelemetry:\n  enabled: false\n"
    )
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert isinstance(instance.event_log_storage, KeptOpenSqliteEventLogStorage)
        result = dg.materialize([leads], instance=instance)
        written = [(log.timestamp, log.message) for log in instance.all_logs(result.run_id)]
        materialized = instance.get_latest_materialization_event(dg.AssetKey("leads"))
        assert materialized is not None and materialized.asset_materialization is not None
        assert materialized.asset_materialization.metadata["rows"].value == 3

    own = SqliteEventLogStorage(str(tmp_path / "events"))
    assert len(written) > 5
    assert [(log.timestamp, log.message) for log in own.get_logs_for_run(result.run_id)] == written


def test_the_projects_own_instance_queues_runs_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALESOPS_EVENT_LOG", str(tmp_path / "events"))
    shutil.copyfile(PROJECT_ROOT / "dagster.yaml", tmp_path / "dagster.yaml")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        queue = instance.get_concurrency_config()
        assert (
            queue.run_queue_config and queue.run_queue_config.max_concurrent_runs,
            queue.pool_config.default_pool_limit,
        ) == (1, 1)
