"""A home's run history, read from the outside through Dagster's SQLite files, so that looking disturbs nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

UNFINISHED = ("QUEUED", "STARTING", "STARTED", "CANCELING")


@dataclass(frozen=True)
class RunHistory:
    """The runs of one home.

    Args:
        home: The home folder.
    """

    home: Path

    def run_ids(self) -> list[str]:
        """Every known run, oldest first."""
        return [row[0] for row in self._ask(self._runs, "select run_id from runs order by id")]

    def statuses(self) -> dict[str, str]:
        """The status of every run, such as `SUCCESS`."""
        return {row[0]: row[1] for row in self._ask(self._runs, "select run_id, status from runs")}

    def unfinished(self) -> dict[str, str]:
        """The runs that Dagster considers waiting or active, with their status."""
        return {run_id: status for run_id, status in self.statuses().items() if status in UNFINISHED}

    def steps(self, run_id: str) -> list[tuple[str, float]]:
        """The steps that a run has started, in order, each with its start in seconds since 1970."""
        return [(step, at) for kind, step, at in self._step_events(run_id) if kind == "STEP_START"]

    def working_time(self, run_id: str) -> tuple[float, float]:
        """When a run's first step began and its last step event came, in seconds since 1970.

        Raises:
            LookupError: No step has begun.
        """
        instants = [at for _, _, at in self._step_events(run_id)]
        if not instants:
            raise LookupError(f"run {run_id} has no steps")
        return min(instants), max(instants)

    @property
    def _runs(self) -> Path:
        return self.home / "dagster" / "history" / "runs.db"

    def _step_events(self, run_id: str) -> list[tuple[str, str, float]]:
        events = self.home / "dagster" / "history" / "runs" / f"{run_id}.db"
        rows = self._ask(
            events,
            "select dagster_event_type, step_key, timestamp from event_logs where dagster_event_type like 'STEP_%' order by id",
        )
        return [
            (kind, step, datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()) for kind, step, at in rows if step
        ]

    @staticmethod
    def _ask(file: Path, question: str) -> list[tuple[str, str, str]]:
        """Rows of one query; none if the file does not exist yet or its disk is full."""
        if not file.exists():
            return []
        try:
            with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=1)) as connection:
                return connection.execute(question).fetchall()
        except sqlite3.OperationalError:
            return []
