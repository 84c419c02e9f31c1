"""Homes that hold a finished run, each made once per session by the command a user would type."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from storage.home import Home
from storage.warehouse import open_published
from tests.conftest import locked

ROOT = Path(__file__).resolve().parents[2]
SALESOPS = Path(sys.executable).with_name("salesops")


@dataclass(frozen=True)
class FinishedRun:
    """A home after `salesops run`, and what the command printed."""

    home: Path
    output: str

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Rows of the published set, pay included."""
        with open_published(Home(self.home)) as connection:
            return connection.execute(sql).fetchall()


def environment_for(home: Path, **settings: str) -> dict[str, str]:
    """The environment of a user who has set nothing but the home folder and what the test names."""
    return {
        **os.environ,
        "SALESOPS_HOME": str(home),
        "SALESOPS_SIMULATION_SIZE": "tiny",
        "NO_COLOR": "1",
        "COLUMNS": "120",
        **settings,
    }


def salesops(home: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, outside the checkout's folder so that no stray `.env` is read."""
    home.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [str(SALESOPS), *arguments],
        cwd=home,
        env=environment_for(home, **settings),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def finish(home: Path, *arguments: str, **settings: str) -> FinishedRun:
    """Run the pipeline, on the simulated company unless the arguments name an export, and expect it to succeed."""
    if "--mapping" not in arguments:
        arguments = ("--simulate", *arguments)
    done = salesops(home, "run", *arguments, **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    return FinishedRun(home, done.stdout)


@pytest.fixture(scope="session")
def simulated(shared_folder: Path, parsed_dbt: Path) -> FinishedRun:
    """The tiny company, seed 7, after one run; for all workers, so tests only read it. See `copy_of_simulated`."""
    home, output = shared_folder / "simulated", shared_folder / "simulated.txt"
    with locked(shared_folder / "simulated.lock"):
        if not output.exists():
            shutil.copytree(parsed_dbt, home / "dbt", dirs_exist_ok=True)
            output.write_text(finish(home).output)
    return FinishedRun(home, output.read_text())


@pytest.fixture
def copy_of_simulated(simulated: FinishedRun, tmp_path: Path) -> FinishedRun:
    """The tiny company after one run, in a home of the test's own."""
    return copy_run(simulated, tmp_path / "copy")


def copy_run(run: FinishedRun, home: Path) -> FinishedRun:
    """A finished run in another home."""
    shutil.copytree(run.home, home, symlinks=True)
    return FinishedRun(home, run.output)


@pytest.fixture
def home(tmp_path: Path, parsed_dbt: Path) -> Path:
    """A home of its own that holds nothing but the parsed dbt project."""
    shutil.copytree(parsed_dbt, tmp_path / "home" / "dbt")
    return tmp_path / "home"


@pytest.fixture(scope="session")
def maven(tmp_path_factory: pytest.TempPathFactory, reference_data: Path) -> FinishedRun:
    """Maven Analytics' CRM export after one run."""
    return finish(
        tmp_path_factory.mktemp("maven"),
        *("--mapping", str(ROOT / "config/mappings/maven_crm.yml"), "--files", str(reference_data / "maven_crm")),
    )


@pytest.fixture(scope="session")
def olist(tmp_path_factory: pytest.TempPathFactory, reference_data: Path) -> FinishedRun:
    """The Olist marketing funnel after one run."""
    return finish(
        tmp_path_factory.mktemp("olist"),
        *("--mapping", str(ROOT / "config/mappings/olist_funnel.yml"), "--files", str(reference_data / "olist_funnel")),
    )
