"""`salesops run`: progress while it works, and at its end what came out and where it lies."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from storage.settings import Settings, load_settings

# What a reader of the progress line calls the steps of the job.
_STEP_TITLES = {
    "settings": "settings → lake",
    "plans": "commission plans → lake",
    "salesforce": "CRM → lake",
    "telephony": "calls → lake",
    "mail": "mail → lake",
    "feeds": "feeds → lake",
    "files": "files → lake",
    "lake_snapshot": "picture of the lake",
    "dbt_marts": "lake → marts",
    "predictions": "lead scores and forecast",
    "dbt_after_models": "predictions → marts",
    "published_set": "publishing",
}


def run_pipeline(*, mapping: Path | None, files: Path | None, rebuild: bool) -> None:
    """Run the main job once and print the summary.

    Raises:
        SalesopsError: Something the user can put right; nothing that had landed or was published before is lost.
    """
    # The steps read their settings from the environment, as they do when a schedule starts them.
    for name, path in (("SALESOPS_MAPPING", mapping), ("SALESOPS_FILES", files)):
        if path is not None:
            os.environ[name] = str(path.absolute())
    settings = load_settings()
    console = Console(highlight=False)
    home = settings.home_folder
    home.prepare()
    home.claim(settings.origin)
    started = time.monotonic()
    with _progress(console) as progress:
        task = progress.add_task("starting", total=None)
        _check_mapping(settings)
        _prepare_company(settings, console, lambda title: progress.update(task, description=title))
        progress.update(task, description="reading the definitions")
        from orchestration.embedded import run_job

        outcome = run_job(
            home,
            as_of=datetime.now(UTC).replace(microsecond=0) if settings.has_source else None,
            rebuild=rebuild,
            on_step=lambda step: progress.update(task, description=_STEP_TITLES.get(step, step)),
        )
    from cli.summary import print_summary

    print_summary(console, home, outcome, seconds=time.monotonic() - started)


def _check_mapping(settings: Settings) -> None:
    """A wrong mapping file is told at once, before anything is read or started."""
    if settings.mapping:
        from ingestion.files import load_mapping

        load_mapping(settings.mapping)


def _prepare_company(settings: Settings, console: Console, on_step: Callable[[str], None]) -> None:
    if settings.has_source:
        return
    from simulation.company import create_company

    size, seed = settings.simulation_size, settings.simulation_seed
    console.print(f"No source is configured: this run plays a simulated company (size [bold]{size}[/], seed {seed}). See .env.example for your own.")
    on_step("simulating the company")
    create_company(settings.home_folder.simulation, size, seed)


def _progress(console: Console) -> Progress:
    return Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console, transient=True)
