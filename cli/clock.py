"""The instant at which a command that writes to the lake writes."""

from __future__ import annotations

from datetime import UTC, datetime

from ingestion.sources.settings import PlatformSettings


def read_clock(settings: PlatformSettings) -> datetime:
    """The clock, or the simulated clock of a simulated company, as for its loads."""
    if not settings.simulate:
        return datetime.now(UTC).replace(microsecond=0)
    from simulation.company import create_company

    return create_company(settings.home_folder.simulation, settings.simulation_size, settings.simulation_seed).now
