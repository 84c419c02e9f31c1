"""Run work in a separate process, so that its memory and imports can be measured on their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulation.servers import Endpoints

ROOT = Path(__file__).resolve().parents[1]


def start_child(module: str, *arguments: str, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start `python -m module arguments`; the caller reads its output."""
    search_path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-P", "-m", module, *arguments]
    return subprocess.Popen(
        command, env={**os.environ, **environment, "PYTHONPATH": search_path}, stdout=subprocess.PIPE, text=True
    )


def run_child(module: str, *arguments: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Run `python -m module arguments` to completion and return the JSON object on its last line.

    Raises:
        RuntimeError: It failed; its own message is on standard error.
    """
    process = start_child(module, *arguments, environment=environment)
    printed, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{module} {' '.join(arguments)} ended with exit code {process.returncode}")
    result: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return result


def peak_memory_mb() -> float:
    """This process's peak memory so far (VmHWM), in MB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) * 1024 / 1e6


def sources_of(endpoints: Endpoints, home: Path) -> dict[str, str]:
    """The environment in which a child reaches the local servers and finds its home."""
    return {
        "SALESOPS_HOME": str(home),
        "SALESOPS_SALESFORCE_LOGIN_URL": endpoints.salesforce_login_url,
        "SALESOPS_SALESFORCE_CLIENT_ID": endpoints.salesforce_client_id,
        "SALESOPS_SALESFORCE_CLIENT_SECRET": endpoints.salesforce_client_secret,
        "SALESOPS_SALESFORCE_CA_FILE": str(endpoints.ca_file),
        "SALESOPS_MAILDIR": str(endpoints.maildir),
        "SALESOPS_FEEDS_DIR": str(endpoints.feeds_dir),
        "GX_ANALYTICS_ENABLED": "false",
    }
