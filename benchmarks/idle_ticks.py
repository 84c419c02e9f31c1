"""Run ticks that find nothing new, one after another: neither the home nor the time per tick may grow.

    python -m benchmarks.idle_ticks [--ticks 200] [--warm-up 40] [--seed 11]

The ticks run in this process, as a deployment's run in its code server. During the warm-up, caches and rolling
histories (runs, lake versions) reach their usual size. Then the first tenth of the ticks is compared with the last:
exit code 1 if the home grew by more than a tenth or a tick takes over a quarter longer. Prints a line every tenth tick.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

LARGEST_GROWTH = 1.10
LONGEST_TIME = 1.25
_SAID_EVERY = 10


@dataclass(frozen=True)
class Tick:
    """One idle tick: its duration, and the home's size on disk afterwards."""

    seconds: float
    megabytes: float


def compare_ends(ticks: Sequence[Tick], warm_up: int) -> tuple[str, list[str]]:
    """Compare the first tenth after the warm-up with the last tenth; returns a summary and the faults.

    Args:
        ticks: All ticks, in order.
        warm_up: Ticks to skip.

    Raises:
        ValueError: Fewer than ten ticks remain.
    """
    counted = ticks[warm_up:]
    tenth = len(counted) // 10
    if not tenth:
        raise ValueError(f"{len(counted)} ticks after a warm-up of {warm_up} are too few to compare")
    first, last = counted[:tenth], counted[-tenth:]
    megabytes = [mean(tick.megabytes for tick in part) for part in (first, last)]
    seconds = [median(tick.seconds for tick in part) for part in (first, last)]
    line = (
        f"first {tenth} ticks after the warm-up: {megabytes[0]:.1f} MB, {seconds[0]:.2f} s a tick; "
        f"last {tenth}: {megabytes[1]:.1f} MB, {seconds[1]:.2f} s a tick"
    )
    faults = []
    if megabytes[1] > LARGEST_GROWTH * megabytes[0]:
        faults.append(f"the home grew from {megabytes[0]:.1f} to {megabytes[1]:.1f} MB while nothing happened")
    if seconds[1] > LONGEST_TIME * seconds[0]:
        faults.append(f"a tick took {seconds[0]:.2f} s at first and {seconds[1]:.2f} s at last")
    return line, faults


def main() -> None:
    """Run the ticks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ticks", type=int, default=200)
    parser.add_argument("--warm-up", type=int, help="ticks that do not count; a fifth of them where it is not given")
    parser.add_argument("--seed", type=int, default=11)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "SALESOPS_HOME": folder,
            "SALESOPS_SIMULATE": "true",
            "SALESOPS_SIMULATION_SIZE": "tiny",
            "SALESOPS_SIMULATION_SEED": str(chosen.seed),
        }
        ticks = _tick(chosen.ticks)
    line, faults = compare_ends(ticks, chosen.ticks // 5 if chosen.warm_up is None else chosen.warm_up)
    print(line)
    for fault in faults:
        print(fault, file=sys.stderr)
    sys.exit(1 if faults else 0)


def _tick(count: int) -> list[Tick]:
    from ingestion.sources.settings import load_settings
    from orchestration.embedded import load_job, run_job

    settings = load_settings()
    home = settings.home_folder
    home.prepare()
    job = load_job(home)
    ticks: list[Tick] = []
    for number in range(count + 1):
        started = time.perf_counter()
        outcome = run_job(home, job, as_of=None, rebuild=False, on_step=lambda step: None)
        if number == 0:  # it builds everything; later ticks find nothing new
            continue
        if outcome.built:
            raise RuntimeError(f"tick {number} built something, though nothing had happened")
        ticks.append(Tick(time.perf_counter() - started, size_on_disk(home.root) / 1e6))
        if number % _SAID_EVERY == 0:
            print(f"tick {number}: {ticks[-1].seconds:.2f} s, {ticks[-1].megabytes:.1f} MB", flush=True)
    return ticks


def size_on_disk(folder: Path) -> int:
    """The bytes that a folder's files take on disk."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*"))


if __name__ == "__main__":
    main()
