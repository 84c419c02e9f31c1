"""`salesops` commands as a user starts them, and the processes of a home, for the kill loop to start, signal and check.

What belongs here: processes. What does not: what a run wrote (`run_history`, `twins`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SALESOPS = Path(sys.executable).with_name("salesops")
# Children inherit it, which links a process to its command even after its parent has died.
MARK = "SALESOPS_SOAK_MARK"
_PROXIES = {"http_proxy", "https_proxy", "all_proxy"}


def environment_of(home: Path, seed: int) -> dict[str, str]:
    """The environment of a user who plays the tiny company in `home` with no other settings.

    Args:
        home: The home folder.
        seed: Seed of the simulated company.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SALESOPS_") and name.lower() not in _PROXIES
    }
    return inherited | {
        "SALESOPS_HOME": str(home),
        "SALESOPS_SIMULATE": "true",
        "SALESOPS_SIMULATION_SIZE": "tiny",
        "SALESOPS_SIMULATION_SEED": str(seed),
        "XDG_CONFIG_HOME": str(home.parent / "no-settings"),  # not the settings of the user who runs the loop
        "GX_ANALYTICS_ENABLED": "false",
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "NO_COLOR": "1",
        "COLUMNS": "250",
        "PYTHONUNBUFFERED": "1",
    }


class Command:
    """One `salesops` command in its own session; starts at once.

    Args:
        arguments: The arguments after `salesops`.
        environment: From `environment_of`.
        mark: Identifies this command; must be unique.
        folder: Its working directory and the folder for its output.
    """

    def __init__(self, *arguments: str, environment: Mapping[str, str], mark: str, folder: Path) -> None:
        self.mark = mark
        self.arguments = arguments
        self.began = time.time()
        self._log = folder / f"{mark}.log"
        with self._log.open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [str(SALESOPS), *arguments],
                cwd=folder,
                env={**environment, MARK: mark},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def output(self) -> str:
        """Its output so far, on standard output and standard error."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def finish(self, seconds: float) -> int:
        """Wait for it to end and return its exit code.

        Raises:
            TimeoutError: It did not end in time and was killed with its children.
        """
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.end()
            raise TimeoutError(
                f"`salesops {' '.join(self.arguments)}` has not ended within {seconds:.0f} s; its log: {self._log}"
            ) from None

    def end(self) -> None:
        """Kill it and everything it started; the loop does this only to clean up."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, 9)
        self.process.wait()


def run_to_the_end(
    *arguments: str, environment: Mapping[str, str], mark: str, folder: Path, seconds: float = 300.0
) -> Command:
    """Run an undisturbed `salesops` command.

    Raises:
        RuntimeError: Its exit code was not 0.
        TimeoutError: It took too long.
    """
    command = Command(*arguments, environment=environment, mark=mark, folder=folder)
    if code := command.finish(seconds):
        raise RuntimeError(f"`salesops {' '.join(arguments)}` ended with exit code {code}:\n{command.output()}")
    return command


@dataclass(frozen=True)
class HomeProcess:
    """A process that works on a home.

    Attributes:
        pid: Its id.
        mark: The command it belongs to; empty if none.
        command_line: As `ps` shows it.
    """

    pid: int
    mark: str
    command_line: str


def processes_of(home: Path) -> list[HomeProcess]:
    """Every other living process with the home in its environment or command line, or one of its files open."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        with suppress(OSError):  # it has just ended, or belongs to another user
            environment = (folder / "environ").read_bytes().split(b"\0")
            command_line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            if not command_line:  # a zombie or a kernel thread
                continue
            if (
                f"SALESOPS_HOME={home}".encode() in environment
                or str(home) in command_line
                or _holds_open(folder / "fd", home)
            ):
                marks = [
                    entry.partition(b"=")[2].decode() for entry in environment if entry.startswith(f"{MARK}=".encode())
                ]
                found.append(HomeProcess(int(folder.name), marks[0] if marks else "", command_line))
    return found


def wait_until_gone(
    home: Path, *, mark: str, seconds: float, except_for: frozenset[int] = frozenset()
) -> list[HomeProcess]:
    """Wait for every process of one command to end; returns those still alive after the timeout.

    Args:
        home: Their home.
        mark: The command's mark.
        seconds: How long to wait.
        except_for: Ids of processes that may stay.
    """
    ending = time.monotonic() + seconds
    while True:
        living = [process for process in processes_of(home) if process.mark == mark and process.pid not in except_for]
        if not living or time.monotonic() >= ending:
            return living
        time.sleep(0.05)


def _holds_open(descriptors: Path, home: Path) -> bool:
    for descriptor in descriptors.iterdir():
        with suppress(OSError):
            if descriptor.readlink().is_relative_to(home):
                return True
    return False
