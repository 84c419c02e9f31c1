"""A short version of `benchmarks.kill_runs`; the long one is part of `make soak`."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.kill_runs import KillRuns
from tests.conftest import minutes_long

SEED = 11
PLAN = [("kill", "dbt_marts"), ("kill", "published_set"), ("term", "dbt_marts")]


@minutes_long
@pytest.mark.e2e
@pytest.mark.timeout(900)
def test_the_run_after_a_killed_one_publishes_what_its_twin_publishes(tmp_path: Path) -> None:
    said: list[str] = []
    outcome = KillRuns(tmp_path, SEED, kinds=["kill", "term"], days_every=len(PLAN), say=said.append).run(
        len(PLAN), plan=PLAN
    )

    assert outcome.faults == [], "\n".join(said)
    assert outcome.kinds == {"kill": 2, "term": 1}
    assert outcome.steps["published_set"] == 1
    assert all(reader["rounds"] for reader in outcome.readers)
