"""`salesops lake …`: print loads, and maintain the lake."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ingestion.sources.settings import load_settings
from storage.errors import StorageError
from storage.lake import BROKEN_RULES, LOAD_ID, Lake, LoadRecord, open_lake
from storage.locks import hold_home


def list_loads(table: str | None) -> None:
    """Print the loads of one table, newest first, or each table's newest load.

    Raises:
        StorageError: The lake has no such table.
    """
    lake = open_lake(load_settings())
    if table is not None:
        lake.require(table)
    shown = Table(
        title=escape(f"Loads of {table}" if table else f"The newest load of every table of {lake.root}"),
        title_justify="left",
    )
    for heading in ("load", "known at", "landed", "set aside", "unchanged", "marked deleted", "cursor"):
        shown.add_column(
            heading,
            justify="right" if heading in {"landed", "set aside", "unchanged", "marked deleted"} else "left",
            overflow="fold",
            no_wrap=heading == "load",  # so that it can be copied
        )
    for record in _loads(lake, table):
        shown.add_row(
            escape(record.load_id),
            _minute(record.known_at),
            f"{record.landed_count:,}",
            f"{record.set_aside_count:,}",
            f"{record.unchanged_count:,}",
            f"{record.tombstone_count:,}",
            escape(record.cursor or ""),
        )
    _console().print(shown)


def show_load(load_id: str) -> None:
    """Print everything known about one load, with the number of rows that broke each rule.

    Raises:
        StorageError: No table has such a load.
    """
    lake = open_lake(load_settings())
    table, record = _find_load(lake, load_id)
    since, until = record.window
    lines = {
        "load": record.load_id,
        "table": table,
        "known at": record.known_at,
        "run": record.run_id or "unknown",
        "source count": f"{record.source_count:,}",
        "landed": f"{record.landed_count:,}",
        "set aside": f"{record.set_aside_count:,}",
        "unchanged": f"{record.unchanged_count:,}",
        "marked deleted": f"{record.tombstone_count:,}",
        "window": f"from {since or 'the beginning'} until {until or 'the end'}",
        "cursor": record.cursor or "none",
        **{f"detail: {name}": str(value) for name, value in sorted(record.details.items())},
        **{f"rule broken: {rule}": f"{rows:,} rows" for rule, rows in _rules_broken(lake, table, load_id)},
    }
    shown = Table(show_header=False, title=escape(f"Load {load_id}"), title_justify="left")
    shown.add_column()
    shown.add_column(overflow="fold")
    for name, value in lines.items():
        shown.add_row(escape(name), escape(value))
    _console().print(shown)


def compact_tables(tables: list[str]) -> None:
    """Compact tables and print the file counts before and after."""
    from storage.upkeep import compact, only_one_upkeep

    settings = load_settings()
    with only_one_upkeep(settings.home_folder):
        done = compact(open_lake(settings), tables)
    before, after = sum(one.files_before for one in done), sum(one.files_after for one in done)
    _console().print(
        f"{len(done)} tables: {before:,} files before, {after:,} now. The old files stay until `salesops lake vacuum`."
    )


def vacuum_tables(tables: list[str], *, keep_hours: int, dry_run: bool) -> None:
    """Delete files that nothing needs any more and print how many."""
    from publishing.published_set import read_lake_versions
    from storage.upkeep import only_one_upkeep, vacuum
    from warehouse.build_plan import versions_in_use

    settings = load_settings()
    keep = versions_in_use(settings.home_folder, read_lake_versions)
    with only_one_upkeep(settings.home_folder):
        done = vacuum(open_lake(settings), keep, retention=timedelta(hours=keep_hours), tables=tables, dry_run=dry_run)
    verb = "would be dropped" if dry_run else "dropped"
    _console().print(f"{len(done)} tables: {sum(one.files for one in done):,} files {verb}.")


def back_up(target: Path) -> None:
    """Copy the lake, and whatever else a home needs, to a folder."""
    from storage.backup import back_up as copy
    from storage.upkeep import only_one_upkeep

    settings = load_settings()
    with only_one_upkeep(settings.home_folder):
        report = copy(open_lake(settings), settings.home_folder, target)
    _console().print(
        f"{report.tables} tables in {report.files:,} files are in {target}; {report.copied:,} of them were new ({report.copied_bytes / 1e6:,.1f} MB)."
    )


def restore(source: Path) -> None:
    """Restore a backup into an empty home.

    Raises:
        HomeBusy: A run is active on the home, which will not be empty afterwards.
        StorageError: The home is not empty, or the folder holds no backup or a damaged one.
    """
    from storage.backup import restore as bring_back
    from storage.upkeep import only_one_upkeep

    settings = load_settings()
    home = settings.home_folder
    with hold_home(home, f"restore-{uuid.uuid4()}", wait=False), only_one_upkeep(home):
        report = bring_back(source, open_lake(settings), home)
    _console().print(
        f"{report.tables} tables in {report.files:,} files are back, each with the hash it was saved with. `salesops run` builds the marts."
    )


def _loads(lake: Lake, table: str | None) -> list[LoadRecord]:
    if table is not None:
        return list(lake.loads(table))
    return [newest for name in lake.tables() if (newest := lake.newest_load(name))]


def _find_load(lake: Lake, load_id: str) -> tuple[str, LoadRecord]:
    named = load_id.partition(":")[0]
    for table in sorted(lake.tables(), key=lambda name: (name != named, name)):
        for record in lake.loads(table):
            if record.load_id == load_id:
                return table, record
    raise StorageError(
        f"No table of the lake has a load '{load_id}'.",
        where=str(lake.root),
        fix="`salesops lake loads TABLE` lists a table's loads.",
    )


def _rules_broken(lake: Lake, table: str, load_id: str) -> list[tuple[str, int]]:
    counted = lake.query(
        table,
        f"select rule, count(*) from (select unnest(string_split({BROKEN_RULES}, ';')) as rule from lake where {LOAD_ID} = ?) "
        "group by rule order by count(*) desc, rule",
        [load_id],
    )
    return [(str(row["rule"]), int(row["count_star()"])) for row in counted.to_pylist()] if counted else []


def _minute(known_at: str) -> str:
    try:
        return f"{datetime.fromisoformat(known_at):%Y-%m-%d %H:%M}"
    except ValueError:
        return known_at


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True)
