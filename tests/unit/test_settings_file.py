"""Which settings file is found, who wins, and where relative paths start."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingestion.sources.settings import load_settings
from storage.errors import SettingsError
from storage.settings import PROJECT_ROOT


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, of a user who has no settings file yet."""
    monkeypatch.delenv("SALESOPS_ENV_FILE")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_without_a_file_the_home_lies_in_the_working_directory(here: Path) -> None:
    settings = load_settings()
    assert (settings.settings_file, settings.home, settings.config_dir) == (
        None,
        here / "data",
        PROJECT_ROOT / "config",
    )


def test_the_named_file_goes_before_the_one_here_and_that_before_the_users(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = write(tmp_path / "xdg" / "salesops" / ".env", "SALESOPS_SIMULATION_SEED=1")
    assert (load_settings().settings_file, load_settings().simulation_seed) == (users, 1)
    ours = write(here / ".env", "SALESOPS_SIMULATION_SEED=2")
    assert (load_settings().settings_file, load_settings().simulation_seed) == (ours, 2)
    named = write(tmp_path / "named" / "settings", "SALESOPS_SIMULATION_SEED=3")
    monkeypatch.setenv("SALESOPS_ENV_FILE", os.path.relpath(named))
    settings = load_settings()
    assert settings.settings_file is not None
    assert (settings.settings_file.resolve(), settings.simulation_seed) == (named, 3)


def test_by_default_the_users_file_lies_under_config(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    users = write(tmp_path / ".config" / "salesops" / ".env")
    assert load_settings().settings_file == users


def test_a_named_file_that_is_missing_is_an_error_and_not_passed_over(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(here / ".env")
    monkeypatch.setenv("SALESOPS_ENV_FILE", str(tmp_path / "gone"))
    with pytest.raises(SettingsError, match="SALESOPS_ENV_FILE") as caught:
        load_settings()
    assert str(tmp_path / "gone") in caught.value.where


def test_a_folder_called_env_is_no_settings_file(here: Path) -> None:
    (here / ".env").mkdir()
    assert load_settings().settings_file is None


def test_a_file_that_is_no_text_is_a_clear_error(here: Path) -> None:
    (here / ".env").write_bytes(b"SALESOPS_HOME=d\xe4ta\n")
    with pytest.raises(SettingsError, match="UTF-8") as caught:
        load_settings()
    assert caught.value.where == str(here / ".env")


def test_the_environment_wins_over_the_file_and_an_argument_over_both(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(here / ".env", "SALESOPS_SIMULATION_SEED=2", "SALESOPS_SIMULATION_SIZE=tiny")
    monkeypatch.setenv("SALESOPS_SIMULATION_SEED", "3")
    assert (load_settings().simulation_seed, load_settings().simulation_size) == (3, "tiny")
    assert load_settings(simulation_seed=4).simulation_seed == 4


def test_a_blank_variable_does_not_count(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(here / ".env", "SALESOPS_MAILDIR=", "SALESOPS_SIMULATION_SEED=2")
    monkeypatch.setenv("SALESOPS_FEEDS_DIR", "")
    monkeypatch.setenv("SALESOPS_SIMULATION_SEED", "")
    assert (load_settings().source_names, load_settings().simulation_seed) == ([], 2)


PATHS = {
    "HOME": "home",
    "CONFIG_DIR": "config_dir",
    "FEEDS_DIR": "feeds_dir",
    "MAPPING": "mapping",
    "MAIL_ACCOUNTS": "mail_accounts",
    "SALESFORCE_PRIVATE_KEY_FILE": "salesforce_private_key_file",
    "LAKE": "lake",
}


@pytest.mark.parametrize(("variable", "field"), PATHS.items(), ids=PATHS)
def test_relative_paths_start_at_the_file_and_in_the_environment_at_the_working_directory(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, field: str
) -> None:
    write(tmp_path / "xdg" / "salesops" / ".env", f"SALESOPS_{variable}=some/where")
    assert str(getattr(load_settings(), field)) == str(tmp_path / "xdg" / "salesops" / "some" / "where")
    monkeypatch.setenv(f"SALESOPS_{variable}", "else/where")
    assert str(getattr(load_settings(), field)) == str(here / "else" / "where")


def test_a_lake_in_a_bucket_is_no_path(here: Path) -> None:
    write(here / ".env", "SALESOPS_LAKE=s3://bucket/prefix")
    assert load_settings().lake == "s3://bucket/prefix"


def test_the_home_lies_beside_the_file_from_every_working_directory(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "own" / ".env", "SALESOPS_FEEDS_DIR=feeds")
    monkeypatch.setenv("SALESOPS_ENV_FILE", str(file))
    seen = []
    for folder in (here, tmp_path, file.parent):
        monkeypatch.chdir(folder)
        settings = load_settings()
        seen.append((settings.settings_file, settings.home, settings.feeds_dir))
    assert set(seen) == {(file, tmp_path / "own" / "data", tmp_path / "own" / "feeds")}


def test_a_users_own_folder_may_be_written_as_a_tilde(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write(here / ".env", "SALESOPS_HOME=~/mine")
    assert load_settings().home == tmp_path / "mine"
    monkeypatch.setenv("SALESOPS_HOME", "~nobody-of-this-name/x")
    with pytest.raises(SettingsError, match="SALESOPS_HOME"):
        load_settings()


def test_secrets_in_the_file_do_not_show(here: Path) -> None:
    write(here / ".env", "SALESOPS_SALESFORCE_CLIENT_SECRET=hunter2")
    settings = load_settings()
    assert (
        settings.salesforce_client_secret is not None
        and settings.salesforce_client_secret.get_secret_value() == "hunter2"
    )
    assert "hunter2" not in repr(settings)
