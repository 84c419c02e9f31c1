"""`salesops run`: progress while it runs, then the results and where they are."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli.notices import print_notices
from cli.where import print_where
from ingestion.sources.settings import PlatformSettings, load_settings
from storage.errors import SalesopsError
from storage.lake import open_lake
from storage.locks import Holder, hold_home, inherited_by_children
from storage.origin import choose_company, enter_home

if TYPE_CHECKING:
    from orchestration.notices import Notice

# Step names as the progress line shows them.
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


def run_pipeline(
    *,
    mapping: Path | None,
    files: Path | None,
    rebuild: bool,
    window: tuple[datetime | None, datetime | None] = (None, None),
    wait: bool = True,
    simulate: bool = False,
) -> bool:
    """Run the main job once and print the summary, then the notices.

    Args:
        mapping: A mapping file.
        files: The folder with the export that it maps.
        rebuild: Build even if nothing landed.
        window: `[since, until)` of Salesforce to re-read, in UTC without a zone; nothing is re-read without `since`.
        wait: Whether to wait for another run on the same home.
        simulate: Play the simulated company.

    Returns:
        Whether everything requested was done.

    Raises:
        SalesopsError: Something the user can fix; data that had landed or was published before is kept.
    """
    # The steps read their settings from the environment, as in a scheduled run.
    for name, path in (("SALESOPS_MAPPING", mapping), ("SALESOPS_FILES", files)):
        if path is not None:
            os.environ[name] = str(path.absolute())
    if simulate:
        os.environ["SALESOPS_SIMULATE"] = "true"
    settings = load_settings()
    console = Console(highlight=False)
    try:
        settings = choose_company(settings)
    finally:  # on refusal too: it may show that the wrong settings file was used
        print_where(console, settings)
    _check_config(settings)
    _check_mapping(settings)
    settings = enter_home(settings)
    home = settings.home_folder
    started = time.monotonic()
    notices: list[Notice] = []
    run_id = str(uuid.uuid4())
    with (
        hold_home(home, run_id, wait=wait, on_wait=lambda holder: _say_wait(console, holder)),
        _print_at_the_end(console, notices),
    ):
        with _progress(console) as progress:
            task = progress.add_task("starting", total=None)
            with _company_in_the_making(settings) as wait_for_company:
                progress.update(task, description="reading the definitions")
                from orchestration.embedded import load_job, run_job

                job = load_job(home)
                progress.update(task, description="waiting for the simulated company")
                wait_for_company()
            outcome = run_job(
                home,
                job,
                run_id=run_id,
                as_of=None if settings.simulate else datetime.now(UTC).replace(microsecond=0),
                rebuild=rebuild,
                window=(window[0] and window[0].replace(tzinfo=UTC), window[1] and window[1].replace(tzinfo=UTC)),
                on_step=lambda step: progress.update(task, description=_STEP_TITLES.get(step, step)),
                on_notice=notices.append,
            )
        from cli.summary import print_summary

        print_summary(console, home, open_lake(settings), outcome, seconds=time.monotonic() - started)
    return not any(notice.is_undone for notice in notices)


def _say_wait(console: Console, holder: Holder | None) -> None:
    console.print(
        f"Another run is at work on this home: {holder or 'its name cannot be read'}. This one waits for it.",
        soft_wrap=True,
    )


@contextmanager
def _print_at_the_end(console: Console, notices: Sequence[Notice]) -> Iterator[None]:
    """Print the run's notices after everything else, even if it failed.

    An interrupted run prints one line instead (`cli.main`).
    """
    try:
        yield
    except Exception:
        print_notices(console, notices)
        raise
    print_notices(console, notices)


def _check_config(settings: PlatformSettings) -> None:
    """Report a missing or incomplete configuration folder before anything is written."""
    from ingestion.settings import require_config_folder

    require_config_folder(settings.config_dir)


def _check_mapping(settings: PlatformSettings) -> None:
    """Report a broken mapping file before anything is written."""
    if settings.mapping:
        from ingestion.sources.files.mapping import load_mapping

        load_mapping(settings.mapping)


@contextmanager
def _company_in_the_making(settings: PlatformSettings) -> Iterator[Callable[[], None]]:
    """Create the simulated company in a child process while this one loads definitions; yields the wait function."""
    if not settings.simulate:
        yield lambda: None
        return
    size, seed, folder = settings.simulation_size, settings.simulation_seed, settings.home_folder.simulation
    # -P: the home folder may be the working directory, and it also has a folder `simulation`.
    command = [
        sys.executable,
        "-P",
        "-m",
        "simulation",
        "--simulation-dir",
        str(folder),
        "--size",
        size,
        "--seed",
        str(seed),
    ]
    command += ["--parent-pid", str(os.getpid())]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, pass_fds=inherited_by_children()
    )

    def wait() -> None:
        _, complaint = process.communicate()
        if process.returncode:
            raise SalesopsError("The simulated company could not be made.", where=str(folder), fix=complaint.strip())

    try:
        yield wait
    finally:
        process.kill()
        process.wait()


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console, transient=True
    )
