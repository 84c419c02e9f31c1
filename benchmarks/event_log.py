"""Store one run's events with Dagster's own SQLite event log and with ours, side by side.

python -m benchmarks.event_log        (after a `salesops run` in the same SALESOPS_HOME)
"""

from __future__ import annotations

import tempfile
import time

from dagster._core.storage.event_log import SqliteEventLogStorage

from ingestion.sources.settings import load_settings
from orchestration.embedded import open_instance
from orchestration.event_log import KeptOpenSqliteEventLogStorage


def main() -> None:
    """Print wall and CPU seconds of each, twice."""
    with open_instance(load_settings().home_folder) as instance:
        newest = instance.get_runs(limit=1)[0]
        events = instance.all_logs(newest.run_id)
        for kind in (SqliteEventLogStorage, KeptOpenSqliteEventLogStorage) * 2:
            with tempfile.TemporaryDirectory() as folder:
                storage = kind(folder)
                storage.register_instance(instance)
                wall, cpu = time.perf_counter(), time.process_time()
                for event in events:
                    storage.store_event(event)
                print(
                    f"{kind.__name__}: {len(events)} events, {time.perf_counter() - wall:.1f} s wall, {time.process_time() - cpu:.1f} s CPU"
                )
                storage.dispose()


if __name__ == "__main__":
    main()
