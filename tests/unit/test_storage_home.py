from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.sources.settings import load_settings
from storage.errors import SettingsError, StorageError
from storage.home import Home


def test_a_home_of_one_company_refuses_another(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.claim("simulation:tiny:7")
    home.claim("simulation:tiny:7")
    with pytest.raises(StorageError, match=r"'simulation:tiny:7'.*'mapping:maven_crm'"):
        home.claim("mapping:maven_crm")


def test_a_home_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    blocked = tmp_path / "home"
    blocked.write_text("not a folder")
    with pytest.raises(StorageError) as caught:
        Home(blocked).prepare()
    assert str(blocked) in caught.value.where and "SALESOPS_HOME" in caught.value.fix


def test_a_wrong_setting_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALESOPS_SIMULATION_SIZE", "huge")
    with pytest.raises(SettingsError, match="SALESOPS_SIMULATION_SIZE"):
        load_settings()


def test_origin_names_the_company_that_settings_point_at(tmp_path: Path) -> None:
    assert load_settings(_env_file=None).origin == "simulation:small:7"
    assert load_settings(_env_file=None, mapping=tmp_path / "maven_crm.yml").origin == "mapping:maven_crm"
    assert load_settings(_env_file=None, salesforce_login_url="https://crm.example").origin == "sources"


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    settings = load_settings(_env_file=None, salesforce_client_secret="s3cret", telephony_auth_token="t0ken")
    assert "s3cret" not in repr(settings) and "t0ken" not in str(settings)
