"""Wall time of `salesops run --simulate` on the company `small`, first and second run, and the share of start-up.

    python -m benchmarks.run_time [--size tiny|small]

Start-up is the time before a step does any work of its own: importing Dagster and dbt, parsing the dbt project, and
loading the code location. It is measured in a separate process within the same call, so that all figures see the same
machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_START_UP = """
import time
started = time.perf_counter()
from ingestion.sources.settings import load_settings
from warehouse.manifest import prepare_manifest
imported = time.perf_counter()
prepare_manifest(load_settings().home_folder)
parsed = time.perf_counter()
from orchestration.definitions import defs
defs().resolve_job_def("salesops")
print(f"{parsed - imported:.1f} {time.perf_counter() - parsed + imported - started:.1f}")
"""


def main() -> None:
    """Measure in a fresh home and print one line per figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="small", choices=["tiny", "small", "medium", "large"])
    size = parser.parse_args().size
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "SALESOPS_HOME": folder, "SALESOPS_SIMULATION_SIZE": size}
        first = _time_run(environment)
        steps = _read_step_seconds(folder)
        second = _time_run(environment)
        with tempfile.TemporaryDirectory() as empty:
            start_up = subprocess.run(
                [sys.executable, "-c", _START_UP],
                env={**environment, "SALESOPS_HOME": empty},
                check=True,
                capture_output=True,
                text=True,
            ).stdout.split()
    parse, imports = (float(figure) for figure in start_up[-2:])
    print(
        f"first run, {size}: {first:.1f} s, of which dbt parse {parse:.1f} s and Dagster and dbt imports and definitions {imports:.1f} s"
    )
    print(f"  start-up share: {(parse + imports) / first:.0%}")
    for step, seconds in sorted(steps.items(), key=lambda item: -item[1]):
        print(f"  step {step}: {seconds:.1f} s")
    print(f"second run, nothing new: {second:.1f} s ({second / first:.2f} of the first)")


def _time_run(environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(
        [str(Path(sys.executable).with_name("salesops")), "run", "--simulate"],
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - started


def _read_step_seconds(folder: str) -> dict[str, float]:
    stored: dict[str, float] = json.loads((Path(folder) / "step_seconds.json").read_text(encoding="utf-8"))
    return stored


if __name__ == "__main__":
    main()
