"""A folder of one's own, by the commands that its README names, and the same settings from anywhere else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from storage.home import Home
from tests.command_line import list_tree
from tests.conftest import minutes_long
from tests.e2e.conftest import SALESOPS

pytestmark = [pytest.mark.e2e, minutes_long]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `salesops init` made, with one line of it filled in: the company is to be small."""
    folder = tmp_path_factory.mktemp("user") / "acme"
    done = shell(f"'{SALESOPS}' init acme", folder.parent)
    assert done.returncode == 0, done.stderr
    settings = folder / ".env"
    settings.write_text(
        settings.read_text().replace("#SALESOPS_SIMULATION_SIZE=small", "SALESOPS_SIMULATION_SIZE=tiny")
    )
    return folder


def shell(command: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """A command as a user types it, who has set nothing."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SALESOPS_")}
    environment |= {"NO_COLOR": "1", "COLUMNS": "120", **settings}
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=280, check=False
    )


def test_the_commands_of_its_readme_work_word_for_word_and_the_settings_are_found_from_elsewhere(
    folder: Path, tmp_path: Path, parsed_dbt: Path
) -> None:
    look, doctor, run = re.findall(r"^    (.*salesops .*)$", (folder / "README.md").read_text(), re.MULTILINE)
    before = list_tree(folder)
    unset = shell(doctor, folder)
    assert unset.returncode == 1 and "No source is configured" in unset.stdout, unset.stdout
    refused = shell(run, folder)
    assert refused.returncode == 2 and "--simulate" in refused.stderr
    assert list_tree(folder) == before

    shutil.copytree(parsed_dbt, folder / "trial" / "dbt")  # saves ten seconds
    done = shell(look, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    where = f"Settings: {folder}/.env · config: {folder}/config\nHome: {folder}/trial · sources: simulated company (tiny, seed 7)\n"
    assert done.stdout.startswith(where)
    assert Home(folder / "trial").read_origin() == "simulation:tiny:7"
    assert not (folder / "data").exists()

    # From elsewhere, and without the option: the home is the simulated company's own.
    again = shell(
        f"'{SALESOPS}' run", tmp_path, SALESOPS_ENV_FILE=str(folder / ".env"), SALESOPS_HOME=str(folder / "trial")
    )
    assert again.returncode == 0, again.stderr
    assert again.stdout.startswith(where) and "Nothing new" in again.stdout
    assert list(tmp_path.iterdir()) == []

    real = shell(run, folder, SALESOPS_HOME="trial", SALESOPS_FEEDS_DIR="feeds")
    assert real.returncode == 1 and "'simulation:tiny:7'" in real.stderr
    held = list_tree(folder)
    checked = shell(doctor, folder, SALESOPS_HOME="trial")
    assert checked.returncode == 0, checked.stdout
    assert list_tree(folder) == held
