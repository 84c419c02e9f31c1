"""Starting the servers with faults from another process."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from simulation.servers import Endpoints, start_servers


def start_fault_servers(simulation_dir: Path) -> AbstractContextManager[Endpoints]:
    """As `start_servers`, with `ServerControl` to ask for faults, changed records and limits."""
    return start_servers(simulation_dir, program="tests.support.fault_servers")
