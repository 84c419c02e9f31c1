"""What several modules of integration tests start with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulation.servers import Endpoints
from tests.servers_sample import write_company
from tests.support.fault_servers import ServerControl, start_fault_servers


@pytest.fixture(scope="session")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """The servers with faults over a company of a few records, for one worker; each module puts records of objects that no other one names."""
    with start_fault_servers(
        write_company(tmp_path_factory.mktemp("simulation"), leads=10, calls=20, mail=1)
    ) as started:
        yield started


@pytest.fixture
def control(endpoints: Endpoints) -> Iterator[ServerControl]:
    """Control of the Salesforce server, which the test leaves without faults and with the usual limits and pages."""
    server = ServerControl(endpoints.salesforce_login_url, endpoints.ca_file)
    yield server
    server.clear_faults()
    server.set_limits(max=100_000, used=0)
    server.set_bulk(page_rows=50_000, compress=False)
