"""The rules of the mart data_errors: each that a model can find says what is wrong and what to do, and the remedy exists."""

from __future__ import annotations

import re

import pytest

from storage.settings import PROJECT_ROOT

MODELS = PROJECT_ROOT / "dbt_project/models"
RULES = dict(
    re.findall(
        r'"(\w+)": \[\s*"[^"]+",\s*"([^"]+)"\]', (PROJECT_ROOT / "dbt_project/macros/data_errors.sql").read_text()
    )
)
# The names of rules say what is wrong in one of these ways.
NAMED = re.compile(r"'(\w+_(?:is_missing|is_unknown|is_out_of_range|does_not_fit)|\w+_before_\w+)'")


def test_the_macro_describes_exactly_the_rules_that_models_find() -> None:
    models = [*MODELS.rglob("int_*__errors.sql"), MODELS / "core/fct_leads.sql", MODELS / "core/fct_opportunities.sql"]
    found = {rule for model in models for rule in NAMED.findall(model.read_text())}
    assert len(models) > 5
    assert found == set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_a_remedy_names_only_files_and_feeds_that_exist(rule: str) -> None:
    remedy = RULES[rule]
    for path in re.findall(r"config/\w+\.yml", remedy):
        assert (PROJECT_ROOT / path).is_file(), path
    for feed in re.findall(r"feed (\w+)", remedy):
        assert (MODELS / f"staging/feeds/stg_feeds__{feed}.sql").is_file(), feed
    assert "salesops " not in remedy, "commands are not checked here: name one only together with a test that it exists"
