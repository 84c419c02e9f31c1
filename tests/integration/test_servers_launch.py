from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from simulation.servers import ServerStartError, start_servers
from tests.servers_sample import CLOCK, write_company

ROOT = Path(__file__).resolve().parents[2]
PARENT = """
import sys, time
from pathlib import Path
from simulation.servers import start_servers
with start_servers(Path(sys.argv[1])) as endpoints:
    print(endpoints.salesforce_login_url, flush=True)
    time.sleep(60)
"""


def is_open(url: str) -> bool:
    address = urlsplit(url)
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((str(address.hostname), int(address.port or 0))) == 0


@pytest.fixture
def simulation_dir(tmp_path: Path) -> Path:
    return write_company(tmp_path, leads=3, calls=3, mail=3)


def test_the_servers_live_as_long_as_the_block(simulation_dir: Path) -> None:
    with start_servers(simulation_dir) as endpoints:
        assert is_open(endpoints.salesforce_login_url)
        assert is_open(endpoints.telephony_url)
        assert endpoints.now == CLOCK
        assert (endpoints.maildir, endpoints.feeds_dir) == (simulation_dir / "maildir", simulation_dir / "feeds")

    assert not is_open(endpoints.salesforce_login_url)
    assert not is_open(endpoints.telephony_url)
    assert list((simulation_dir / "servers_tmp").iterdir()) == []


def test_a_second_start_leaves_the_first_at_work(simulation_dir: Path) -> None:
    with start_servers(simulation_dir) as one:
        scratch = set((simulation_dir / "servers_tmp").iterdir())
        with start_servers(simulation_dir) as two:
            assert one.salesforce_login_url != two.salesforce_login_url
            assert scratch < set((simulation_dir / "servers_tmp").iterdir())
        assert is_open(one.salesforce_login_url)
        assert set((simulation_dir / "servers_tmp").iterdir()) == scratch


def test_the_servers_end_when_their_parent_is_killed(simulation_dir: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(simulation_dir)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert parent.stdout is not None
    url = parent.stdout.readline().strip()
    assert is_open(url)

    parent.send_signal(signal.SIGKILL)
    parent.wait()

    deadline = time.monotonic() + 10
    while is_open(url) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not is_open(url)
    parent.stdout.close()


def test_without_a_company_the_message_says_so(tmp_path: Path) -> None:
    with pytest.raises(ServerStartError, match=r"clock cannot be read.*\n.*clock.json"), start_servers(tmp_path):
        pass


def test_a_server_that_cannot_start_shows_its_log(simulation_dir: Path) -> None:
    (simulation_dir / "company" / "company.json").write_text("{}")

    with pytest.raises(ServerStartError, match="KeyError: 'email_domain'") as failed, start_servers(simulation_dir):
        pass

    assert failed.value.where.endswith("servers.log")
