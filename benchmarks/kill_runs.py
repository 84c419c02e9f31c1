"""The proof that runs survive: after a run disturbed at a random instant, one plain `salesops run` must match its twin.

    python -m benchmarks.kill_runs [--kills 100] [--seed N] [--kinds kill,term,int,ui,full] [--days-every 2] [--minutes M] [--folder DIR] [--keep]

Two homes play the same tiny company to the same simulated clock. The twin's runs go undisturbed, one a day. The other's
runs are killed (`kill`), ended by SIGTERM (`term`) or Ctrl-C (`int`), launched and terminated in the UI (`ui`), or lose
all disk space (`full`, which needs root for a tmpfs). Alternate instants are drawn evenly over the run's length and
evenly over its steps. After each, the next run, with no options and no intervention, must succeed and publish the same
marts as the twin; no process or temporary file may be left, and Dagster may have no unfinished run. Readers read the
published set all the while. Prints a line per disturbance, and ends with exit code 1 at the first fault.
"""

from __future__ import annotations

import argparse
import os
import random
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.dagster_ui import DagsterUi, serving
from benchmarks.disturbances import KINDS, Course, Disturbed, Stage, leftovers, strangers
from benchmarks.published_readers import PUBLISHED_FILE
from benchmarks.run_history import RunHistory
from benchmarks.run_processes import Command, environment_of, run_to_the_end
from benchmarks.small_disk import NoSmallDisk, SmallDisk, small_disk
from benchmarks.twins import find_differing_marts
from benchmarks.watched_readers import READER_MARK, Readers, reading

HEAL_SECONDS = 240.0
SETS_KEPT_AT_MOST = 4


@dataclass
class Outcome:
    """The result of the loop.

    Attributes:
        kinds: Disturbances by kind.
        steps: Disturbances by the step they hit.
        slowest_end: The longest time a run took to end after a signal.
        faults: What went wrong; empty if nothing did.
        readers: Each reader's own report.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)
    slowest_end: float = 0.0
    faults: list[str] = field(default_factory=list)
    readers: list[dict[str, object]] = field(default_factory=list)


class KillRuns:
    """The loop over one home and its twin.

    Args:
        folder: Where the homes are.
        seed: Seed of the company and of the draws.
        kinds: Kinds of disturbance; see `KINDS`.
        days_every: A day passes before every `days_every`-th disturbance; the others hit `salesops run --rebuild`.
        file_name: Name of the DuckDB file in a published set.
        end_within: Seconds within which a run must end after a signal.
        keep: Keep the homes for inspection.
        say: Prints a line.
    """

    def __init__(
        self,
        folder: Path,
        seed: int,
        *,
        kinds: Sequence[str] = KINDS,
        days_every: int = 2,
        file_name: str = PUBLISHED_FILE,
        end_within: float = 5.0,
        keep: bool = False,
        say: Callable[[str], None] = print,
    ) -> None:
        self._folder = folder
        self._seed = seed
        self._random = random.Random(seed)
        self._kinds = list(kinds)
        self._days_every = days_every
        self._file_name = file_name
        self._end_within = end_within
        self._keep = keep
        self._say = say
        self._twin = folder / "twin"
        self._commands = 0
        self._outcome = Outcome()
        self._courses: dict[str, Course] = {}

    def run(self, kills: int, *, seconds: float = float("inf"), plan: Sequence[tuple[str, str]] = ()) -> Outcome:
        """Disturb this many runs; stops at the first fault.

        Args:
            kills: Number of disturbances.
            seconds: Also stop after this time.
            plan: Kind and step of each, instead of drawing them; one that hits another step is retried.
        """
        ending = time.monotonic() + seconds
        with self._prepared() as (stage, disk, ui, readers):
            self._measure(stage, ui)
            missed = 0
            while (done := self._outcome.kinds.total()) < kills and not self._outcome.faults:
                if time.monotonic() > ending:
                    self._say(f"stopped after {done} disturbances: the time is over")
                    break
                kind, step = plan[done] if plan else (self._random.choice(self._kinds), None)
                is_new_day = (done + missed) % self._days_every == 0
                if is_new_day:
                    self._let_a_day_pass(stage)
                if disk:
                    disk.make_room()
                instant = self._courses["ui" if kind == "ui" else "command"].draw(
                    self._random, step, by_step=done % 2 == 1
                )
                if kind == "ui":
                    assert ui is not None
                    disturbed = stage.disturb_ui_run(ui, instant, rebuild=not is_new_day)
                else:
                    disturbed = stage.disturb_command(
                        kind, instant, rebuild=not is_new_day, mark=self._next_mark(), disk=disk
                    )
                self._outcome.faults += disturbed.faults
                is_hit = bool(disturbed.step) and step in (None, disturbed.step)
                missed += not is_hit
                if missed > kills + 10:
                    self._outcome.faults.append(f"{missed} runs had ended before they were disturbed")
                self._heal(stage, disturbed, ui, readers, is_hit=is_hit)
            self._outcome.readers = readers.stop()
            self._outcome.faults += [
                f"reader with {report['reader']}: {report['fault']}"
                for report in self._outcome.readers
                if report["fault"]
            ]
        return self._outcome

    @contextmanager
    def _prepared(self) -> Iterator[tuple[Stage, SmallDisk | None, DagsterUi | None, Readers]]:
        """The twin after its first run, a home copied from it, the UI, and active readers."""
        run_to_the_end("run", environment=self._environment(self._twin), mark=self._next_mark(), folder=self._folder)
        with ExitStack() as stack:
            disk = self._small_disk(stack)
            home = (disk.folder if disk else self._folder) / "home"
            # A copy, because both must share what is drawn once per home, such as the key that hashes published
            # addresses.
            shutil.copytree(self._twin, home, symlinks=True)
            stage = Stage(home, self._environment(home), self._folder, RunHistory(home), self._end_within)
            run_to_the_end("run", environment=stage.environment, mark=self._next_mark(), folder=self._folder)
            readers = stack.enter_context(reading(home / "published", file_name=self._file_name, say=self._say))
            ui = stack.enter_context(serving(home, stage.environment, self._folder)) if "ui" in self._kinds else None
            yield stage, disk, ui, readers

    def _small_disk(self, stack: ExitStack) -> SmallDisk | None:
        if "full" not in self._kinds:
            return None
        try:
            return stack.enter_context(small_disk(self._folder / "disk", keep=self._keep))
        except NoSmallDisk as error:
            if os.environ.get("CI"):
                raise
            self._say(f"without the kind `full`: {error}")
            self._kinds.remove("full")
            return None

    def _measure(self, stage: Stage, ui: DagsterUi | None) -> None:
        self._courses["command"] = stage.measure(rebuild=True, mark=self._next_mark())
        if ui:
            self._courses["ui"] = stage.measure_ui_run(ui)
        for name, course in self._courses.items():
            steps = ", ".join(f"{step} at {began:.1f}" for step, began in course.steps)
            self._say(f"an undisturbed run ({name}) takes {course.seconds:.1f} s: {steps}")
        self._outcome.faults += [f"before any disturbance: {each}" for each in self._differences(stage)]

    def _let_a_day_pass(self, stage: Stage) -> None:
        for home in (self._twin, stage.home):
            run_to_the_end(
                "simulate",
                "--advance-days",
                "1",
                environment=self._environment(home),
                mark=self._next_mark(),
                folder=self._folder,
            )
        run_to_the_end("run", environment=self._environment(self._twin), mark=self._next_mark(), folder=self._folder)

    def _heal(
        self, stage: Stage, disturbed: Disturbed, ui: DagsterUi | None, readers: Readers, *, is_hit: bool
    ) -> None:
        """Run once, at once and without options, and check everything that must then hold."""
        faults: list[str] = []
        began, known = time.monotonic(), set(stage.history.run_ids())
        command = Command("run", environment=stage.environment, mark=self._next_mark(), folder=self._folder)
        try:
            if code := command.finish(HEAL_SECONDS):
                faults.append(f"the run that follows ended with exit code {code}:\n{command.output()[-2500:]}")
            elif "Traceback" in command.output():
                faults.append(f"the run that follows printed a traceback:\n{command.output()[-2500:]}")
        except TimeoutError as error:
            faults.append(str(error))
        seconds = time.monotonic() - began
        if (
            not faults
            and (course := stage.course_of(command, known, time.time())).steps[-1][0]
            == self._courses["command"].steps[-1][0]
        ):
            self._courses["command"] = course  # a complete run again, at the machine's current speed
        differences = self._differences(stage) if not faults else []
        faults += differences
        faults += [f"Dagster takes run {run_id} for {status}" for run_id, status in stage.history.unfinished().items()]
        servers = frozenset(process.pid for process in ui.processes()) if ui else frozenset()
        faults += [f"a process is left: {each}" for each in strangers(stage.home, allowed={READER_MARK}, pids=servers)]
        faults += [f"a temporary file is left: {each}" for each in leftovers(stage.home)]
        if (kept := len(list((stage.home / "published" / "sets").iterdir()))) > SETS_KEPT_AT_MOST:
            faults.append(f"{kept} published sets are kept")
        faults += readers.faults()
        if ui and not ui.is_alive:
            faults.append(f"the UI has ended:\n{ui.output()[-2500:]}")
        self._report(
            disturbed, seconds, is_equal=not differences, is_fine=not faults and not disturbed.faults, is_hit=is_hit
        )
        self._outcome.faults += faults

    def _report(
        self, disturbed: Disturbed, heal_seconds: float, *, is_equal: bool, is_fine: bool, is_hit: bool
    ) -> None:
        verdict = "DIFFERS" if not is_equal else "equal" if is_fine else "FAULT"
        if not is_hit:
            where = f"fell in {disturbed.step}" if disturbed.step else "the run had ended before"
            self._say(f"not counted: {disturbed.kind}, {where}; the next run took {heal_seconds:.1f} s, {verdict}")
            return
        self._outcome.kinds[disturbed.kind] += 1
        self._outcome.steps[disturbed.step] += 1
        self._outcome.slowest_end = (
            max(self._outcome.slowest_end, disturbed.seconds or 0.0)
            if disturbed.kind != "full"
            else self._outcome.slowest_end
        )
        ended = "at once" if disturbed.seconds is None else f"after {disturbed.seconds:.1f} s"
        number = self._outcome.kinds.total()
        self._say(
            f"{number}: {disturbed.kind} in {disturbed.step}, ended ({disturbed.ending}) {ended}, healed in {heal_seconds:.1f} s, {verdict}"
        )

    def _differences(self, stage: Stage) -> list[str]:
        return find_differing_marts(
            stage.home / "published" / "current", self._twin / "published" / "current", file_name=self._file_name
        )

    def _environment(self, home: Path) -> dict[str, str]:
        return environment_of(home, self._seed)

    def _next_mark(self) -> str:
        self._commands += 1
        return f"command-{self._commands}"


def summarise(outcome: Outcome, seconds: float) -> str:
    """The last lines: counts by kind and step, the slowest end, the readers' rounds."""
    kinds = ", ".join(f"{kind} {count}" for kind, count in outcome.kinds.most_common())
    steps = ", ".join(f"{step} {count}" for step, count in outcome.steps.most_common())
    rounds = "; ".join(
        f"{report['reader']}: {report['rounds']} rounds over {report['sets']} sets" for report in outcome.readers
    )
    return (
        f"{outcome.kinds.total()} disturbances in {seconds:.0f} s ({kinds}); they fell in: {steps}\n"
        f"slowest end after a signal: {outcome.slowest_end:.1f} s; readers: {rounds}"
    )


def main() -> None:
    """Run the loop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100, help="how many runs are disturbed")
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(1_000_000), help="drawn and printed where it is not given"
    )
    parser.add_argument("--kinds", default=",".join(KINDS), help="of disturbances")
    parser.add_argument("--days-every", type=int, default=2, help="a day passes before every so-manieth disturbance")
    parser.add_argument("--minutes", type=float, default=180, help="stop after this time")
    parser.add_argument("--end-within", type=float, default=5.0, help="seconds in which a run must end after a signal")
    parser.add_argument("--folder", type=Path, help="where the homes lie meanwhile")
    parser.add_argument("--keep", action="store_true", help="leave the homes for inspection")
    chosen = parser.parse_args()
    kinds = chosen.kinds.split(",")
    if unknown := set(kinds) - set(KINDS):
        parser.error(f"there is no kind {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")
    # A shell starts background commands with Ctrl-C ignored, and the runs would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print(f"{chosen.kills} disturbances, seed {chosen.seed}", flush=True)
    started = time.perf_counter()
    folder = Path(tempfile.mkdtemp(dir=chosen.folder, prefix="kill-runs-"))
    loop = KillRuns(
        folder,
        chosen.seed,
        kinds=kinds,
        days_every=chosen.days_every,
        end_within=chosen.end_within,
        keep=chosen.keep,
        say=lambda line: print(line, flush=True),
    )
    try:
        outcome = loop.run(chosen.kills, seconds=chosen.minutes * 60)
    finally:
        if chosen.keep:
            print(f"the homes are kept in {folder} (`umount {folder}/disk` where it is mounted)", flush=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(summarise(outcome, time.perf_counter() - started))
    for fault in outcome.faults:
        print(fault, file=sys.stderr)
    sys.exit(1 if outcome.faults else 0)


if __name__ == "__main__":
    main()
