"""Contracts: what every lake table must satisfy before a load lands, as Great Expectations suites in code.

What belongs here: the rules per table, with their severity, and the check of a load against them. What does not: rules
on what *we* build (dbt tests), and the decision what happens to a broken row (`ingestion.landing`).
A rule is `fatal` (the load is refused), `row` (the row is set aside with its reasons) or `warn` (it lands, and the load says so).
"""

from __future__ import annotations

from ingestion.contracts.rules import Rule, Severity
from ingestion.contracts.suites import rules_for
from ingestion.contracts.validation import Checked, LoadCheck, Violation

__all__ = ["Checked", "LoadCheck", "Rule", "Severity", "Violation", "rules_for"]
