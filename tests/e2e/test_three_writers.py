"""Several runs of one home at once: they take turns, each publishes its own set, and readers notice nothing."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.dagster_ui import FINISHED, serving
from benchmarks.disturbances import LONGEST_RUN_SECONDS
from benchmarks.run_history import RunHistory
from benchmarks.run_processes import Command, environment_of, run_to_the_end
from benchmarks.watched_readers import reading
from storage.home import Home
from storage.locks import hold_home
from tests.conftest import minutes_long

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

SEED = 11
BUSY = 75


@minutes_long
def test_three_writers_finish_one_after_the_other_and_each_publishes_its_own_set(tmp_path: Path, home: Path) -> None:
    environment, history = environment_of(home, SEED), RunHistory(home)
    run_to_the_end("run", environment=environment, mark="first", folder=tmp_path)
    known = set(history.run_ids())

    with serving(home, environment, tmp_path) as ui, reading(home / "published") as readers:
        commands = [
            Command("run", "--rebuild", environment=environment, mark=f"writer-{number}", folder=tmp_path)
            for number in (1, 2)
        ]
        launched = ui.launch(rebuild=True)
        codes = [command.finish(2 * LONGEST_RUN_SECONDS) for command in commands]
        status = ui.wait_for_status(launched, FINISHED, LONGEST_RUN_SECONDS)
        reports = readers.stop()

    assert codes == [0, 0], "\n".join(command.output() for command in commands)
    assert status == "SUCCESS", ui.output()
    assert [each["fault"] for each in reports] == [None] * len(reports)

    writers = [run_id for run_id in history.run_ids() if run_id not in known]
    assert len(writers) == 3 and launched in writers
    worked = sorted(history.working_time(run_id) for run_id in writers)
    assert all(ended <= began for (_, ended), (began, _) in pairwise(worked)), f"runs worked at once: {worked}"
    sets = {path.name for path in (home / "published" / "sets").iterdir()}
    assert set(writers) <= sets
    last = max(writers, key=history.working_time)
    assert (home / "published" / "current").resolve().name == last
    assert history.unfinished() == {}


def test_a_run_that_does_not_want_to_wait_ends_at_once(tmp_path: Path, home: Path) -> None:
    with hold_home(Home(home), "working", wait=False):
        command = Command("run", "--no-wait", environment=environment_of(home, SEED), mark="impatient", folder=tmp_path)
        code = command.finish(LONGEST_RUN_SECONDS)

    assert code == BUSY, command.output()
    assert "Traceback" not in command.output()
    assert str(os.getpid()) in command.output(), "it does not say whom it would wait for"
    assert not (home / "lake").exists()
