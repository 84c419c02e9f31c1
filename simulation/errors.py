"""Errors of the simulated company."""

from __future__ import annotations

from storage.errors import SalesopsError


class SimulationError(SalesopsError):
    """The simulated company is missing, is not the requested one, or cannot advance as requested."""
