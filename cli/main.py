"""Entry point: the commands, and the one place that turns an error into a message and an exit code."""

from __future__ import annotations

import logging
import os
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ingestion.sources.settings import load_settings
from storage.errors import SalesopsError, UsageError
from storage.home import use_private_modes
from storage.interrupts import Interrupts, watch_interrupts
from storage.room import DiskFull, is_disk_full, is_out_of_room

WINDOW_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]

app = typer.Typer(
    name="salesops",
    help="Sales operations as one data pipeline: CRM, mail and calls in; KPIs, forecasts, commissions and leaderboards out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
commissions = typer.Typer(help="Plans, commission lines and where they come from.", no_args_is_help=True)
app.add_typer(commissions, name="commissions")
lake = typer.Typer(help="The lake: what loads brought, compaction, vacuum, backup and restore.", no_args_is_help=True)
app.add_typer(lake, name="lake")
quarantine = typer.Typer(help="Rows that were set aside, and bringing them back.", no_args_is_help=True)
app.add_typer(quarantine, name="quarantine")
files = typer.Typer(help="Exports that a mapping file reads.", no_args_is_help=True)
app.add_typer(files, name="files")


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"salesops {version('salesops')}")
        raise typer.Exit()


@app.callback()
def _take_options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Global options."""


@app.command()
def run(
    mapping: Annotated[
        Path | None, typer.Option(help="YAML file that maps an export, such as config/mappings/maven_crm.yml.")
    ] = None,
    files: Annotated[Path | None, typer.Option(help="Folder with the export's files.")] = None,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Play the simulated company; needed at its first run only.")
    ] = False,
    rebuild: Annotated[bool, typer.Option(help="Build and publish even if nothing landed since the last run.")] = False,
    since: Annotated[
        datetime | None,
        typer.Option(formats=WINDOW_FORMATS, help="Read Salesforce again from here (UTC), whatever was read."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=WINDOW_FORMATS, help="... and up to here, not included; by default until now."),
    ] = None,
    wait: Annotated[
        bool,
        typer.Option("--wait/--no-wait", help="Wait for another run on this home, or end at once with exit code 75."),
    ] = True,
) -> None:
    """Run the whole pipeline once: sources, lake, marts, models, commissions, published set.

    Prints the run's notices about its sources at the end.

    Exit code 1: the run failed or left something undone, such as an object not
    read because the request budget is spent, or a dropped file that was refused.
    Exit code 2: no source is configured and no simulated company is requested;
    nothing was written.
    """
    if (mapping is None) != (files is None):
        raise UsageError(
            "--mapping and --files go together.", fix="Name the mapping file and the folder its files lie in."
        )
    if (until and not since) or (since and until and since >= until):
        raise UsageError(
            "A window to read again ends after it begins.",
            where="--since, --until",
            fix="Name --since, and an --until later than it.",
        )
    from cli.run import run_pipeline

    if not run_pipeline(
        mapping=mapping, files=files, rebuild=rebuild, window=(since, until), simulate=simulate, wait=wait
    ):
        raise typer.Exit(1)


@app.command()
def simulate(
    days: Annotated[
        int, typer.Option("--advance-days", min=0, help="Move the simulated clock on by so many days.")
    ] = 0,
) -> None:
    """Create the simulated company, or advance its clock; `salesops run` then ingests what has happened since."""
    from cli.turns import take_turn
    from simulation.company import create_company
    from storage.origin import enter_home

    settings = enter_home(load_settings(simulate=True))
    home = settings.home_folder
    with take_turn(home, f"simulate-{os.getpid()}", Console()):
        company = create_company(home.simulation, settings.simulation_size, settings.simulation_seed)
        if days:
            company.advance(days)
    Console().print(
        f"Simulated company '{settings.simulation_size}' (seed {settings.simulation_seed}): its clock stands at {company.now:%Y-%m-%d %H:%M} UTC."
    )


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="A new folder, or one without settings yet.")]) -> None:
    """Create your own folder: settings file, a copy of the configuration, .gitignore and a README.

    Overwrites nothing.
    """
    from cli.init import make_folder

    make_folder(folder)


@files.command("try")
def files_try(folder: Annotated[Path, typer.Argument(help="Folder with an export that no mapping reads yet.")]) -> None:
    """Look at an unknown export and print a first mapping, with what was seen and what is to be answered.

    Changes nothing. Exit code 1 if a file could not be read.
    """
    from cli.files import print_survey

    if not print_survey(folder):
        raise typer.Exit(1)


@app.command()
def doctor(
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended without asking.")] = False,
) -> None:
    """Check settings, home folder, configuration files and the configured sources. Changes nothing without --repair.

    Exit code 1 if something is wrong.
    """
    from cli.doctor import examine

    raise typer.Exit(examine(load_settings(), repair=repair))


@app.command()
def ui(
    host: Annotated[
        str,
        typer.Option(help="Address to listen on. The UI has no sign-in: anything but localhost opens it to others."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 3000,
) -> None:
    """Open Dagster's asset graph in the browser, by default on localhost only."""
    from cli.ui import serve_dagster

    serve_dagster(host, port)


@quarantine.command("list")
def list_quarantine(
    table: Annotated[str | None, typer.Argument(help="Lake table; all of them unless given.")] = None,
) -> None:
    """Print how many rows broke which rules."""
    from cli.quarantine import list_rows

    list_rows(table)


@quarantine.command("replay")
def replay_quarantine(
    table: Annotated[str | None, typer.Argument(help="Lake table; all of them unless given.")] = None,
) -> None:
    """Check the quarantined rows against the current rules, and land those that pass."""
    from cli.quarantine import replay

    replay(table)


@app.command()
def erase(
    email: Annotated[str, typer.Option(prompt="Mail address of the person", help="Asked for where it is not given.")],
) -> None:
    """Erase a person from every version of every lake table and from the marts; the log holds none of their data."""
    from cli.erase import erase as erase_person

    erase_person(email)


@app.command()
def query(
    sql: Annotated[
        str, typer.Argument(help='Such as "select * from kpi_company_month"; - reads it from standard input.')
    ],
    as_csv: Annotated[bool, typer.Option("--csv", help="All rows as CSV.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="All rows as JSON; decimals are texts, so that nobody rounds them.")
    ] = False,
) -> None:
    """Run one read-only SQL query on the published set."""
    if as_csv and as_json:
        raise UsageError("--csv and --json exclude each other.", fix="Name one of them.")
    from cli.query import query as run_query

    run_query(load_settings().home_folder, sql, form="csv" if as_csv else "json" if as_json else "table")


@app.command()
def mask(value: Annotated[str, typer.Argument(help="A mail address, phone number or name, in any spelling.")]) -> None:
    """Print the hash that replaces a value in the published set."""
    from publishing.policy import mask_value

    typer.echo(mask_value(load_settings(), value))


@commissions.command()
def lint(plan: Path) -> None:
    """Check a plan file; exit code 1 if it has errors."""
    from cli.commissions import lint_plan

    raise typer.Exit(lint_plan(plan))


@commissions.command()
def explain(line: str) -> None:
    """Print the chain behind a commission line: credit, plan, component, tiers, CRM record."""
    from cli.commissions import explain_line

    explain_line(line)


@lake.command()
def loads(
    table: Annotated[str | None, typer.Argument(help="A lake table; without it, each table's newest load.")] = None,
) -> None:
    """List a table's loads, newest first."""
    from cli.lake import list_loads

    list_loads(table)


@lake.command()
def show(load: Annotated[str, typer.Argument(help="A load's name, as `salesops lake loads` prints it.")]) -> None:
    """Show one load: counts, window, cursor, run, details, and the rules its rows broke."""
    from cli.lake import show_load

    show_load(load)


@lake.command()
def compact(
    tables: Annotated[list[str] | None, typer.Argument(help="Lake tables; all where none is named.")] = None,
) -> None:
    """Merge small files into a few large ones; runs and readers continue meanwhile."""
    from cli.lake import compact_tables

    compact_tables(tables or [])


@lake.command()
def vacuum(
    tables: Annotated[list[str] | None, typer.Argument(help="Lake tables; all where none is named.")] = None,
    keep_hours: Annotated[int, typer.Option(min=1, help="Files younger than this stay.")] = 168,
    dry_run: Annotated[bool, typer.Option(help="Only count.")] = False,
) -> None:
    """Delete files that no commit refers to and no published set was built from."""
    from cli.lake import vacuum_tables

    vacuum_tables(tables or [], keep_hours=keep_hours, dry_run=dry_run)


@lake.command()
def backup(
    target: Annotated[Path, typer.Argument(help="Folder of the backup; what is there already is not copied again.")],
) -> None:
    """Copy the lake as it is now, with a hash of every file."""
    from cli.lake import back_up

    back_up(target)


@lake.command()
def restore(source: Annotated[Path, typer.Argument(help="Folder of a backup.")]) -> None:
    """Restore a backup into an empty home, checking each file against its hash."""
    from cli.lake import restore as bring_back

    bring_back(source)


@lake.command()
def withdraw(
    table: Annotated[str, typer.Argument(help="A lake table.")],
    reason: Annotated[str, typer.Option(help="Why; it is logged.")],
    load: Annotated[str | None, typer.Option(help="Every row of this load.")] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(help="Every row of this record: its id, or COLUMN=VALUE for each column of its key."),
    ] = None,
) -> None:
    """Take back a load or a record that should not have landed: it stays in the lake and no longer counts."""
    from cli.withdraw import withdraw as take_back

    take_back(table, load=load, key=key or [], reason=reason)


@lake.command()
def reinstate(
    withdrawal: Annotated[str, typer.Argument(help="As `salesops lake withdrawals` prints it.")],
    reason: Annotated[str, typer.Option(help="Why; it is logged.")],
) -> None:
    """Undo a withdrawal."""
    from cli.withdraw import reinstate as bring_back

    bring_back(withdrawal, reason=reason)


@lake.command()
def withdrawals() -> None:
    """List what was withdrawn and reinstated, newest first."""
    from cli.withdraw import list_withdrawals

    list_withdrawals()


def main() -> None:
    """Run the command line.

    Exit code 0 only if everything requested was done; 130 after Ctrl-C and 143 after SIGTERM, with one line of output.
    """
    use_private_modes()
    # A Python helper process cleans up dbt's semaphores and would otherwise warn about them after an interrupt.
    sys.warnoptions.append("ignore:resource_tracker")
    # If a full disk blocks the log file, no traceback is needed: the run reports the full disk itself.
    logging.raiseExceptions = False
    code: int | str | None = None
    error: BaseException | None = None
    with watch_interrupts(last_words=_print_interrupted) as interrupts:
        try:
            app()
        except SystemExit as ended:
            code = ended.code
        except BaseException as raised:
            error = raised
    if interrupts.received:
        _print_interrupted(interrupts)
        # Not the normal interpreter exit, which would wait for threads that are still working.
        os._exit(interrupts.exit_code)
    if error:
        known = error if isinstance(error, SalesopsError) else _explain_full_disk(error)
        if known is None:
            raise error
        print_error(known)
        code = known.exit_code
    sys.exit(code)


def _explain_full_disk(error: BaseException) -> SalesopsError | None:
    """Our own error, if a library's error means that the disk is full."""
    try:
        home = load_settings().home_folder
    except SalesopsError:
        return None
    return DiskFull.of(home) if is_disk_full(error) or is_out_of_room(home) else None


def _print_interrupted(interrupts: Interrupts) -> None:
    show_cursor = "\x1b[?25h" if sys.stdout.isatty() else ""  # an interrupted progress line leaves the cursor hidden
    sys.stdout.write(show_cursor)
    sys.stdout.flush()
    word = "Interrupted" if interrupts.received == signal.SIGINT else "Stopped by a signal"
    sys.stderr.write(f"{word}. What had landed and what was published stays; the same command goes on from there.\n")
    sys.stderr.flush()


def print_error(error: SalesopsError) -> None:
    """Print what happened, where, and what to do; no traceback."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(f"[bold red]Error:[/] {_escape(error.what)}")
    if error.where:
        console.print(f"[bold]Where:[/] {_escape(error.where)}")
    if error.fix:
        console.print(f"[bold]What to do:[/] {_escape(error.fix)}")


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)
