"""The table of feeds drives documentation and contracts alike."""

from __future__ import annotations

import pytest

from ingestion.sources.feeds.catalogue import FEEDS, Feed
from ingestion.sources.feeds.documentation import feeds_as_markdown
from storage.settings import PROJECT_ROOT


def test_the_documentation_says_what_the_table_says() -> None:
    assert (PROJECT_ROOT / "docs" / "feeds.md").read_text(encoding="utf-8") == feeds_as_markdown()


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.name)
def test_every_feed_has_a_contract_on_columns_it_knows(feed: Feed) -> None:
    known = {column.name for column in feed.columns}
    assert set(feed.key) <= set(feed.required_columns)
    rules = feed.lake_table.rules
    assert rules
    for rule in rules:
        assert set(rule.columns) <= known, rule.name
        assert not rule.is_presence_needed or set(rule.columns) <= set(feed.required_columns), rule.name


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.name)
def test_every_feed_has_a_rule_that_its_key_is_there_and_unique(feed: Feed) -> None:
    rules = feed.lake_table.rules
    assert [rule.columns for rule in rules if rule.is_of_load and rule.columns] == [feed.key]
    is_needed = {rule.columns for rule in rules if rule.is_about_presence and rule.severity == "row"}
    assert {(column,) for column in feed.key} <= is_needed


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.name)
def test_a_feeds_days_are_the_columns_whose_rules_want_one(feed: Feed) -> None:
    wanted = {
        rule.columns[0] for rule in feed.lake_table.rules if rule.name.endswith(("_is_date", "_is_first_of_month"))
    }
    assert {column.name for column in feed.columns if column.is_day} == wanted
