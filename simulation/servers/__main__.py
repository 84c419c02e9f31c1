"""The process that `launch.start_servers` starts: both servers on free loopback ports, in one event loop.

    python -m simulation.servers --simulation-dir DIR --endpoints-file FILE [--parent-pid PID]

It writes the endpoints file when both answer, and stops on SIGTERM or SIGINT or when the parent is gone.
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
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from simulation.servers.certificates import Certificates, prepare_certificates
from simulation.servers.control import TRANSPORT
from simulation.servers.oauth import ConnectedApp
from simulation.servers.salesforce_app import SalesforceService, make_salesforce_app
from simulation.servers.state import CompanyState, read_clock
from simulation.servers.telephony_app import Account, make_telephony_app

PARENT_CHECK_SECONDS = 0.5
# Longer than any client sleeps between two requests of one session: a reused connection that was closed meanwhile is an error there.
KEEP_ALIVE_SECONDS = 120


class _Server(uvicorn.Server):
    """A server that leaves signals to `_serve`: two in one process would each want them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def main() -> None:
    """Parse the command line and serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m simulation.servers", description="Serve the simulated company on loopback.")
    parser.add_argument("--simulation-dir", type=Path, required=True)
    parser.add_argument("--endpoints-file", type=Path, required=True)
    parser.add_argument("--parent-pid", type=int, help="stop when this process is no longer the parent")
    arguments = parser.parse_args()
    # uvicorn's choice of event loop: the one that it prefers, where installed, spends half the time on encrypted pages.
    with asyncio.Runner(loop_factory=uvicorn.Config("").get_loop_factory()) as runner:
        runner.run(_serve(arguments.simulation_dir.absolute(), arguments.endpoints_file.absolute(), arguments.parent_pid))


async def _serve(simulation_dir: Path, endpoints_file: Path, parent_pid: int | None) -> None:
    read_clock(simulation_dir)
    certificates = prepare_certificates(simulation_dir / "tls")
    _remove_leftovers(simulation_dir / "servers_tmp")
    state = CompanyState(simulation_dir)
    salesforce_socket, telephony_socket = _open_socket(), _open_socket()
    salesforce_url, telephony_url = (f"https://127.0.0.1:{opened.getsockname()[1]}" for opened in (salesforce_socket, telephony_socket))
    company = json.loads((simulation_dir / "company" / "company.json").read_text())
    username = f"integration@{company['email_domain']}"
    app = ConnectedApp(f"3MVG9{secrets.token_hex(16)}", secrets.token_hex(32), certificates.jwt_public_key_pem, username)
    account = Account(company["telephony_account_sid"], secrets.token_hex(16))
    servers = [
        _make_server(make_salesforce_app(SalesforceService(state, app, salesforce_url)), certificates),
        _make_server(make_telephony_app(state, account), certificates),
    ]
    running = [
        asyncio.create_task(server.serve(sockets=[opened])) for server, opened in zip(servers, (salesforce_socket, telephony_socket), strict=True)
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
    shutil.rmtree(state.scratch_dir, ignore_errors=True)


async def _wait_for_end(stop: asyncio.Event, parent_pid: int | None) -> None:
    while not stop.is_set():
        if parent_pid is not None and os.getppid() != parent_pid:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), PARENT_CHECK_SECONDS)


def _remove_leftovers(folder: Path) -> None:
    """Remove what killed servers left; those of a living process, which may serve the same company, stay."""
    for scratch in folder.glob("[0-9]*"):
        try:
            os.kill(int(scratch.name), 0)
        except ProcessLookupError:
            shutil.rmtree(scratch, ignore_errors=True)
        except PermissionError:
            continue


def _open_socket() -> socket.socket:
    # asyncio turns Nagle's algorithm off only for sockets that say TCP; without it every answer waits 40 ms for an acknowledgement.
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    opened.bind(("127.0.0.1", 0))
    return opened


def _make_server(app: Starlette, certificates: Certificates) -> uvicorn.Server:
    options = uvicorn.Config(
        _with_transport(app),
        ssl_certfile=certificates.server_file,
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    return _Server(options)


def _with_transport(app: Starlette) -> ASGIApp:
    """Hand the connection itself on, which a fault may close; uvicorn shows it only on the object whose method `send` is."""

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        scope[TRANSPORT] = getattr(getattr(send, "__self__", None), "transport", None)
        await app(scope, receive, send)

    return handle


def _write_endpoints(file: Path, endpoints: dict[str, str]) -> None:
    fresh = file.with_name(file.name + ".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(endpoints, out)
    fresh.replace(file)


if __name__ == "__main__":
    main()
