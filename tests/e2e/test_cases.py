"""The cases of a folder of inputs from public reports, each by its own `case.json`: how it is run, and what is right."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("SALESOPS_CASES", "/nowhere"))
CASES = sorted(path.parent for path in FOLDER.glob("*/case.json"))

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


@pytest.mark.skipif(not CASES, reason="set SALESOPS_CASES to the folder of the cases; each takes a minute")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_gives_its_right_value(case: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(FOLDER / "_run" / "run_case.py"), str(case), "--product", str(ROOT)]
    done = subprocess.run([*command, "--work", str(tmp_path / "work")], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.rstrip().endswith("RIGHT"), done.stdout + done.stderr
