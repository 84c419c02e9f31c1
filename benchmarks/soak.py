"""The long loop: many simulated days, one run per day, each checking the headline KPIs against the simulation's tally.

    python -m benchmarks.soak [--days 30] [--seed 11]

Prints a line per day and ends with exit code 1 at the first figure that differs. Dated results: docs/soak.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from decimal import Decimal

METRICS = (
    "leads_generated",
    "deals_closed",
    "bookings",
    "calls_placed",
    "phone_seconds",
    "emails_sent",
    "meetings_held",
    "invoiced",
    "collected",
)


def main() -> None:
    """Run the loop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=11)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        simulation = {
            "SALESOPS_SIMULATE": "true",
            "SALESOPS_SIMULATION_SIZE": "tiny",
            "SALESOPS_SIMULATION_SEED": str(arguments.seed),
        }
        os.environ |= {"SALESOPS_HOME": folder, **simulation}
        sys.exit(_play(arguments.days))


def _play(days: int) -> int:
    from ingestion.sources.settings import load_settings
    from orchestration.embedded import load_job, run_job
    from simulation.company import create_company
    from simulation.truth import tally
    from storage.warehouse import open_published

    settings = load_settings()
    home = settings.home_folder
    home.prepare()
    company = create_company(home.simulation, settings.simulation_size, settings.simulation_seed)
    job = load_job(home)
    for day in range(days + 1):
        started = time.perf_counter()
        run_job(home, job, as_of=None, rebuild=False, on_step=lambda step: None)
        truth: dict[str, Decimal] = {}
        for row in tally(home.simulation, company.now).to_pylist():
            if row["entity_type"] == "company" and row["metric"] in METRICS:
                truth[row["metric"]] = truth.get(row["metric"], Decimal(0)) + row["value"]
        sums = ", ".join(f"sum({metric})" for metric in METRICS)
        with open_published(home) as published:
            found = published.execute(f"select {sums} from kpi_company_month").fetchone() or ()
        differing = [
            metric
            for metric, value in zip(METRICS, found, strict=True)
            if Decimal(value or 0) != truth.get(metric, Decimal(0))
        ]
        print(
            f"day {day}, {company.now:%Y-%m-%d}: {time.perf_counter() - started:.1f} s, {'equal' if not differing else f'differs: {differing}'}",
            flush=True,
        )
        if differing:
            return 1
        company.advance(1)
    return 0


if __name__ == "__main__":
    main()
