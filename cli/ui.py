"""`salesops ui`: Dagster's own web server and daemon on this home's instance."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys

from rich.console import Console

from cli.where import print_where
from ingestion.sources.settings import PlatformSettings, load_settings
from storage.errors import SalesopsError
from storage.settings_file import FILE_VARIABLE


class AddressTaken(SalesopsError):
    """The UI cannot listen on the requested address."""


def serve_dagster(host: str, port: int) -> None:
    """Replace this process with `dagster dev`; Ctrl-C ends it.

    Raises:
        AddressTaken: Another program listens there, or the address is not on this machine. Dagster was not started.
    """
    settings = load_settings()
    require_free_address(host, port)
    console = Console(highlight=False, soft_wrap=True)
    print_where(console, settings)
    if not is_loopback(host):
        console.print(
            f"[bold yellow]Warning:[/] the UI has no sign-in. Anyone who reaches {host}:{port} can start runs and read their logs."
        )
    export(settings)
    from orchestration.embedded import open_instance
    from warehouse.manifest import prepare_manifest

    home = settings.home_folder
    home.prepare()
    with open_instance(home):
        prepare_manifest(home)
    arguments = [
        "-m",
        "dagster",
        "dev",
        "--module-name",
        "orchestration.definitions",
        "--host",
        host,
        "--port",
        str(port),
    ]
    os.execv(sys.executable, [sys.executable, *arguments])


def export(settings: PlatformSettings) -> None:
    """Set the environment variables by which child processes, which load the code location, find the same settings."""
    os.environ["SALESOPS_HOME"] = str(settings.home_folder.root)
    if settings.settings_file:
        os.environ[FILE_VARIABLE] = str(settings.settings_file)


def require_free_address(host: str, port: int) -> None:
    """Refuse an address that cannot be listened on.

    Raises:
        AddressTaken: The address cannot be used; the message says why.
    """
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            with socket.socket(family, kind, protocol) as probe:
                # As servers do: an address that a finished program left in TIME_WAIT is free.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
    except OSError as error:
        raise AddressTaken(
            f"The UI cannot listen there: {error.strerror or error}.",
            where=f"{host}:{port}",
            fix="End what listens there, perhaps another `salesops ui`, or choose with --port and --host.",
        ) from None


def is_loopback(host: str) -> bool:
    """Whether the address is reachable only from this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
