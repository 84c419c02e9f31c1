"""The local servers as they are, over one small company, for all contract tests of one worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulation.servers import Endpoints, start_servers
from tests.servers_sample import write_company


@pytest.fixture(scope="session")
def simulation_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The company's folder; a test that moves the clock sets it back."""
    return write_company(tmp_path_factory.mktemp("simulation"))


@pytest.fixture(scope="session")
def endpoints(simulation_dir: Path) -> Iterator[Endpoints]:
    """The servers, which only read."""
    with start_servers(simulation_dir) as started:
        yield started
