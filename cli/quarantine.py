"""`salesops quarantine …`: list quarantined rows, and replay them."""

from __future__ import annotations

import uuid

from rich.console import Console
from rich.table import Table

from cli.clock import read_clock
from cli.turns import take_turn
from ingestion.quarantine import Replayed, list_quarantine, replay_quarantine
from ingestion.sources.settings import PlatformSettings, load_settings
from storage.lake import Lake, open_lake
from storage.origin import choose_company


def list_rows(table: str | None) -> None:
    """Print how many rows of which table broke which rules."""
    console = Console(highlight=False, soft_wrap=True)
    found = list_quarantine(open_lake(load_settings()), table)
    if not found:
        console.print("No rows are set aside.")
        return
    shown = Table(title="Rows set aside", title_justify="left")
    for heading in ("table", "broken rules", "rows", "first set aside by", "last by"):
        shown.add_column(heading, justify="right" if heading == "rows" else "left", overflow="fold")
    for entry in found:
        shown.add_row(entry.table, "\n".join(entry.rules), f"{entry.rows:,}", entry.first_load, entry.last_load)
    console.print(shown)
    console.print(
        "A row that its source corrects lands by itself. One that was right (accepted_types in config/salesforce.yml): salesops quarantine replay"
    )


def replay(table: str | None) -> None:
    """Land quarantined rows that pass the current rules, and print how many stay. Waits for an active run to finish.

    Raises:
        QuarantineError: The lake has no such table, or has no record of the table's key.
        StorageError: The lake cannot be written.
    """
    settings = choose_company(load_settings(), asks_sources=False)
    lake = open_lake(settings)
    console = Console(highlight=False, soft_wrap=True)
    if not table and not list_quarantine(lake):
        console.print("No rows are set aside.")
        return
    run_id = f"replay-{uuid.uuid4()}"
    with take_turn(settings.home_folder, run_id, console):
        tables = [table] if table else sorted({entry.table for entry in list_quarantine(lake)})
        done = [_replay(settings, lake, name, run_id) for name in tables]
    for one in done:
        still = f", {one.still_broken:,} still break a rule" if one.still_broken else ""
        console.print(f"{one.table}: {one.landed:,} rows came back{still}.")
    if any(one.landed for one in done):
        console.print("The marts know them after the next: salesops run")


def _replay(settings: PlatformSettings, lake: Lake, table: str, run_id: str) -> Replayed:
    from ingestion.settings import read_allowed_values
    from ingestion.sources.salesforce.config_file import read_salesforce_settings
    from ingestion.sources.salesforce.drift import is_type_accepted

    accepted = read_salesforce_settings(settings.config_dir).accepted_types
    return replay_quarantine(
        lake,
        table,
        known_at=read_clock(settings),
        run_id=run_id,
        allowed_values=read_allowed_values(lake),
        is_settled=lambda rule: is_type_accepted(table, rule, accepted),
    )
