"""`salesops doctor`: one line per precondition of a run.

What belongs here: the list of checks, running them, and the checks of settings, home and configuration. What does not:
the checks of sources (`cli.doctor_sources`) and of the files that runs leave (`cli.doctor_files`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console

from cli.check import Check
from cli.doctor_files import list_file_checks
from cli.doctor_sources import list_source_checks
from cli.where import describe_sources, print_where
from ingestion.sources.settings import PlatformSettings
from storage.errors import SalesopsError, SettingsError, StorageError, summarise
from storage.origin import choose_company, describe_origin, repair_origin
from storage.settings_file import FILE_VARIABLE, read_names

# The first run of a small company writes about 200 MB; with less free than this, a run will probably not finish.
LEAST_FREE_BYTES = 300_000_000


def examine(settings: PlatformSettings, *, repair: bool = False) -> int:
    """Run each check, print the result, and return the exit code: 1 if anything is wrong and was not repaired.

    Args:
        settings: The settings, as read.
        repair: Repair what can be repaired, then check it again.
    """
    console = Console(highlight=False, soft_wrap=True, markup=False)
    print_where(console, settings)
    failures = 0
    for check in list_checks(settings):
        try:
            try:
                found = check.find()
            except SalesopsError:
                if not (repair and check.repair):
                    raise
                _print(console, "mended", "yellow", f"{check.title}: {check.repair()}")
                found = check.find()
            _print(console, "ok", "green", f"{check.title}: {found}")
        except SalesopsError as error:
            failures += 1
            hint = "\n`salesops doctor --repair` mends this." if check.repair and not repair else ""
            _print(console, "wrong", "red", f"{check.title}: {error}{hint}")
        except Exception as error:  # an unexpected error is a finding too, and the remaining checks still run
            failures += 1
            _print(console, "wrong", "red", f"{check.title}: {type(error).__name__}: {summarise(error)}")
    return 1 if failures else 0


def list_checks(settings: PlatformSettings) -> list[Check]:
    """All checks, in print order."""
    return [
        Check("settings file", lambda: _check_settings_file(settings)),
        Check("home folder", lambda: _check_home(settings.home_folder.root)),
        Check("whose data the home holds", lambda: _check_origin(settings), lambda: _repair_origin(settings)),
        Check("sources", lambda: describe_sources(choose_company(settings))),
        Check("lake", lambda: _check_lake(settings)),
        Check("configuration", lambda: _check_config(settings)),
        Check("plans", lambda: _check_plans(settings.config_dir / "plans")),
        Check("boards", lambda: _check_boards(settings.config_dir / "boards")),
        *list_source_checks(settings),
        *list_file_checks(settings),
    ]


def _print(console: Console, outcome: str, colour: str, text: str) -> None:
    first, *further = text.splitlines()
    console.print(f"{outcome:<6}", style=colour, end=" ")
    console.print("\n       ".join([first, *further]))


def _check_settings_file(settings: PlatformSettings) -> str:
    path = settings.settings_file
    if path is None:
        return f"none: neither {FILE_VARIABLE}, nor .env here, nor salesops/.env in your configuration folder; defaults and the environment hold"
    known = {f"SALESOPS_{name.upper()}" for name in PlatformSettings.model_fields}
    unknown = [
        name for name in read_names(path) if name.startswith("SALESOPS_") and name.partition("__")[0] not in known
    ]
    if unknown:
        raise SettingsError(
            f"No setting has the name {', '.join(unknown)}.",
            where=str(path),
            fix="Compare with .env.example, which names them all.",
        )
    return str(path)


def _check_home(root: Path) -> str:
    """Check that the folder is writable and has room; if it does not exist yet, check the nearest existing parent."""
    folder = next(path for path in (root, *root.parents) if path.exists() or path.is_symlink())
    fix = "Set SALESOPS_HOME to a folder on a disk with room that you may write to."
    if not folder.is_dir():
        raise StorageError(
            "A file stands where the home folder, or one above it, should be.", where=str(folder), fix=fix
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StorageError("The home folder cannot be written.", where=str(folder), fix=fix)
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        raise StorageError(
            f"The disk of the home folder has {free / 1e6:,.0f} MB left; a run needs {LEAST_FREE_BYTES / 1e6:,.0f} MB or more.",
            where=str(root),
            fix=fix,
        )
    return f"{root}, {free / 1e9:,.1f} GB free" + ("" if root.exists() else "; the first run makes it")


def _check_origin(settings: PlatformSettings) -> str:
    held = settings.home_folder.read_origin()
    return describe_origin(held) if held else "nobody's yet"


def _repair_origin(settings: PlatformSettings) -> str:
    return f"it holds the data of: {describe_origin(repair_origin(settings))}"


def _check_lake(settings: PlatformSettings) -> str:
    from storage.lake import open_lake

    lake = open_lake(settings)
    return f"{len(lake.tables())} tables in {lake.root}"


def _check_config(settings: PlatformSettings) -> str:
    from ingestion.settings import read_company_settings
    from ingestion.sources.feeds.config_file import read_feed_settings
    from ingestion.sources.salesforce.config_file import read_salesforce_settings

    read_company_settings(settings.config_dir)
    read_salesforce_settings(settings.config_dir)
    read_feed_settings(settings.config_dir)
    return str(settings.config_dir)


def _check_plans(folder: Path) -> str:
    from incentives.plan_files import read_plan, read_plans

    _read_each(folder, read_plan)
    return f"{len(read_plans(folder))} in {folder}"


def _check_boards(folder: Path) -> str:
    from incentives.plan_files import read_board, read_boards

    _read_each(folder, read_board)
    return f"{len(read_boards(folder))} in {folder}"


def _read_each(folder: Path, read: Callable[[Path], object]) -> None:
    """Read every file, so that all problems are reported at once, not only those of the first file."""
    from incentives.plan_files import files_in
    from storage.operator_files import OperatorFileError, Problem

    def problems() -> Iterator[Problem]:
        for path in files_in(folder):
            try:
                read(path)
            except OperatorFileError as error:
                yield from error.problems

    if found := list(problems()):
        raise OperatorFileError(found)
