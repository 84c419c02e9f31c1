"""A mapping file: what it may say, and what is said of one that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.sources.files.canonical import CANONICAL_OBJECTS
from ingestion.sources.files.mapping import load_mapping
from storage.operator_files import OperatorFileError
from storage.settings import PROJECT_ROOT

GOOD = """
version: 1
name: shop
files: {deals: deals.csv}
objects:
  files__opportunity:
    source: deals
    columns: {opportunity_id: id, amount: {from: value, decimal_mark: ","}}
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "shop.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_targets_are_lake_tables(tmp_path: Path) -> None:
    mapping = load_mapping(write(tmp_path, GOOD))
    assert mapping.targets == ("files__opportunity",)
    assert (mapping.name, mapping.path.name, len(mapping.sha256)) == ("shop", "shop.yml", 64)


@pytest.mark.parametrize(
    "path", sorted((PROJECT_ROOT / "config" / "mappings").glob("*.yml")), ids=lambda path: path.stem
)
def test_mappings_that_come_with_the_project_are_sound(path: Path) -> None:
    mapping = load_mapping(path)
    assert mapping.name == path.stem
    assert set(mapping.targets) <= set(CANONICAL_OBJECTS)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param("version: 1", "version: 2", "version", id="another version"),
        pytest.param(
            "source: deals",
            "source: sales",
            "reads 'sales', which is not under files; there are deals",
            id="an unknown file",
        ),
        pytest.param(
            "files__opportunity",
            "files__deal",
            "files__deal is no canonical object; there are files__opportunity",
            id="an unknown object",
        ),
        pytest.param(
            "amount:",
            "amuont:",
            "columns.amuont is no column of it; there are opportunity_id",
            id="an unknown canonical column",
        ),
        pytest.param("opportunity_id: id, ", "", "lacks the key opportunity_id", id="no key"),
        pytest.param(
            "{from: value,",
            "{from: value, constant: 1,",
            "exactly one of from, constant, template, concat",
            id="two origins",
        ),
        pytest.param("{from: value,", '{template: "{value",', "a brace that is not closed", id="an open template"),
        pytest.param(
            "{from: value,", '{from: value, thousands_mark: "5",', "thousands_mark", id="a mark that is a digit"
        ),
        pytest.param(
            "{from: value,", "{from: value, currency_signs: {$: usd},", "currency_signs", id="a currency without a code"
        ),
        pytest.param(
            "{from: value,",
            '{from: value, format: "%I:%M",',
            "without %p for AM or PM",
            id="half a day without its half",
        ),
        pytest.param(
            "name: shop", "name: shop\nzones: {IST: India}", "'India' is no time zone", id="a zone name without meaning"
        ),
        pytest.param(
            "{from: value,",
            "{from: value, colour: red,",
            "line 8, objects.files__opportunity.columns.amount.colour",
            id="a misspelt key",
        ),
        pytest.param("{from: value,", "{from: value, normalise: [trim],", "normalise[0]", id="an unknown step"),
        pytest.param(
            "{from: value,",
            "{from: value, aliases: names,",
            "names the list 'names', which is not under aliases",
            id="an unknown alias list",
        ),
        pytest.param(
            "{from: value,",
            "{from: value, aliases: {a: b, b: c},",
            "'b' is both an alias and what an alias stands for",
            id="aliases in a chain",
        ),
        pytest.param(
            "{from: value,",
            "{from: value, type: text,",
            "type cannot be set: it is decimal",
            id="a kind that is not ours to choose",
        ),
        pytest.param(
            "name: shop", "name: shop\ntimezone: Mars/Base", "'Mars/Base' is no time zone", id="an unknown time zone"
        ),
        pytest.param("name: shop", "name: shop\nname: shop2", "The key 'name' is written twice", id="a key twice"),
        pytest.param("name: shop", "name: [shop", "not valid YAML", id="no YAML"),
        pytest.param(
            "name: shop",
            "name: shop\norg: {reporting_currency: real}",
            "org.reporting_currency",
            id="an override that cannot be",
        ),
    ],
)
def test_a_wrong_mapping_is_reported_by_file_and_key(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(OperatorFileError) as caught:
        load_mapping(write(tmp_path, GOOD.replace(old, new)))
    assert said in str(caught.value)
    assert "shop.yml" in caught.value.where


def test_a_missing_mapping_is_reported(tmp_path: Path) -> None:
    with pytest.raises(OperatorFileError, match="missing") as caught:
        load_mapping(tmp_path / "nowhere.yml")
    assert "nowhere.yml" in caught.value.where


@pytest.mark.parametrize(("key", "notice_count"), [("match", 0), ("on", 1)])
def test_the_old_name_of_a_join_key_works_with_a_notice(tmp_path: Path, key: str, notice_count: int) -> None:
    joined = GOOD.replace("{deals: deals.csv}", "{deals: deals.csv, people: people.csv}")
    path = write(
        tmp_path,
        joined.replace(
            "    source: deals\n", f"    source: deals\n    join: [{{source: people, {key}: {{who: name}}}}]\n"
        ),
    )
    mapping = load_mapping(path)
    assert mapping.objects["files__opportunity"].join[0].match == {"who": "name"}
    assert len(mapping.notices) == notice_count
    place = f"{path}, line 8, objects.files__opportunity.join[0].on: The key on is now called match."
    assert all(place in notice.sentence for notice in mapping.notices)
