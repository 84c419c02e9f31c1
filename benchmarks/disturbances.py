"""The ways in which the kill loop disturbs a run, and when.

What belongs here: one run, from its start to the end of its last process. What does not: the next run, which must heal
(`kill_runs`).
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.dagster_ui import FINISHED, DagsterUi
from benchmarks.run_history import RunHistory
from benchmarks.run_processes import Command, processes_of, wait_until_gone
from benchmarks.small_disk import SmallDisk

KINDS = ("kill", "term", "int", "ui", "full")
END_WITHIN_SECONDS = 5.0
# In its first second a Python program has not installed its signal handlers: a signal kills it, as it would any
# program.
DEAF_SECONDS = 1.0
START = "start"
LONGEST_RUN_SECONDS = 300.0
_LINES_ALLOWED = 1
_ENDED_BY_ITSELF_SECONDS = 120.0  # a run on a full disk notices at its next write
_OVER = "Where things lie"  # the end of a successful run's output
_EXIT_CODES = {"kill": (-signal.SIGKILL,), "term": (143,), "int": (130,), "full": (1,)}
_SIGNALS = {"kill": signal.SIGKILL, "term": signal.SIGTERM, "int": signal.SIGINT}


@dataclass(frozen=True)
class Course:
    """An undisturbed run: when each of its steps began, and its length, in seconds from its start."""

    steps: tuple[tuple[str, float], ...]
    seconds: float

    def draw(self, rng: random.Random, step: str | None = None, *, by_step: bool = False) -> Instant:
        """Draw when to disturb a run.

        Args:
            rng: The random generator.
            step: Disturb in the first half of this step; None allows any step.
            by_step: Draw the step first, with equal chances, so that short ones are hit too; otherwise draw evenly over
                the run.
        """
        spans = list(zip(self.steps, [*(began for _, began in self.steps[1:]), self.seconds], strict=True))
        if step is None and not by_step:
            return Instant(None, rng.uniform(0, self.seconds))
        name = step or rng.choice([name for (name, _), _ in spans])
        lasted = next((end - began for (each, began), end in spans if each == name), None)
        if lasted is None:
            raise ValueError(f"an undisturbed run has no step {name}, only {[each for each, _ in self.steps]}")
        # A run can be faster than the measured one, and would then have passed the last moments of the step.
        return Instant(name, rng.uniform(0, (0.5 if step else 0.9) * lasted))


@dataclass(frozen=True)
class Instant:
    """Seconds after the start of a step, or of the run if no step is named."""

    step: str | None
    seconds: float


@dataclass
class Disturbed:
    """A disturbed run.

    Attributes:
        kind: The kind of disturbance.
        step: The step it hit; empty if the run had ended before.
        ending: The exit code, or the status in Dagster.
        seconds: From the signal to the end of its last process; None after a kill, whose children are checked later.
        mark: The mark of its processes.
        faults: What went wrong.
    """

    kind: str
    step: str
    ending: str
    seconds: float | None
    mark: str
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Stage:
    """Where runs are disturbed.

    Attributes:
        home: The home.
        environment: Environment of its commands.
        folder: Folder for their output.
        history: Reads Dagster's storage.
        end_within: Seconds within which a run must end after a signal.
    """

    home: Path
    environment: dict[str, str]
    folder: Path
    history: RunHistory
    end_within: float = END_WITHIN_SECONDS

    def disturb_command(
        self, kind: str, instant: Instant, *, rebuild: bool, mark: str, disk: SmallDisk | None = None
    ) -> Disturbed:
        """Start `salesops run` and disturb it with a signal or a full disk."""
        known = set(self.history.run_ids())
        command = Command(
            "run", *(["--rebuild"] if rebuild else []), environment=self.environment, mark=mark, folder=self.folder
        )
        try:
            earliest = time.monotonic() + (DEAF_SECONDS if kind in ("term", "int") else 0)
            step = self._wait_for(instant, lambda: self._steps_of_newest(known), lambda: command.process.poll() is None)
            while time.monotonic() < earliest and command.process.poll() is None:
                time.sleep(0.01)
            if kind == "full":
                assert disk is not None
                return self._fill_disk(command, step, disk)
            return self._send(kind, command, step)
        finally:
            if command.process.poll() is None:
                command.end()

    def disturb_ui_run(self, ui: DagsterUi, instant: Instant, *, rebuild: bool) -> Disturbed:
        """Launch a run in the UI and terminate it there."""
        before = frozenset(process.pid for process in ui.processes())
        run_id = ui.launch(rebuild=rebuild)
        # It first waits in the daemon's queue; its clock starts when it leaves the queue.
        status = ui.wait_for_status(run_id, ("STARTED", *FINISHED), LONGEST_RUN_SECONDS)
        if status not in ("STARTED", "SUCCESS"):
            return Disturbed("ui", START, status, None, "", [f"the run launched at the UI is {status}"])
        is_at_work = lambda: ui.status(run_id) not in FINISHED  # noqa: E731  # three words
        step = self._wait_for(instant, lambda: _names(self.history.steps(run_id)), is_at_work)
        if (status := ui.status(run_id)) in FINISHED:
            return Disturbed(
                "ui",
                "",
                status,
                None,
                "",
                [] if status == "SUCCESS" else [f"the run launched at the UI ended by itself: {status}"],
            )
        sent = time.monotonic()
        ui.terminate(run_id)
        mark = next((process.mark for process in ui.processes()), "")
        left = wait_until_gone(self.home, mark=mark, seconds=self.end_within, except_for=before)
        seconds = time.monotonic() - sent
        faults = [
            f"process {each.pid} still runs {self.end_within:.0f} s after the run was terminated: {each.command_line}"
            for each in left
        ]
        status = ui.wait_for_status(run_id, FINISHED, max(0.0, self.end_within - seconds))
        if status == "SUCCESS":  # it finished while being terminated
            return Disturbed("ui", "", status, None, "", faults)
        if status != "CANCELED":
            faults.append(f"the run terminated at the UI is {status}")
        return Disturbed("ui", step, status, seconds, "", faults)

    def measure(self, *, rebuild: bool, mark: str) -> Course:
        """The course of an undisturbed `salesops run`.

        Raises:
            RuntimeError: The run failed.
        """
        known = set(self.history.run_ids())
        command = Command(
            "run", *(["--rebuild"] if rebuild else []), environment=self.environment, mark=mark, folder=self.folder
        )
        code = command.finish(LONGEST_RUN_SECONDS)
        ended = time.time()
        if code:
            raise RuntimeError(f"an undisturbed run ended with exit code {code}:\n{command.output()}")
        return self.course_of(command, known, ended)

    def course_of(self, command: Command, known: set[str], ended: float) -> Course:
        """The course of a completed command.

        Args:
            command: The command.
            known: The runs that existed before it.
            ended: When it ended, in seconds since 1970.
        """
        run_id = next(run_id for run_id in self.history.run_ids() if run_id not in known)
        return self._course(run_id, command.began, ended)

    def measure_ui_run(self, ui: DagsterUi) -> Course:
        """The course of an undisturbed run launched in the UI, from when it leaves the queue.

        Raises:
            RuntimeError: The run failed.
        """
        run_id = ui.launch(rebuild=True)
        ui.wait_for_status(run_id, ("STARTED", *FINISHED), LONGEST_RUN_SECONDS)
        began = time.time()
        status = ui.wait_for_status(run_id, FINISHED, LONGEST_RUN_SECONDS)
        if status != "SUCCESS":
            raise RuntimeError(f"an undisturbed run at the UI ended as {status}")
        return self._course(run_id, began, time.time())

    def _course(self, run_id: str, began: float, ended: float) -> Course:
        return Course(((START, 0.0), *((step, at - began) for step, at in self.history.steps(run_id))), ended - began)

    def _steps_of_newest(self, known: set[str]) -> list[str]:
        fresh = [run_id for run_id in self.history.run_ids() if run_id not in known]
        return _names(self.history.steps(fresh[-1])) if fresh else [START]

    def _wait_for(self, instant: Instant, started: Callable[[], list[str]], is_at_work: Callable[[], bool]) -> str:
        """Wait for the instant, or for the run to end; returns the step it is in then."""
        deadline = time.monotonic() + LONGEST_RUN_SECONDS
        # A short step may be over before its start is noticed; the instant then falls into the next one.
        while (
            instant.step is not None and instant.step not in started() and is_at_work() and time.monotonic() < deadline
        ):
            time.sleep(0.03)
        ending = time.monotonic() + instant.seconds
        while (left := ending - time.monotonic()) > 0 and is_at_work():
            time.sleep(min(left, 0.05))
        return started()[-1]

    def _send(self, kind: str, command: Command, step: str) -> Disturbed:
        number, lines_before = _SIGNALS[kind], len(command.output().splitlines())
        if command.process.poll() is not None:
            return self._ended_before(kind, command)
        sent = time.monotonic()
        if kind == "int":
            os.killpg(command.process.pid, number)  # as a terminal does: to the whole foreground group
        else:
            os.kill(command.process.pid, number)
        code = None
        with suppress(subprocess.TimeoutExpired):  # then its process is among those left
            code = command.process.wait(LONGEST_RUN_SECONDS if kind == "kill" else self.end_within)
        if code == 0:
            return self._ended_before(kind, command)
        left = (
            []
            if kind == "kill"
            else wait_until_gone(
                self.home, mark=command.mark, seconds=max(0.0, self.end_within - (time.monotonic() - sent))
            )
        )
        seconds = time.monotonic() - sent
        faults = [
            f"process {each.pid} still runs {self.end_within:.0f} s after {number.name}: {each.command_line}"
            for each in left
        ]
        # Before Python runs our code, and while it shuts down at the end, a signal has its default effect.
        is_outside_the_run = step == START or _OVER in command.output()
        allowed = (*_EXIT_CODES[kind], *((-number,) if is_outside_the_run else ()))
        if code is not None and code not in allowed:
            faults.append(
                f"the run ended with exit code {code} after {number.name}, not {allowed[0]}:\n{command.output()[-1500:]}"
            )
        said = command.output().splitlines()[lines_before:]
        if kind != "kill" and len([line for line in said if line.strip()]) > _LINES_ALLOWED:
            faults.append(
                f"the run ended with {len(said)} lines after {number.name}, not with one:\n" + "\n".join(said[:40])
            )
        return Disturbed(kind, step, str(code), None if kind == "kill" else seconds, command.mark, faults)

    def _fill_disk(self, command: Command, step: str, disk: SmallDisk) -> Disturbed:
        if command.process.poll() is not None:
            return self._ended_before("full", command)
        filled = time.monotonic()
        with disk.filled():
            try:
                code = command.finish(_ENDED_BY_ITSELF_SECONDS)
            except TimeoutError as error:
                return Disturbed("full", step, "none", None, command.mark, [f"on a full disk: {error}"])
            if code == 0:
                return self._ended_before("full", command)
            left = wait_until_gone(self.home, mark=command.mark, seconds=self.end_within)
        faults = [f"process {each.pid} outlived the run on a full disk: {each.command_line}" for each in left]
        printed = command.output()
        if code != 1 or "Traceback" in printed or "full" not in printed.lower() or str(self.home) not in printed:
            faults.append(
                f"on a full disk the run ended with exit code {code} and did not say that the disk is full, and where:\n{printed[-2500:]}"
            )
        return Disturbed("full", step, str(code), time.monotonic() - filled, command.mark, faults)

    def _ended_before(self, kind: str, command: Command) -> Disturbed:
        """A run that finished before the disturbance took effect; it must have succeeded."""
        code = command.process.poll()
        faults = (
            [f"a run that was to be disturbed failed by itself, exit code {code}:\n{command.output()[-1500:]}"]
            if code
            else []
        )
        return Disturbed(kind, "", str(code), None, command.mark, faults)


def _names(steps: list[tuple[str, float]]) -> list[str]:
    return [START, *(step for step, _ in steps)]


def leftovers(home: Path) -> list[str]:
    """Temporary files that must not be in a home after a run has healed it."""
    patterns = ("*.partial", ".*.tmp", ".write-probe-*")
    return sorted(str(path.relative_to(home)) for pattern in patterns for path in home.rglob(pattern))


def strangers(home: Path, *, allowed: set[str], pids: frozenset[int]) -> list[str]:
    """Processes on a home that should not be there.

    Args:
        home: The home.
        allowed: Marks of readers.
        pids: Ids of the UI's own servers.
    """
    return [
        f"{each.pid} {each.command_line}"
        for each in processes_of(home)
        if each.mark not in allowed and each.pid not in pids
    ]
