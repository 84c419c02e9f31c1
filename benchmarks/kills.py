"""The kill loop: a run is killed at a random instant, the next runs undisturbed, and the lake must equal the source.

    python -m benchmarks.kills [--kills 200] [--seed N] [--folder DIR]

Sources are the local Salesforce server (Bulk and REST), a Maildir and a feed; they change by seed between runs.
Sometimes records are purged, or days pass, after which every object is re-read in full: purged records must then be
there as they were, marked deleted. Alternate kills are drawn evenly over a whole run's time and evenly over its phases,
so that short phases such as the commit are hit too. One in five is interrupted (SIGINT, as by Ctrl-C or a cancelled
run) and cleans up after itself; the others get no chance to (SIGKILL). Right after a kill every visible load must be
whole; after the next run the newest version of each record must be the source's, column for column. Prints a line per
kill and ends with exit code 1 at the first difference.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Literal

from benchmarks.children import sources_of
from benchmarks.kill_check import find_broken_loads, find_differences
from benchmarks.kill_source import READ_WHOLE, ChangingSources
from ingestion.sources.mail.tables import MESSAGE_TABLE
from ingestion.sources.salesforce.objects import find_object
from storage.lake import Lake
from tests.support.fault_servers import ServerControl, start_fault_servers

STARTED = datetime(2026, 1, 5, 9, tzinfo=UTC)
BULK_FROM_ROWS = 100
KILLS_PER_LAKE = 10  # then a new lake, so that first loads are killed too
DONE = "done"
# Phases in which an instant decides whether a load exists: half of the kills drawn by phase hit them.
DECISIVE = ("commit", "commit to the log", "rewrite", "tombstones")
LONGEST_RUN_SECONDS = 300.0
INTERRUPTED_SHARE = 0.2
HOUR = timedelta(hours=1)
# Kinds of run: filling a new lake, reading what changed, or re-reading every object in full.
Kind = Literal["first", "later", "whole"]


@dataclass(frozen=True)
class Course:
    """When each phase of a whole run began, and when the run ended, in seconds from its start."""

    phases: tuple[tuple[str, float], ...]
    seconds: float

    def draw(self, rng: random.Random, by_phase: bool) -> tuple[str, int, float]:
        """Draw when to kill: after the nth start of a phase, and how many seconds later."""
        if not by_phase:
            return "", 0, rng.uniform(0, self.seconds)
        names = sorted({phase for phase, _ in self.phases})
        decisive = [name for name in names if name in DECISIVE]
        name = rng.choice(decisive if decisive and rng.random() < 0.5 else names)
        ends = [*(at for _, at in self.phases[1:]), self.seconds]
        places = [(began, end) for (phase, began), end in zip(self.phases, ends, strict=True) if phase == name]
        number = rng.randrange(len(places))
        began, end = places[number]
        return name, number + 1, rng.uniform(0, end - began)


@dataclass
class Outcome:
    """The result of the loop.

    Attributes:
        kills: Runs killed before their end.
        phases: Kills by the phase they hit.
        differences: What went wrong; empty if nothing did.
    """

    kills: int = 0
    phases: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)


class KillLoop:
    """The loop over one company.

    Args:
        folder: Where the company and the lakes are.
        seed: Seed of the changes and the kills.
        records: Salesforce records at the start; more are added.
        say: Prints a line.
    """

    def __init__(self, folder: Path, seed: int, *, records: int = 4500, say: Callable[[str], None] = print) -> None:
        # Set before the first child starts: killed children cannot release their semaphores, and the last one would
        # warn about it.
        os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker")
        os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
        self._folder = folder
        self._say = say
        self._random = random.Random(seed)
        # Separate, because the number of draws per kill depends on the machine's speed.
        self._happenings = random.Random(seed + 1)
        self._sources = ChangingSources(folder / "company", seed, STARTED, records)
        self._context = multiprocessing.get_context("forkserver")
        # Every child imports it first, so its package is preloaded too.
        main = sys.modules["__main__"].__spec__
        self._context.set_forkserver_preload(
            ["benchmarks.kill_child", "tests.support.fault_servers", *([main.parent] if main and main.parent else [])]
        )
        self._environment: dict[str, str] = {}
        self._lake_number = 0
        self._lake = Lake(folder / "lake-0")
        self._courses: dict[Kind, Course] = {}

    def run(self, kills: int) -> Outcome:
        """Kill this many runs; stops at the first difference."""
        outcome = Outcome()
        self._sources.prepare()
        with start_fault_servers(self._sources.folder) as endpoints:
            self._environment = sources_of(endpoints, self._folder)
            control = ServerControl(endpoints.salesforce_login_url, endpoints.ca_file)
            self._sources.fill(control)
            self._rehearse(control)
            outcome.differences += [f"before any kill: {each}" for each in self._look_for_differences(control)]
            killed_in_this_lake = 0
            self._new_lake()
            while outcome.kills < kills and not outcome.differences:
                if killed_in_this_lake == KILLS_PER_LAKE:
                    self._new_lake()
                    killed_in_this_lake = 0
                started = time.perf_counter()
                kind, changed = self._let_things_happen(control)
                phase = self._run_and_kill(kind, by_phase=outcome.kills % 2 == 1)
                outcome.differences += [f"after the kill: {each}" for each in find_broken_loads(self._lake)]
                self._age_files()
                if self._happenings.random() < 0.3:
                    changed += self._sources.change(control, timedelta(minutes=20))
                self._run_to_its_end()
                outcome.differences += self._look_for_differences(control)
                if phase:
                    outcome.kills += 1
                    killed_in_this_lake += 1
                    outcome.phases[phase] += 1
                where = f"kill {outcome.kills}, in '{phase}'" if phase else "the run ended before the kill"
                equal = "equal" if not outcome.differences else "DIFFERS"
                self._say(f"{where}, {kind}: {changed} changes, {time.perf_counter() - started:.1f} s, {equal}")
        return outcome

    def _rehearse(self, control: ServerControl) -> None:
        """Measure one run of each kind."""
        self._new_lake()
        self._courses["first"] = self._run_to_its_end()
        self._sources.change(control, HOUR)
        self._courses["later"] = self._run_to_its_end()
        self._sources.purge(control)
        self._sources.change(control, READ_WHOLE)
        self._courses["whole"] = self._run_to_its_end()

    def _let_things_happen(self, control: ServerControl) -> tuple[Kind, int]:
        """Change the sources between two runs; returns the kind of the next run and the number of changed records."""
        is_whole, purges = self._happenings.random() < 0.4, self._happenings.random() < 0.6
        if self._lake.open(find_object(self._sources.objects[0].name).table) is None:
            return "first", self._sources.change(control, HOUR)
        purged = self._sources.purge(control) if purges else 0
        return "whole" if is_whole else "later", purged + self._sources.change(
            control, READ_WHOLE if is_whole else HOUR
        )

    def _new_lake(self) -> None:
        shutil.rmtree(self._lake.root, ignore_errors=True)
        self._sources.forget_gone()
        self._lake_number += 1
        self._lake = Lake(self._folder / f"lake-{self._lake_number}")

    @contextmanager
    def _started(self) -> Iterator[tuple[BaseProcess, Connection]]:
        from benchmarks.kill_child import work

        reports, child_end = self._context.Pipe(duplex=False)
        arguments = (self._environment, str(self._lake.root), self._sources.now.isoformat(), child_end, BULK_FROM_ROWS)
        process = self._context.Process(target=work, args=arguments)
        process.start()
        child_end.close()
        try:
            yield process, reports
        finally:
            process.kill()
            process.join()
            reports.close()

    def _run_to_its_end(self) -> Course:
        with self._started() as (process, reports):
            phases = [(phase, time.perf_counter()) for phase in _receive(reports, LONGEST_RUN_SECONDS)]
            process.join()
            if process.exitcode or not phases or phases[-1][0] != DONE:
                raise RuntimeError(f"an undisturbed run ended with exit code {process.exitcode} after {phases[-1:]}")
        began = phases[0][1]
        return Course(tuple((phase, at - began) for phase, at in phases[:-1]), phases[-1][1] - began)

    def _run_and_kill(self, kind: Kind, by_phase: bool) -> str:
        """Start a run and kill or interrupt it; returns the phase, or an empty text if it had ended before."""
        from benchmarks.kill_child import INTERRUPTED

        is_interrupted = self._random.random() < INTERRUPTED_SHARE
        name, number, seconds = self._courses[kind].draw(self._random, by_phase)
        with self._started() as (process, reports):
            phase, passed = "", 0
            for phase in _receive(reports, LONGEST_RUN_SECONDS):
                passed += phase == name
                if not name or passed == number:
                    break
            ending = time.perf_counter() + seconds
            while (left := ending - time.perf_counter()) > 0 and phase != DONE:
                phase = next(_receive(reports, left), phase)
            assert process.pid is not None
            with suppress(ProcessLookupError):  # it has just ended on its own
                os.kill(process.pid, signal.SIGINT if is_interrupted else signal.SIGKILL)
            process.join(LONGEST_RUN_SECONDS)
            phase = [phase, *_receive(reports, 0)][-1]
            if process.exitcode not in (0, INTERRUPTED if is_interrupted else -signal.SIGKILL):
                raise RuntimeError(
                    f"a run that was to be killed ended by itself with exit code {process.exitcode} in '{phase}'"
                )
            if process.exitcode == 0 or phase == DONE:
                return ""
            return f"{phase} (interrupted)" if is_interrupted else phase

    def _age_files(self) -> None:
        """Age every file past vacuum's retention, so that vacuum deletes what the killed run left."""
        old = time.time() - 30 * 24 * 3600
        for path in Path(self._lake.root).rglob("*.parquet"):
            os.utime(path, (old, old))

    def _look_for_differences(self, control: ServerControl) -> list[str]:
        found = find_broken_loads(self._lake)
        for each in self._sources.objects:
            rows = [*control.present(each.name), *each.gone.values()]
            found += find_differences(
                self._lake, find_object(each.name).table, rows, key=["Id"], stamp="SystemModstamp", bad=each.bad
            )
        keys: list[Mapping[str, object]] = [
            {"mailbox": mailbox, "message_key": key} for mailbox, key in self._sources.messages()
        ]
        found += find_differences(
            self._lake, MESSAGE_TABLE, keys, key=["mailbox", "message_key"], stamp=None, only_keys=True
        )
        return found + find_differences(
            self._lake, "feed__campaign_costs", self._sources.feed_rows(), key=["campaign_id", "cost_date"], stamp=None
        )


def _receive(reports: Connection, seconds: float) -> Iterator[str]:
    """The phases as they begin, until the child ends, is killed, or reports nothing for `seconds`."""
    try:
        while reports.poll(seconds):
            yield str(reports.recv())
    except (EOFError, OSError):
        return


def main() -> None:
    """Run the loop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(1_000_000), help="drawn and printed where it is not given"
    )
    parser.add_argument("--folder", type=Path, help="where the lakes lie meanwhile")
    chosen = parser.parse_args()
    print(f"{chosen.kills} kills, seed {chosen.seed}", flush=True)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        outcome = KillLoop(Path(folder), chosen.seed, say=lambda line: print(line, flush=True)).run(chosen.kills)
    fell = ", ".join(f"{phase} {count}" for phase, count in outcome.phases.most_common())
    print(f"{outcome.kills} kills in {time.perf_counter() - started:.0f} s; they fell in: {fell}")
    for difference in outcome.differences:
        print(difference, file=sys.stderr)
    sys.exit(1 if outcome.differences else 0)


if __name__ == "__main__":
    main()
