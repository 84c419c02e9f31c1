"""`salesops erase`: remove a person from the lake, then from everything built from it."""

from __future__ import annotations

import json
import shutil
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli.turns import take_turn
from ingestion.sources.settings import PlatformSettings, load_settings
from storage.errors import SalesopsError
from storage.home import Home, write_atomically
from storage.lake import open_lake
from storage.origin import choose_company

# Everything built from the lake, and copies of it: all of it is rebuilt.
_BUILT = (
    "warehouse.duckdb",
    "warehouse.duckdb.wal",
    "warehouse.duckdb.tmp",
    "simulations",
    "dbt",
    "lake_cache",
    "lake_snapshot.json",
)


def erase(email: str) -> None:
    """Erase one person and rebuild the marts without querying any source.

    Raises:
        SalesopsError: Nobody has this address, it belongs to a member of staff, or a step failed. Rerunning resumes
            where it stopped.
    """
    from ingestion.personal_data import PERSONAL_DATA
    from storage.erasure import erase_person
    from storage.upkeep import only_one_upkeep

    sys.argv[1:] = ["erase"]  # dbt writes the process's command line into run_results.json
    settings = choose_company(load_settings(), asks_sources=False)
    home, console = settings.home_folder, Console(highlight=False, soft_wrap=True)
    pending = home.root / "erasure_pending.json"
    erased_at = datetime.now(UTC).replace(microsecond=0)
    run_id = f"erase-{uuid.uuid4()}"
    with (
        take_turn(home, run_id, console),
        only_one_upkeep(home),
        _progress(console) as progress,
    ):
        task = progress.add_task("looking for the person", total=None)
        resumed = pending.exists()
        if resumed:
            begun = json.loads(pending.read_text(encoding="utf-8"))["begun_at"]
            console.print(
                f"The erasure begun at {begun} was not finished; this one finishes it if it is for the same person."
            )
        # Records that an erasure is unfinished, never whose.
        _mark(pending, erased_at)
        try:
            report = erase_person(
                open_lake(settings),
                email,
                PERSONAL_DATA,
                erased_at=erased_at,
                run_id=run_id,
                resumed=resumed,
                on_table=lambda table: progress.update(task, description=f"rewriting {table}"),
            )
        except SalesopsError as error:
            if not resumed and _left_all_as_it_was(error):
                pending.unlink()
            raise
        _drop_what_was_built(home)
        if home.published.exists():
            progress.update(task, description="building the marts again")
            _build_again(settings, home)
        pending.unlink()
    console.print(
        f"Erased: {report.records} records; {sum(report.rows_changed.values()):,} rows of {len(report.rows_changed)} lake tables were changed."
    )
    for table, rows in report.rows_changed.items():
        console.print(f"  {table:<40}{rows:>8,}")
    if report.shared:
        console.print(
            f"{report.shared} of the person's names and phone numbers are somebody else's on file too. They are gone from the person's own records; "
            "in free texts, calls and accounts they stayed, since they may be the other's."
        )
    console.print(f"Logged as {report.erasure_id} in the lake table erasure__log, without the person's data.")
    console.print(
        "Not reached from here: the sources (erase the person there too, or what they hold comes back), backups, and copies that readers made."
    )


def _mark(pending: Path, at: datetime) -> None:
    write_atomically(pending, json.dumps({"begun_at": at.isoformat()}) + "\n")


def _left_all_as_it_was(error: SalesopsError) -> bool:
    from storage.erasure import ErasureError

    return isinstance(error, ErasureError)


def _drop_what_was_built(home: Home) -> None:
    for name in _BUILT:
        path = home.root / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _build_again(settings: PlatformSettings, home: Home) -> None:
    from orchestration.embedded import load_job, run_job
    from publishing.published_set import remove_older_sets

    try:
        run_job(
            home,
            load_job(home),
            as_of=None if settings.simulate else datetime.now(UTC).replace(microsecond=0),
            rebuild=True,
            on_step=lambda step: None,
            only_from_lake=True,
        )
    except SalesopsError as error:
        raise SalesopsError(
            f"The person is gone from the lake, but the marts could not be built again: {error.what} The published sets still hold the person.",
            where=error.where,
            fix=f"{error.fix} Then run the same command again.".strip(),
        ) from error
    remove_older_sets(home)


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console, transient=True
    )
