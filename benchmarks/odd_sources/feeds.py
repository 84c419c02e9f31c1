"""A feed's file as a payroll or accounting program writes it, dropped, and mended as its refusal says."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from benchmarks.odd_sources.outcome import Fault, Outcome
from ingestion.sources.feeds.drops import ingest_drops
from storage.lake import BROKEN_RULES, LOAD_ID, Lake
from storage.withdrawals import query_standing

_HEADER = ("payment_id", "invoice_id", "payment_date", "amount", "currency")
_ATTEMPTS = 4


@dataclass
class FeedFile:
    """A file of payments and what it says.

    Attributes:
        delimiter: Between its fields; anything but a comma is refused.
        encoding: Its encoding; anything but UTF-8 is refused where letters show it.
        header: Its column names.
        rows: Its cells.
        truth: What must be in the lake, by the payment's id.
        odd: Ids of rows that must be set aside.
    """

    delimiter: str = ","
    encoding: str = "utf-8"
    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    truth: dict[str, tuple[str, str, str, str]] = field(default_factory=dict)
    odd: set[str] = field(default_factory=set)

    def write(self, path: Path) -> None:
        """Write the file."""
        with path.open("w", encoding=self.encoding, newline="") as file:
            csv.writer(file, delimiter=self.delimiter).writerows([self.header, *self.rows])


def draw_feed(chance: random.Random, number: int) -> FeedFile:
    """Draw a file of payments; `number` keeps its ids apart from those of other files."""
    file = FeedFile(
        chance.choice((",",) * 5 + (";",)), chance.choice(("utf-8",) * 4 + ("utf-8-sig", "utf-16", "latin-1"))
    )
    extra = [chance.choice(("note", "_load_id", "filename", "Región", "select"))] * chance.randint(0, 1)
    file.header = [chance.choice((name, name.upper(), f" {name} ", name.title())) for name in _HEADER] + extra
    padding = chance.choice(("", "   "))
    for place in range(chance.randint(1, 10)):
        key, day = f"P{number}-{place}", date(2026, chance.randint(1, 12), chance.randint(1, 28))
        amount = f"{chance.randint(-500_000, 5_000_000) / 100:.2f}"
        cells = [key + padding, f"I{place}{padding}", day.isoformat(), amount, "EUR"]
        if chance.random() < 0.3:
            cells[2] += " 00:00:00"
        if chance.random() < 0.15:
            spot, junk = chance.choice(
                ((2, "31.12.2026"), (3, "1.234,50" if file.delimiter != "," else "1 234"), (4, "euro"))
            )
            cells[spot] = junk
            file.odd.add(key)
        else:
            file.truth[key] = (f"I{place}", day.isoformat(), amount, "EUR")
        file.rows.append([*cells, *(["café"] if extra else [])])
    return file


def land_feed(lake: Lake, file: FeedFile, folder: Path, name: str, *, known_at: datetime) -> Outcome:
    """Drop the file, mend it as its refusal says, and drop it again, until it lands exactly.

    Raises:
        Fault: Something was lost, or differs, or was refused without a remedy that works.
    """
    outcome, path = Outcome("feed"), folder / name
    for attempt in range(_ATTEMPTS):
        file.write(path)
        report = ingest_drops(
            lake, folder, known_at=known_at + timedelta(minutes=attempt), run_id="drawn", earlier=None, settle_seconds=0
        )
        refused = [entry for entry in report.refused if entry.file == name]
        if not refused:
            _compare(lake, file)
            outcome.landed, outcome.set_aside = len(file.truth), len(file.odd)
            return outcome
        reason = refused[0].reason
        if file.delimiter != "," and "comma" in reason:
            file.delimiter = ","
            outcome.remedies.append("commas")
        elif file.encoding not in ("utf-8", "utf-8-sig") and "UTF-8" in reason:
            file.encoding = "utf-8"
            outcome.remedies.append("UTF-8")
        else:
            raise Fault(f"the remedy does not help: {reason}\n{file}")
    raise Fault(f"not landed after {_ATTEMPTS} attempts: {outcome.remedies}")


def _compare(lake: Lake, file: FeedFile) -> None:
    newest = f"qualify row_number() over (partition by payment_id order by {LOAD_ID} desc) = 1"
    rows = query_standing(lake, "feed__payments", f"from lake {newest}")
    held = {row["payment_id"]: row for row in rows.to_pylist()} if rows else {}
    for key, truth in file.truth.items():
        row = held.get(key)
        if row is None or row[BROKEN_RULES]:
            raise Fault(f"{key} is lost or set aside: {row}")
        if (found := tuple(row[name] for name in _HEADER[1:])) != truth:
            raise Fault(f"{key} is {found}, not {truth}")
    for key in file.odd:
        if key not in held or not held[key][BROKEN_RULES]:
            raise Fault(f"the odd row {key} was not set aside: {held.get(key)}")
