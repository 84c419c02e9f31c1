"""The lake tables of every source together, for code that only knows a table's name."""

from __future__ import annotations

from ingestion.contracts import LakeTable, Rule
from ingestion.sources.calls.tables import CALL_TABLES
from ingestion.sources.feeds.catalogue import FEEDS
from ingestion.sources.feeds.register import DROPPED_FILES
from ingestion.sources.files.canonical import CANONICAL_OBJECTS
from ingestion.sources.mail.tables import MESSAGES
from ingestion.sources.salesforce.objects import OBJECTS, is_salesforce_table
from ingestion.sources.salesforce.rules import DEFAULT

LAKE_TABLES: tuple[LakeTable, ...] = (
    *(each.lake_table for each in OBJECTS),
    *CALL_TABLES,
    MESSAGES,
    *(feed.lake_table for feed in FEEDS),
    DROPPED_FILES,
    *(canonical.lake_table for canonical in CANONICAL_OBJECTS.values()),
)
_BY_NAME = {table.name: table for table in LAKE_TABLES}


def rules_for(table_name: str) -> tuple[Rule, ...]:
    """The rules of a lake table.

    An object that an operator named has the rules of any Salesforce object; tables that we write ourselves have none.
    """
    if table := _BY_NAME.get(table_name):
        return table.rules
    return DEFAULT if is_salesforce_table(table_name) else ()
