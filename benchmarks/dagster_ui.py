"""`salesops ui` as a user runs it, and its GraphQL: launch, follow and terminate a run. All on 127.0.0.1."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks.run_processes import Command, HomeProcess, processes_of

UI_MARK = "ui"
READY_SECONDS = 120.0
REBUILD = {"key": "salesops/rebuild", "value": "true"}
FINISHED = ("SUCCESS", "FAILURE", "CANCELED")
_ASK_READY = "{ repositoriesOrError { __typename ... on RepositoryConnection { nodes { name } } } }"
_LAUNCH = """mutation($parameters: ExecutionParams!) { launchRun(executionParams: $parameters) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } ... on RunConfigValidationInvalid { errors { message } } } }"""
_TERMINATE = """mutation($run: String!) { terminateRun(runId: $run) {
  __typename ... on TerminateRunFailure { message } ... on RunNotFoundError { message } ... on PythonError { message } } }"""
_STATUS = "query($run: ID!) { runOrError(runId: $run) { __typename ... on Run { status } } }"


class UiError(Exception):
    """The UI did not do what was asked."""


class DagsterUi:
    """A running `salesops ui`.

    Args:
        command: Its process.
        home: The home it shows.
        port: Its port on 127.0.0.1.
    """

    def __init__(self, command: Command, home: Path, port: int) -> None:
        self._command = command
        self._home = home
        self._address = f"http://127.0.0.1:{port}/graphql"
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({})
        )  # no proxy between this machine and itself

    @property
    def is_alive(self) -> bool:
        """Whether its process is still running."""
        return self._command.process.poll() is None

    def output(self) -> str:
        """Its output so far."""
        return self._command.output()

    def processes(self) -> list[HomeProcess]:
        """Its process, its web server, daemon and code server, and the runs it launched."""
        return [process for process in processes_of(self._home) if process.mark == self._command.mark]

    def ask(self, query: str, variables: Mapping[str, object] | None = None) -> dict[str, Any]:
        """The field `data` of the answer.

        Raises:
            UiError: The query is wrong, or there is no answer.
        """
        body = json.dumps({"query": query, "variables": variables or {}}).encode()
        request = urllib.request.Request(self._address, data=body, headers={"Content-Type": "application/json"})
        try:
            with self._opener.open(request, timeout=30) as response:
                answer = json.load(response)
        except (OSError, urllib.error.HTTPError, json.JSONDecodeError) as error:
            raise UiError(f"{self._address}: {error}") from None
        if answer.get("errors"):
            raise UiError(str(answer["errors"][0]["message"]))
        data: dict[str, Any] = answer["data"]
        return data

    def launch(self, *, rebuild: bool) -> str:
        """Launch the job `salesops` and return the run id.

        Raises:
            UiError: The launch was refused.
        """
        selector = {
            "repositoryLocationName": "orchestration.definitions",
            "repositoryName": "__repository__",
            "jobName": "salesops",
        }
        parameters = {
            "selector": selector,
            "runConfigData": {},
            "executionMetadata": {"tags": [REBUILD] if rebuild else []},
        }
        answer = self.ask(_LAUNCH, {"parameters": parameters})["launchRun"]
        if answer["__typename"] != "LaunchRunSuccess":
            raise UiError(f"the run was not launched: {answer}")
        return str(answer["run"]["runId"])

    def terminate(self, run_id: str) -> None:
        """Terminate a run, as the button `Terminate` does.

        Raises:
            UiError: It was refused, for example because the run has ended.
        """
        answer = self.ask(_TERMINATE, {"run": run_id})["terminateRun"]
        if answer["__typename"] != "TerminateRunSuccess":
            raise UiError(f"the run was not terminated: {answer}")

    def status(self, run_id: str) -> str:
        """The status of a run, such as `STARTED`."""
        return str(self.ask(_STATUS, {"run": run_id})["runOrError"]["status"])

    def wait_for_status(self, run_id: str, wanted: tuple[str, ...], seconds: float) -> str:
        """Wait until a run has one of the statuses; returns its last status, which may be another after a timeout."""
        ending = time.monotonic() + seconds
        while (status := self.status(run_id)) not in wanted and time.monotonic() < ending:
            time.sleep(0.1)
        return status

    def stop(self) -> None:
        """Stop it."""
        self._command.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._command.process.wait(20)
        self._command.end()
        for process in self.processes():  # its servers have their own sessions
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)


@contextmanager
def serving(home: Path, environment: Mapping[str, str], folder: Path, *, name: str = UI_MARK) -> Iterator[DagsterUi]:
    """Run `salesops ui` while the block lasts.

    Args:
        home: The home.
        environment: From `run_processes.environment_of`.
        folder: Folder for its output.
        name: Marks its processes.

    Raises:
        UiError: It did not answer in time.
    """
    port = _free_port()
    command = Command(
        "ui", "--host", "127.0.0.1", "--port", str(port), environment=environment, mark=name, folder=folder
    )
    ui = DagsterUi(command, home, port)
    try:
        _wait_until_ready(ui)
        yield ui
    finally:
        ui.stop()


def _wait_until_ready(ui: DagsterUi) -> None:
    ending = time.monotonic() + READY_SECONDS
    while time.monotonic() < ending and ui.is_alive:
        try:
            if ui.ask(_ASK_READY)["repositoriesOrError"].get("nodes"):
                return
        except UiError:
            pass
        time.sleep(0.5)
    raise UiError(f"`salesops ui` did not answer within {READY_SECONDS:.0f} s:\n{ui.output()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
