"""Whose company a run is for: decided once, before anything is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingestion.sources.settings import load_settings
from storage.errors import SalesopsError, StorageError, UsageError
from storage.home import Home
from storage.origin import choose_company, enter_home, repair_origin
from storage.settings import Settings
from tests.command_line import list_tree

REAL = {"salesforce_login_url": "https://crm.example"}
ASKED = {"simulate": True}


def settings_for(home: Path, held: str | None = None, **given: object) -> Settings:
    if held:
        Home(home).claim(held)
    return load_settings(_env_file=None, home=home, **given)


@pytest.mark.parametrize(
    ("held", "given", "error", "said"),
    [
        (None, {}, UsageError, "No source is configured."),
        ("sources", {}, UsageError, "The home holds the data of 'sources'."),
        (None, REAL | ASKED, UsageError, "real sources are configured: Salesforce"),
        ("simulation:tiny:7", REAL | ASKED, UsageError, "real sources are configured: Salesforce"),
        ("sources", ASKED, StorageError, "'sources'"),
        ("mapping:maven", ASKED, StorageError, "'mapping:maven'"),
        ("simulation:tiny:7", REAL, StorageError, "'simulation:tiny:7'"),
        ("simulation:tiny:7", {"simulation_size": "small"}, StorageError, "'simulation:small:7'"),
        ("simulation:tiny:7", {"simulation_seed": 8, "simulate": True}, StorageError, "'simulation:tiny:8'"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(
    tmp_path: Path, held: str | None, given: dict[str, object], error: type[SalesopsError], said: str
) -> None:
    settings = settings_for(tmp_path / "home", held, **given)
    before = list_tree(tmp_path)
    for decide in (choose_company, enter_home):
        with pytest.raises(error) as caught:
            decide(settings)
        assert said in caught.value.what
        assert caught.value.exit_code == (2 if error is UsageError else 1)
    assert list_tree(tmp_path) == before


def test_a_run_without_a_source_names_both_ways(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        choose_company(settings_for(tmp_path))
    assert (
        "salesops init" in caught.value.fix
        and "--simulate" in caught.value.fix
        and "SALESOPS_SIMULATE" in caught.value.fix
    )


@pytest.mark.parametrize(
    ("held", "given", "origin", "is_simulated"),
    [
        (None, ASKED, "simulation:small:7", True),
        (None, REAL, "sources", False),
        (None, {"mapping": Path("maven.yml")}, "mapping:maven", False),
        ("simulation:tiny:9", {}, "simulation:tiny:9", True),
        ("simulation:tiny:9", ASKED, "simulation:tiny:9", True),
        ("simulation:tiny:9", {"simulation_seed": 9}, "simulation:tiny:9", True),
        ("sources", REAL, "sources", False),
    ],
)
def test_what_fits_claims_the_home(
    tmp_path: Path, held: str | None, given: dict[str, object], origin: str, is_simulated: bool
) -> None:
    entered = enter_home(settings_for(tmp_path / "home", held, **given))
    assert (entered.origin, entered.simulate, entered.home_folder.read_origin()) == (origin, is_simulated, origin)


@pytest.mark.parametrize("held", [None, "sources", "mapping:maven"])
def test_what_works_on_the_lake_alone_needs_no_source_and_claims_nothing(tmp_path: Path, held: str | None) -> None:
    entered = enter_home(settings_for(tmp_path / "home", held), asks_sources=False)
    assert (entered.simulate, entered.home_folder.read_origin()) == (False, held)


@pytest.mark.parametrize(
    "text", ["", '{"origin": "sou', '{"origin": 7}', '{"origin": "simulation:tiny"}', "[]", "\0" * 30]
)
def test_an_unreadable_origin_is_a_clear_error_with_a_remedy_that_works(tmp_path: Path, text: str) -> None:
    settings = settings_for(tmp_path, **REAL)
    settings.home_folder.origin.write_text(text)
    with pytest.raises(StorageError) as caught:
        choose_company(settings)
    assert (caught.value.where, "doctor --repair" in caught.value.fix) == (str(tmp_path / "origin.json"), True)
    assert repair_origin(settings) == "sources"
    assert choose_company(settings).origin == "sources"


def test_a_simulated_company_in_the_home_outweighs_the_settings_when_the_origin_is_repaired(tmp_path: Path) -> None:
    company = tmp_path / "simulation" / "company"
    company.mkdir(parents=True)
    (company / "company.json").write_text(json.dumps({"size": "tiny", "seed": 9}))
    settings = settings_for(tmp_path, **REAL)
    assert repair_origin(settings) == "simulation:tiny:9"
    with pytest.raises(StorageError, match="'simulation:tiny:9'"):
        choose_company(settings)


def test_an_origin_that_nothing_tells_is_not_guessed(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    settings.home_folder.origin.write_text("")
    with pytest.raises(UsageError, match="Nothing says whose"):
        repair_origin(settings)
    assert settings.home_folder.origin.read_text() == ""
