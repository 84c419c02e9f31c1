"""Contracts: the words that tables and their rules are described in, and the check of a load against them by Great Expectations.

What belongs here: kinds of rules with their severity, what a lake table is, and the check. What does not: the rules of any one table (they
stand with their source), rules on what *we* build (dbt tests), and the decision what happens to a broken row (`ingestion.landing`).
A rule is `fatal` (the load is refused), `row` (the row is set aside with its reasons) or `warn` (it lands, and the load says so).
"""

from __future__ import annotations

from ingestion.contracts.rules import Rule, Severity
from ingestion.contracts.tables import LakeTable, PersonalRows
from ingestion.contracts.validation import Checked, LoadCheck, Violation

__all__ = ["Checked", "LakeTable", "LoadCheck", "PersonalRows", "Rule", "Severity", "Violation"]
