"""Commands that must not guess where they work: run, simulate, init and ui, and a run that Dagster starts."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import dagster as dg
import pytest

from cli.ui import is_loopback
from ingestion.sources.settings import load_settings
from orchestration.causes import find_cause
from orchestration.resources import Platform
from storage.errors import UsageError
from storage.home import Home
from storage.settings import PROJECT_ROOT
from tests.command_line import Command, list_tree, make_command


@pytest.fixture
def salesops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command, in a working directory of its own without a settings file; the home would be `data` there."""
    command = make_command(monkeypatch, capsys)
    monkeypatch.delenv("SALESOPS_ENV_FILE")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return command


def test_a_run_without_a_source_ends_with_2_names_both_ways_and_writes_nothing(
    salesops: Command, tmp_path: Path
) -> None:
    before = list_tree(tmp_path)
    done = salesops("run")
    assert done.code == 2
    assert "salesops init" in done.error and "--simulate" in done.error
    assert (
        done.out
        == f"Settings: none found, environment only · config: {PROJECT_ROOT}/config Home: {tmp_path}/here/data · sources: none"
    )
    assert list_tree(tmp_path) == before


@pytest.mark.parametrize("command", [("run", "--simulate"), ("simulate",)], ids=" ".join)
def test_the_simulated_company_is_refused_where_a_source_is_configured(
    salesops: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    (tmp_path / "here" / ".env").write_text(
        "SALESOPS_SALESFORCE_LOGIN_URL=https://crm.example\nSALESOPS_FEEDS_DIR=feeds\n"
    )
    before = list_tree(tmp_path)
    done = salesops(*command)
    assert done.code == 2 and "Salesforce, feeds" in done.error and str(tmp_path / "here" / ".env") in done.error
    assert list_tree(tmp_path) == before


@pytest.mark.parametrize(
    ("held", "settings", "command"),
    [
        ("sources", "", ("run", "--simulate")),
        ("sources", "", ("simulate",)),
        ("mapping:maven", "SALESOPS_SIMULATE=true", ("run",)),
        ("simulation:tiny:7", "SALESOPS_FEEDS_DIR=feeds", ("run",)),
        ("simulation:tiny:7", "SALESOPS_SIMULATION_SIZE=small", ("simulate",)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_a_home_of_another_company_is_refused_and_nothing_is_written(
    salesops: Command, tmp_path: Path, held: str, settings: str, command: tuple[str, ...]
) -> None:
    (tmp_path / "here" / ".env").write_text(settings)
    Home(tmp_path / "here" / "data").claim(held)
    before = list_tree(tmp_path)
    done = salesops(*command)
    assert done.code == 1 and f"'{held}'" in done.error
    assert list_tree(tmp_path) == before


def test_a_run_that_dagster_starts_is_refused_alike(salesops: Command, tmp_path: Path) -> None:
    @dg.asset
    def step(platform: Platform) -> None:
        raise AssertionError("the step ran")

    before = list_tree(tmp_path)
    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(Exception) as caught:
        dg.materialize([step], resources={"platform": Platform()}, instance=instance)
    cause = find_cause(caught.value, Home(tmp_path))
    assert isinstance(cause, UsageError) and "--simulate" in cause.fix
    assert list_tree(tmp_path) == before


@pytest.mark.parametrize("state", ["missing", "incomplete"])
def test_a_configuration_that_is_not_whole_is_refused_before_anything_is_written(
    salesops: Command, tmp_path: Path, state: str
) -> None:
    (tmp_path / "here" / ".env").write_text("SALESOPS_SIMULATE=true\nSALESOPS_CONFIG_DIR=config\n")
    if state == "incomplete":
        (tmp_path / "here" / "config").mkdir()
        (tmp_path / "here" / "config" / "org.yml").touch()
    before = list_tree(tmp_path)
    done = salesops("run")
    assert done.code == 1 and "SALESOPS_CONFIG_DIR" in done.error
    assert (
        "lacks stages.yml, lead_statuses.yml, holidays.yml" if state == "incomplete" else "does not exist"
    ) in done.error
    assert list_tree(tmp_path) == before


def test_init_makes_a_folder_that_points_at_itself(
    salesops: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = salesops("init", "own")
    folder = tmp_path / "here" / "own"
    assert done.code == 0 and str(folder) in done.out and "run --simulate" in done.out
    assert sorted(path.name for path in folder.iterdir()) == [".env", ".gitignore", "README.md", "config"]
    assert (folder / ".env").stat().st_mode & 0o777 == 0o600
    copied = {path.relative_to(folder / "config"): path.read_bytes() for path in (folder / "config").rglob("*.yml")}
    assert copied == {
        path.relative_to(PROJECT_ROOT / "config"): path.read_bytes()
        for path in (PROJECT_ROOT / "config").rglob("*.yml")
    }
    monkeypatch.setenv("SALESOPS_ENV_FILE", str(folder / ".env"))
    settings = load_settings()
    assert (settings.home, settings.config_dir, settings.source_names) == (folder / "data", folder / "config", [])
    ignored = (folder / ".gitignore").read_text().splitlines()
    assert {"/.env", "/data/"} <= set(ignored)


@pytest.mark.parametrize("name", [".env", "config", ".gitignore", "README.md"])
def test_init_overwrites_nothing(salesops: Command, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "here" / "own"
    folder.mkdir()
    (folder / name).write_text("mine")
    before = list_tree(tmp_path)
    done = salesops("init", "own")
    assert done.code == 2 and f"has {name} already" in done.error
    assert list_tree(tmp_path) == before


def test_init_that_fails_half_way_leaves_nothing(
    salesops: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_the_disk(source: Path, target: Path) -> None:
        target.mkdir()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cli.init.shutil.copytree", fill_the_disk)
    done = salesops("init", "new/own")
    assert done.code == 2 and "No space left on device" in done.error
    assert list(tmp_path.joinpath("here").iterdir()) == []


def test_version(salesops: Command) -> None:
    done = salesops("--version")
    assert (done.code, done.out) == (0, f"salesops {version('salesops')}")


@pytest.fixture
def dagster_starts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[str]]]:
    """The commands that took this process's place, instead of their doing so."""
    started: list[list[str]] = []
    monkeypatch.setattr("cli.ui.os.execv", lambda program, arguments: started.append(arguments))
    monkeypatch.setattr("warehouse.manifest.prepare_manifest", lambda home: home.dbt)
    yield started


def test_ui_on_a_taken_port_is_one_error_before_anything_starts(
    salesops: Command, tmp_path: Path, dagster_starts: list[list[str]]
) -> None:
    before = list_tree(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = salesops("ui", "--port", str(port))
    assert done.code == 1 and f"127.0.0.1:{port}" in done.error and "--port" in done.error
    assert done.error.count("Error:") == 1
    assert dagster_starts == [] and list_tree(tmp_path) == before


def test_ui_on_an_address_of_another_machine_is_an_error(salesops: Command, dagster_starts: list[list[str]]) -> None:
    done = salesops("ui", "--host", "192.0.2.1")
    assert done.code == 1 and "192.0.2.1:3000" in done.error and dagster_starts == []


@pytest.mark.parametrize(("host", "warns"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_ui_hands_its_settings_to_its_children_and_warns_where_others_reach_it(
    salesops: Command, tmp_path: Path, dagster_starts: list[list[str]], host: str, warns: bool
) -> None:
    (tmp_path / "here" / ".env").write_text("SALESOPS_HOME=mine\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    done = salesops("ui", "--host", host, "--port", port)
    assert done.code == 0, done.error
    assert ("no sign-in" in done.out) == warns
    assert dagster_starts[0][-4:] == ["--host", host, "--port", port]
    assert (os.environ["SALESOPS_HOME"], os.environ["SALESOPS_ENV_FILE"]) == (
        str(tmp_path / "here" / "mine"),
        str(tmp_path / "here" / ".env"),
    )


@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False),
                                                ("::", False), ("10.0.0.7", False), ("crm.example", False)])  # fmt: skip
def test_loopback_is_this_machine_alone(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_no_fiction_gets_into_a_lake_that_may_be_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ingestion.sources.settings import PlatformSettings
    from storage.errors import StorageError
    from storage.origin import choose_company, repair_origin

    elsewhere = PlatformSettings(home=tmp_path / "trial", lake=str(tmp_path / "real" / "lake"), simulate=True)
    with pytest.raises(StorageError, match="names a lake apart from the home"):
        choose_company(elsewhere)
    nobodys = PlatformSettings(home=tmp_path / "old", simulate=True)
    (nobodys.home_folder.lake / "salesforce__lead").mkdir(parents=True)
    with pytest.raises(StorageError, match="nothing says whose"):
        choose_company(nobodys)
    nobodys.home_folder.origin.write_text("{")
    with pytest.raises(UsageError, match="Nothing says whose data"):
        repair_origin(nobodys)
