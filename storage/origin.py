"""Whose data a home holds, and whether a run may add to it.

What belongs here: the one decision between the simulated company and real sources, made before anything is written.
Command line and Dagster share it. What does not: reading a source, or making the simulated company.
"""

from __future__ import annotations

import json
from pathlib import Path

from storage.errors import StorageError, UsageError
from storage.home import Home, write_atomically
from storage.settings import AnySettings, Settings

SIMULATION = "simulation"
_BOTH_WAYS = (
    "To read your own systems, name them in a settings file: `salesops init DIR` makes a folder with one. "
    "To play a simulated company: `salesops run --simulate`, or SALESOPS_SIMULATE=true."
)


def choose_company(settings: AnySettings, *, asks_sources: bool = True) -> AnySettings:
    """Decide which company a run is for, without writing anything.

    The simulated company is played only if requested, or if the home is already its own. Its size and seed are then the
    home's, unless they were set.

    Args:
        settings: The settings as they were read.
        asks_sources: Whether a source is to be read; False for what works on the lake as it is and needs none.

    Returns:
        The settings to continue with: `simulate` says whether the simulated company is played; if so, no source is
        configured.

    Raises:
        UsageError: No source is configured and no simulated company requested; or both are.
        StorageError: The home holds another company's data, or does not say whose.
    """
    if settings.simulate and settings.has_source:
        raise UsageError(
            f"The simulated company was asked for, but real sources are configured: {', '.join(settings.source_names)}.",
            where=_where(settings),
            fix="Leave out --simulate (or SALESOPS_SIMULATE), or set SALESOPS_HOME to another folder and unset the sources.",
        )
    home = settings.home_folder
    held = home.read_origin()
    if settings.simulate and not (held is not None and _is_simulated(held)):
        _refuse_foreign_lake(settings, held)
    if not settings.has_source and not settings.simulate:
        if held is not None and _is_simulated(held):
            settings = _adopt(settings, held)
        elif asks_sources:
            holds = f" The home holds the data of '{held}'." if held else ""
            raise UsageError(f"No source is configured.{holds}", where=_where(settings), fix=_BOTH_WAYS)
        else:
            return settings
    elif settings.simulate and held is not None and _is_simulated(held):
        settings = _adopt(settings, held)
    home.require_origin(settings.origin)
    return settings


def _refuse_foreign_lake(settings: Settings, held: str | None) -> None:
    """Keep simulated data out of a lake that may hold real data: one outside the home, or one of unknown origin."""
    home = settings.home_folder
    if settings.lake:
        raise StorageError(
            "SALESOPS_LAKE names a lake apart from the home, so nothing says that it is not a real company's.",
            where=f"{settings.lake} ({_where(settings)})",
            fix="Unset SALESOPS_LAKE for the simulated company (SALESOPS_LAKE= in front of the command): its lake then lies in its home.",
        )
    if held is None and _simulated_origin(home) is None and home.lake.is_dir() and any(home.lake.iterdir()):
        raise StorageError(
            "The lake of this home holds data, and nothing says whose.",
            where=str(home.origin),
            fix="Set SALESOPS_HOME to another folder for the simulated company.",
        )


def enter_home(settings: AnySettings, *, asks_sources: bool = True) -> AnySettings:
    """Decide as `choose_company` does, then prepare the home and bind it to that company.

    Raises:
        UsageError: As `choose_company`.
        StorageError: As `choose_company`; or the home cannot be written.
    """
    settings = choose_company(settings, asks_sources=asks_sources)
    home = settings.home_folder
    home.prepare()
    if settings.simulate or settings.has_source:
        home.claim(settings.origin)
    return settings


def repair_origin(settings: Settings) -> str:
    """Rewrite `origin.json` from the simulated company in the home, else from the settings; returns its new content.

    Raises:
        UsageError: Neither says whose data the home holds.
        StorageError: The home cannot be written.
    """
    home = settings.home_folder
    origin = _simulated_origin(home)
    if origin is None and not settings.has_source:
        raise UsageError(
            "Nothing says whose data this home holds: no simulated company lies in it, and no source is configured.",
            where=str(home.origin),
            fix=f"Configure the sources that its data came from, then repair again. {_BOTH_WAYS}",
        )
    origin = origin or settings.origin
    try:
        write_atomically(home.origin, json.dumps({"origin": origin}) + "\n")
    except OSError as error:
        raise StorageError(
            f"The file cannot be written: {error.strerror or error}.",
            where=str(home.origin),
            fix="Make room and check permissions.",
        ) from None
    return origin


def describe_origin(origin: str) -> str:
    """An origin in words: `simulated company (tiny, seed 7)`, `your sources`, `mapping maven_crm`."""
    if _is_simulated(origin):
        size, seed = _size_and_seed(origin)
        return f"simulated company ({size}, seed {seed})"
    kind, _, name = origin.partition(":")
    return f"{kind} {name}" if name else "your sources"


def _where(settings: Settings) -> str:
    return (
        f"settings file {settings.settings_file}"
        if settings.settings_file
        else f"environment; no settings file was found from {Path.cwd()}"
    )


def _is_simulated(origin: str) -> bool:
    return origin.partition(":")[0] == SIMULATION


def _size_and_seed(origin: str) -> tuple[str, int]:
    _, size, seed = origin.split(":")
    return size, int(seed)


def _adopt(settings: AnySettings, held: str) -> AnySettings:
    size, seed = _size_and_seed(held)
    adopted = {"simulation_size": size, "simulation_seed": seed}
    return settings.model_copy(
        update={
            "simulate": True,
            **{name: value for name, value in adopted.items() if name not in settings.model_fields_set},
        }
    )


def _simulated_origin(home: Home) -> str | None:
    try:
        company = json.loads((home.simulation / "company" / "company.json").read_text(encoding="utf-8"))
        return f"{SIMULATION}:{company['size']}:{company['seed']}"
    except (OSError, ValueError, KeyError, TypeError):
        return None
