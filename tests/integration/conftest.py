"""What several modules of integration tests start with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulation.servers import Endpoints, start_servers
from tests.servers_sample import write_company


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """The local servers over a company of a few records, for one module."""
    with start_servers(write_company(tmp_path_factory.mktemp("simulation"), leads=10, calls=1, mail=1)) as started:
        yield started
