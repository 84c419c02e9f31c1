"""Which rules hold for which lake table."""

from __future__ import annotations

from ingestion.contracts import other_sources, salesforce
from ingestion.contracts.rules import Rule

_BY_SOURCE: dict[str, dict[str, tuple[Rule, ...]]] = {
    "salesforce": salesforce.RULES,
    "telephony": other_sources.TELEPHONY,
    "mail": other_sources.MAIL,
    "feed": other_sources.FEED,
    "files": other_sources.FILES,
}
_DEFAULT_BY_SOURCE: dict[str, tuple[Rule, ...]] = {"salesforce": salesforce.DEFAULT}


def rules_for(table_name: str) -> tuple[Rule, ...]:
    """The rules of a lake table (`<source>__<object>`), or its source's default ones; empty for tables that we write ourselves.

    A custom Salesforce object, for example, has no rules of its own: its key and its stamp are checked all the same.
    """
    source, _, name = table_name.partition("__")
    return _BY_SOURCE.get(source, {}).get(name, _DEFAULT_BY_SOURCE.get(source, ()))
