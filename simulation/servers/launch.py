"""Start and stop the local servers from another process."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from simulation.servers.errors import ServerStartError
from simulation.servers.state import read_clock
from storage.locks import inherited_by_children

PROJECT_ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30.0
STOP_SECONDS = 2.0
LOG_TAIL_LINES = 15


@dataclass(frozen=True)
class Endpoints:
    """Where the simulated company's sources are and how to sign in. Valid until the servers stop.

    Attributes:
        salesforce_login_url: Base URL of sign-in and API.
        salesforce_client_id: For client credentials and for JWT bearer (`iss`).
        salesforce_client_secret: For client credentials.
        salesforce_username: For JWT bearer (`sub`).
        salesforce_private_key_file: PEM key for JWT bearer.
        ca_file: The certificate authority to trust for both servers.
        telephony_url: Base URL, without `/2010-04-01`.
        telephony_account_sid: User name.
        telephony_auth_token: Password.
        maildir: Folder of Maildirs, one per rep address (written by `simulation.delivery`).
        feeds_dir: Folder of CSV feeds (written by `simulation.delivery`).
        now: The simulated clock at start, UTC with zone.
    """

    salesforce_login_url: str
    salesforce_client_id: str
    salesforce_client_secret: str
    salesforce_username: str
    salesforce_private_key_file: Path
    ca_file: Path
    telephony_url: str
    telephony_account_sid: str
    telephony_auth_token: str
    maildir: Path
    feeds_dir: Path
    now: datetime


@contextmanager
def start_servers(simulation_dir: Path, program: str = "simulation.servers") -> Iterator[Endpoints]:
    """Serve the company under `simulation_dir` while the block runs.

    The servers read `clock.json` on every request, so the clock can advance meanwhile. They stop with the block, or on
    their own if this process dies.

    Args:
        simulation_dir: Holds `company/` and `clock.json`; `tls/` and `servers.log` are written there.
        program: The module to run; any alternative also calls `process.serve`.

    Yields:
        The endpoints.

    Raises:
        ServerStartError: There is no company, or the servers did not start; the message ends with their log.
    """
    simulation_dir = simulation_dir.absolute()
    now = read_clock(simulation_dir)
    if not (simulation_dir / "company" / "company.json").exists():
        raise ServerStartError(
            "There is no company to serve.", where=str(simulation_dir / "company"), fix="Generate the company first."
        )
    log_file = simulation_dir / "servers.log"
    # It holds secrets, so it has a new name per start and is deleted once read.
    endpoints_file = simulation_dir / f"endpoints-{secrets.token_hex(8)}.json"
    command = [sys.executable, "-P", "-m", program, "--simulation-dir", str(simulation_dir)]
    command += ["--endpoints-file", str(endpoints_file), "--parent-pid", str(os.getpid())]
    search_path = os.pathsep.join(filter(None, (str(PROJECT_ROOT), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": search_path}
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            pass_fds=inherited_by_children(),
        )
    try:
        _wait_until_ready(process, endpoints_file, log_file)
        written = json.loads(endpoints_file.read_text())
        endpoints_file.unlink()
        yield Endpoints(
            **{name: value for name, value in written.items() if not name.endswith("_file")},
            ca_file=Path(written["ca_file"]),
            salesforce_private_key_file=Path(written["salesforce_private_key_file"]),
            maildir=simulation_dir / "maildir",
            feeds_dir=simulation_dir / "feeds",
            now=now,
        )
    finally:
        _stop(process)
        endpoints_file.unlink(missing_ok=True)


def _wait_until_ready(process: subprocess.Popen[bytes], endpoints_file: Path, log_file: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not endpoints_file.exists():
        if process.poll() is not None:
            raise ServerStartError(
                f"The local servers ended with exit code {process.returncode}.\n{_read_tail(log_file)}",
                where=str(log_file),
                fix="See the log above.",
            )
        if time.monotonic() > deadline:
            raise ServerStartError(
                f"The local servers were not ready after {START_SECONDS:.0f} s.\n{_read_tail(log_file)}",
                where=str(log_file),
                fix="Try again on a quieter machine.",
            )
        time.sleep(0.01)


def _read_tail(log_file: Path) -> str:
    return "\n".join(log_file.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
