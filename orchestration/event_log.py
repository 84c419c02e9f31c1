"""Dagster's SQLite event log with its connections kept open.

What belongs here: how the embedded instance stores events. What does not: anything a deployment on PostgreSQL would
need.

Dagster's own class opens a new SQLAlchemy engine for every event, and SQLite syncs the disk at every commit. With some
1,300 events per Salesops run, that took a third of its time (`python -m benchmarks.event_log` shows both side by side).
See docs/adr/0004.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from sqlalchemy.pool import QueuePool

_BUSY_TIMEOUT_SECONDS = 60


class KeptOpenSqliteEventLogStorage(SqliteEventLogStorage):
    """Dagster's own files and tables; only connection handling differs, and deleting a run deletes its file."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self._engines: dict[str, sqlalchemy.Engine] = {}
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> KeptOpenSqliteEventLogStorage:
        """Make the storage that dagster.yaml names; the base class would make one of its own type."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sqlalchemy.Connection]:
        with self._db_lock:
            engine = self._engines.get(shard)
            if engine is None:
                engine = self._engines[shard] = _create_engine(self.conn_string_for_shard(shard))
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection

    def delete_events(self, run_id: str) -> None:
        """Delete a run's events and its file; Dagster's own class would leave the emptied file."""
        with self._db_lock:
            if engine := self._engines.pop(run_id, None):
                engine.dispose()
            self._initialized_dbs.discard(run_id)
            for path in Path(self.path_for_shard(run_id)).parent.glob(f"{run_id}.db*"):
                path.unlink(missing_ok=True)
        with self.index_connection() as connection:
            self.delete_events_for_run(connection, run_id)
            # Dagster's own class keeps these forever: 158 rows per run.
            connection.execute(AssetCheckExecutionsTable.delete().where(AssetCheckExecutionsTable.c.run_id == run_id))
        self.free_concurrency_slots_for_run(run_id)

    def dispose(self) -> None:
        """Close the kept connections."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        super().dispose()


def _create_engine(address: str) -> sqlalchemy.Engine:
    # One connection per shard, used by one thread at a time: every use holds the storage's lock.
    engine = sqlalchemy.create_engine(
        address,
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=1,
        connect_args={"timeout": _BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
    )

    @sqlalchemy.event.listens_for(engine, "connect")
    def _sync_at_checkpoints(connection: Any, _record: Any) -> None:
        # In WAL mode a power cut can lose the last events, never the file; the lake's commits do not depend on them.
        connection.execute("pragma synchronous = normal")

    return engine
