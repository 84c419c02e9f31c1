"""The locks of a home, each holder a process of its own: a lock between two descriptors of one process would prove less."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from storage.home import Home
from storage.locks import (
    Holder,
    HomeBusy,
    Liveness,
    find_holder,
    forget_dead_runs,
    hold_home,
    probe_run,
    without_children,
)

HOLD = """
    import subprocess, sys, time
    from storage.home import Home
    from storage.locks import hold_home, inherited_by_children
    lives_on = "lives on" in sys.argv
    with hold_home(Home(sys.argv[1]), sys.argv[2], on_wait=lambda holder: print("waits for", holder.run_id, flush=True), lives_on=lives_on):
        if "child" in sys.argv:
            subprocess.Popen(["sleep", "3"], pass_fds=inherited_by_children(), stdout=subprocess.DEVNULL)
        print("holds", flush=True)
        time.sleep(float(sys.argv[3]))
    if lives_on:
        print("held", flush=True)
        time.sleep(60)
"""


def start(home: Path, run_id: str, seconds: float = 60, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(HOLD), str(home), run_id, str(seconds), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_second_run_waits_and_says_for_whom(tmp_path: Path) -> None:
    with start(tmp_path, "first", 1) as first:
        assert next_line(first) == "holds"
        waited: list[Holder | None] = []
        with hold_home(Home(tmp_path), "second", on_wait=waited.append):
            assert first.wait(1) == 0
    (holder,) = waited
    assert holder is not None and (holder.run_id, holder.pid) == ("first", first.pid)


def test_a_run_that_will_not_wait_ends_with_its_own_exit_code_and_names_the_holder(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with start(tmp_path, "first") as first:
        assert next_line(first) == "holds"
        with (
            pytest.raises(HomeBusy, match=f"run first .process {first.pid}") as refused,
            hold_home(home, "second", wait=False),
        ):
            pass
        assert refused.value.exit_code == 75
        assert probe_run(home, "second") is Liveness.UNKNOWN
        first.kill()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_dead_run_is_known_and_its_home_is_free(tmp_path: Path, how: signal.Signals) -> None:
    home = Home(tmp_path)
    with start(tmp_path, "first") as first:
        assert next_line(first) == "holds"
        assert probe_run(home, "first") is Liveness.LIVE
        found = find_holder(home)
        assert found is not None and found.run_id == "first"
        first.send_signal(how)
    assert probe_run(home, "first") is Liveness.DEAD
    assert find_holder(home) is None
    with hold_home(home, "second", wait=False):
        forget_dead_runs(home)
        assert probe_run(home, "first") is Liveness.UNKNOWN
        assert probe_run(home, "second") is Liveness.LIVE
    assert probe_run(home, "second") is Liveness.UNKNOWN


def test_a_waiting_run_is_alive_too(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with start(tmp_path, "first") as first:
        assert next_line(first) == "holds"
        with start(tmp_path, "second", 0) as second:
            assert next_line(second) == "waits for first"
            assert probe_run(home, "second") is Liveness.LIVE
            first.kill()
            assert next_line(second) == "holds"


def test_the_next_run_waits_for_the_children_of_a_dead_one(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with start(tmp_path, "first", 60, "child") as first:
        assert next_line(first) == "holds"
        first.kill()
    killed = time.monotonic()
    with without_children(home) as is_free:
        assert not is_free
    with hold_home(home, "second", wait=False):
        assert time.monotonic() - killed > 1
    with without_children(home) as is_free:
        assert is_free


def test_a_block_inside_a_block_passes(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with hold_home(home, "run", wait=False):
        with hold_home(home, "run", wait=False):
            pass
        found = find_holder(home)
        assert found is not None and found.run_id == "run"
