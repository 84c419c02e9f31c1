"""Create the company once and keep it: its folder is complete or does not exist."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from simulation.company.business_time import TIME_ZONE, BusinessCalendar
from simulation.company.events import EVENT_SCHEMAS, write_events
from simulation.company.market import build_market
from simulation.company.randomness import Randomness
from simulation.company.records import write_region
from simulation.company.records.company_records import write_company
from simulation.company.records.writer import RecordWriter
from simulation.company.region import play_region
from simulation.company.sizes import Size, find_size
from simulation.company.vocabulary import ACCOUNT_SID, COMPANY_NAME, EMAIL_DOMAIN
from simulation.errors import SimulationError
from storage.home import write_atomically

FORMAT = 1
_MARKET_REGION = 1_000_000


@dataclass(frozen=True)
class Company:
    """A simulated company on disk, and its clock.

    Attributes:
        simulation_dir: Holds `company/`, `truth/` and `clock.json`.
        description: The content of `company.json`.
    """

    simulation_dir: Path
    description: dict[str, Any]

    @classmethod
    def load(cls, simulation_dir: Path) -> Company:
        """Open the company in a folder.

        Raises:
            SimulationError: There is none, or another version of this program made it.
        """
        description = _describe(Path(simulation_dir))
        if description is None:
            raise SimulationError(
                "There is no simulated company here.",
                where=str(simulation_dir),
                fix="Make one with `salesops run` or `salesops simulate`.",
            )
        return cls(Path(simulation_dir), description)

    @property
    def folder(self) -> Path:
        """The folder of the record versions."""
        return self.simulation_dir / "company"

    @property
    def now(self) -> datetime:
        """The clock's value (aware, UTC)."""
        return datetime.fromisoformat(
            json.loads((self.simulation_dir / "clock.json").read_text(encoding="utf-8"))["now"]
        )

    @property
    def horizon_end(self) -> datetime:
        """The latest instant of the clock."""
        return datetime.fromisoformat(self.description["horizon_end"])

    def advance(self, days: int) -> datetime:
        """Advance the clock by whole days and return its new value; nothing else changes.

        Raises:
            SimulationError: The days are negative, or go beyond the horizon.
        """
        if days < 0:
            raise SimulationError("The clock cannot be turned back.", fix="Make a new company in another folder.")
        target = self.now + timedelta(days=days)
        if target > self.horizon_end:
            raise SimulationError(
                f"The company has been played until {self.horizon_end:%Y-%m-%d} only.",
                where=str(self.simulation_dir),
                fix=f"Advance by {(self.horizon_end - self.now).days} days at most.",
            )
        _set_clock(self.simulation_dir, target)
        return target


def create_company(simulation_dir: Path, size: str, seed: int) -> Company:
    """Create the company of this size and seed, or return the existing one unchanged.

    Raises:
        SimulationError: The size is unknown, or the folder holds another company.
    """
    simulation_dir = Path(simulation_dir)
    wanted = find_size(size)
    held = _describe(simulation_dir)
    if held is not None:
        if (held["size"], held["seed"]) != (size, seed):
            raise SimulationError(
                f"The folder holds the company '{held['size']}' of seed {held['seed']}, not '{size}' of seed {seed}.", where=str(simulation_dir),
                fix="Set SALESOPS_HOME to another folder, or remove this one.",
            )  # fmt: skip
        return Company(simulation_dir, held)
    for killed in simulation_dir.glob(".building-*"):
        shutil.rmtree(killed, ignore_errors=True)
    building = simulation_dir / f".building-{os.getpid()}"
    try:
        _build(building, wanted, seed)
        for part in ("truth", "company"):  # the company last: `_describe` looks for it
            shutil.rmtree(simulation_dir / part, ignore_errors=True)
            if part == "company":
                _set_clock(simulation_dir, wanted.initial_clock)
            (building / part).rename(simulation_dir / part)
    except OSError as error:
        raise SimulationError(
            f"The company could not be written: {error.strerror or error}.",
            where=str(simulation_dir),
            fix="Use a folder with room that you may write to.",
        ) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return Company.load(simulation_dir)


def _build(folder: Path, size: Size, seed: int) -> None:
    calendar = BusinessCalendar(size.start - timedelta(days=10), (size.horizon_end + timedelta(days=400)).date())
    market = build_market(size, calendar, Randomness(seed, _MARKET_REGION))
    with RecordWriter(folder / "company") as writer, RecordWriter(folder / "truth", EVENT_SCHEMAS) as truth:
        write_company(size, calendar, market, writer)
        for number in range(size.regions):
            region = play_region(size, number, seed, calendar, market)
            write_region(region, writer)
            write_events(region, truth)
    description = {
        "format": FORMAT,
        "size": size.name,
        "seed": seed,
        "start": size.start.isoformat(),
        "initial_clock": _iso(size.initial_clock),
        "horizon_end": _iso(size.horizon_end),
        "company_name": COMPANY_NAME,
        "business_timezone": TIME_ZONE,
        "reporting_currency": "USD",
        "fiscal_year_start_month": 2,
        "email_domain": EMAIL_DOMAIN,
        "telephony_account_sid": ACCOUNT_SID,
        "holidays": [{"date": day.isoformat(), "name": name} for day, name in calendar.holidays.items()],
    }
    (folder / "company" / "company.json").write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")


def _describe(simulation_dir: Path) -> dict[str, Any] | None:
    path = simulation_dir / "company" / "company.json"
    if not path.exists():
        return None
    description: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if description.get("format") != FORMAT:
        raise SimulationError(
            "The company was made by another version of this program.",
            where=str(path),
            fix="Remove the simulation folder and run again.",
        )
    return description


def _set_clock(simulation_dir: Path, now: datetime) -> None:
    write_atomically(simulation_dir / "clock.json", json.dumps({"now": _iso(now)}) + "\n")


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
