"""What can go wrong with the simulated company."""

from __future__ import annotations

from storage.errors import SalesopsError


class SimulationError(SalesopsError):
    """The simulated company is missing, is another one than was asked for, or cannot go where it was sent."""
