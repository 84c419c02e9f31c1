"""The process that serves the company: both servers on free loopback ports, in one event loop.

It writes the endpoints file once both respond, and stops on SIGTERM or SIGINT or when the parent is gone. The caller
chooses what it serves: the sources as they are (`make_apps`), or wrapped in faults, as in tests.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import uvicorn
from starlette.types import ASGIApp

from simulation.servers.certificates import Certificates, prepare_certificates
from simulation.servers.oauth import ConnectedApp
from simulation.servers.salesforce_app import SalesforceService, make_salesforce_app
from simulation.servers.state import CompanyState, read_clock, scratch_dir_of
from simulation.servers.telephony_app import Account, make_telephony_app

PARENT_CHECK_SECONDS = 0.5
# Longer than any client sleeps between two requests of one session: a client sees a closed reused connection as an
# error.
KEEP_ALIVE_SECONDS = 120


class Apps(NamedTuple):
    """The ASGI applications that the process serves."""

    salesforce: ASGIApp
    telephony: ASGIApp


MakeApps = Callable[[Path, ConnectedApp, str, Account], Apps]
"""The company's folder, who may sign in to Salesforce, Salesforce's address, and who may read the calls → the applications."""


def make_apps(simulation_dir: Path, app: ConnectedApp, salesforce_url: str, account: Account) -> Apps:
    """The sources, behaving as the real services do."""
    state = CompanyState(simulation_dir)
    return Apps(make_salesforce_app(SalesforceService(state, app, salesforce_url)), make_telephony_app(state, account))


class _Server(uvicorn.Server):
    """A server that leaves signals to `_serve`: two servers in one process would both handle them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(make_apps: MakeApps) -> None:
    """Parse the command line and serve until a signal or the parent's end.

    Args:
        make_apps: Makes the applications to serve.
    """
    parser = argparse.ArgumentParser(description="Serve the simulated company on loopback.")
    parser.add_argument("--simulation-dir", type=Path, required=True)
    parser.add_argument("--endpoints-file", type=Path, required=True)
    parser.add_argument("--parent-pid", type=int, help="stop when this process is no longer the parent")
    arguments = parser.parse_args()
    # uvicorn's choice of event loop: the one it prefers, if installed, halves the time spent on encrypted pages.
    with asyncio.Runner(loop_factory=uvicorn.Config("").get_loop_factory()) as runner:
        runner.run(
            _serve(
                make_apps,
                arguments.simulation_dir.absolute(),
                arguments.endpoints_file.absolute(),
                arguments.parent_pid,
            )
        )


async def _serve(make_apps: MakeApps, simulation_dir: Path, endpoints_file: Path, parent_pid: int | None) -> None:
    read_clock(simulation_dir)
    certificates = prepare_certificates(simulation_dir / "tls")
    _remove_leftovers(simulation_dir / "servers_tmp")
    salesforce_socket, telephony_socket = _open_socket(), _open_socket()
    salesforce_url, telephony_url = (
        f"https://127.0.0.1:{opened.getsockname()[1]}" for opened in (salesforce_socket, telephony_socket)
    )
    company = json.loads((simulation_dir / "company" / "company.json").read_text())
    username = f"integration@{company['email_domain']}"
    app = ConnectedApp(
        f"3MVG9{secrets.token_hex(16)}", secrets.token_hex(32), certificates.jwt_public_key_pem, username
    )
    account = Account(company["telephony_account_sid"], secrets.token_hex(16))
    servers = [_make_server(served, certificates) for served in make_apps(simulation_dir, app, salesforce_url, account)]
    running = [
        asyncio.create_task(server.serve(sockets=[opened]))
        for server, opened in zip(servers, (salesforce_socket, telephony_socket), strict=True)
    ]
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    while not all(server.started for server in servers):
        await asyncio.sleep(0.005)
    _write_endpoints(
        endpoints_file,
        {
            "salesforce_login_url": salesforce_url,
            "salesforce_client_id": app.client_id,
            "salesforce_client_secret": app.client_secret,
            "salesforce_username": app.username,
            "salesforce_private_key_file": str(certificates.jwt_private_key_file),
            "ca_file": str(certificates.ca_file),
            "telephony_url": telephony_url,
            "telephony_account_sid": account.sid,
            "telephony_auth_token": account.auth_token,
        },
    )
    await _wait_for_end(stop, parent_pid)
    for server in servers:
        server.should_exit = True
        server.force_exit = True
    await asyncio.gather(*running)
    shutil.rmtree(scratch_dir_of(simulation_dir), ignore_errors=True)


async def _wait_for_end(stop: asyncio.Event, parent_pid: int | None) -> None:
    while not stop.is_set():
        if parent_pid is not None and os.getppid() != parent_pid:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), PARENT_CHECK_SECONDS)


def _remove_leftovers(folder: Path) -> None:
    """Delete what killed servers left, but nothing of a living process, which may serve the same company."""
    for scratch in folder.glob("[0-9]*"):
        try:
            os.kill(int(scratch.name), 0)
        except ProcessLookupError:
            shutil.rmtree(scratch, ignore_errors=True)
        except PermissionError:
            continue


def _open_socket() -> socket.socket:
    # asyncio disables Nagle's algorithm only for sockets declared as TCP; with it, every answer waits 40 ms for an ACK.
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    opened.bind(("127.0.0.1", 0))
    return opened


def _make_server(app: ASGIApp, certificates: Certificates) -> uvicorn.Server:
    options = uvicorn.Config(
        app,
        ssl_certfile=certificates.server_file,
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    return _Server(options)


def _write_endpoints(file: Path, endpoints: dict[str, str]) -> None:
    fresh = file.with_name(file.name + ".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(endpoints, out)
    fresh.replace(file)
