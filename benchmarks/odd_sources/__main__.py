"""Draw many odd sources and land each: exactly, or set aside with a reason, or after the remedy that its refusal names.

    python -m benchmarks.odd_sources [--count 2000] [--seed 1] [--only export]

Every twentieth source goes into a lake of its own; the others of those twenty follow into the same lake, so that what an odd
one left behind would block the next. Prints each fault with its number, and ends with exit code 1 if there was one.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.odd_sources.exports import draw_export, land_export
from benchmarks.odd_sources.feeds import draw_feed, land_feed
from benchmarks.odd_sources.mailboxes import draw_mailbox, land_mailbox
from benchmarks.odd_sources.outcome import Outcome, Tally
from ingestion.settings.load import load_settings_into_lake
from storage.lake import Lake
from storage.settings import PROJECT_ROOT

_PER_LAKE = 20
_BEGIN = datetime(2027, 1, 1, tzinfo=UTC)


def main() -> int:
    """Run the loop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=("export", "feed", "mailbox"))
    parser.add_argument("--number", type=int, help="This source alone.")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    tally, faults = run_loop(arguments.count, arguments.seed, only=arguments.only, number=arguments.number)
    print(
        f"{sum(tally.sources.values())} sources ({', '.join(f'{kind} {count}' for kind, count in tally.sources.items())}): "
        f"{tally.landed} records landed exactly, {tally.set_aside} were set aside"
    )
    print("remedies: " + ", ".join(f"{name} {count}" for name, count in tally.remedies.most_common()))
    print(f"faults: {faults}")
    return 1 if faults else 0


def run_loop(
    count: int, seed: int, *, only: str | None = None, number: int | None = None, say: Callable[[str], None] = print
) -> tuple[Tally, int]:
    """Draw and land `count` sources; returns what they came to, and how many faults there were."""
    tally, faults = Tally(), 0
    with tempfile.TemporaryDirectory() as place:
        for each in range(count) if number is None else [number]:
            folder = Path(place) / str(each)
            lake = Lake(Path(place) / f"lake{each // _PER_LAKE}")
            known_at = _BEGIN + timedelta(hours=each)
            if not lake.tables():
                load_settings_into_lake(lake, PROJECT_ROOT / "config", known_at=known_at, run_id="drawn")
            folder.mkdir()
            try:
                tally.add(_land(lake, folder, each, random.Random(f"{seed} {each}"), known_at, only))
            except Exception as error:  # whatever it is, the loop goes on and the fault is counted
                faults += 1
                say(
                    f"#{each}: {type(error).__name__}: {error}\n{''.join(traceback.format_tb(error.__traceback__)[-2:])}"
                )
    return tally, faults


def _land(
    lake: Lake, folder: Path, number: int, chance: random.Random, known_at: datetime, only: str | None
) -> Outcome:
    kind = only or chance.choice(("export", "export", "feed", "mailbox"))
    if kind == "feed":
        return land_feed(lake, draw_feed(chance, number), folder, f"payments_{number:06}.csv", known_at=known_at)
    if kind == "mailbox":
        return land_mailbox(lake, draw_mailbox(chance, number), folder, known_at=known_at)
    export = draw_export(chance, folder)
    return land_export(lake, export, folder, known_at=known_at, is_known=chance.random() < 0.4)


if __name__ == "__main__":
    sys.exit(main())
