"""Clients of DuckDB older than the one this project runs on, each in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

OLDEST, NEWEST_1 = "1.1.3", "1.5.6"


def require_old_duckdb() -> list[Path]:
    """Folders that `pip install --target` filled with older clients. Where there are none the test skips and says how to get them; in CI it fails."""
    folders = [Path(folder) for folder in os.environ.get("SALESOPS_OLD_DUCKDB", "").split(os.pathsep) if folder]
    if not folders:
        hint = (
            f"no older DuckDB clients: pip install --no-deps --target FOLDER duckdb=={OLDEST}, another folder for {NEWEST_1}, "
            f"and set SALESOPS_OLD_DUCKDB to both, with '{os.pathsep}' between"
        )
        if os.environ.get("CI"):
            pytest.fail(f"{hint} (in CI a missing client is a failure)")
        pytest.skip(hint)
    return folders


def ask(folder: Path, file: Path, sql: str) -> list[str]:
    """The version of the client in a folder, and what it finds in a file that it opens itself."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import duckdb; print(duckdb.__version__); "
        "[print(*row) for row in duckdb.connect(sys.argv[2], read_only=True).execute(sys.argv[3]).fetchall()]"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), str(file), sql], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
