"""Contracts: the vocabulary that describes tables and their rules, and the Great Expectations check of a load.

What belongs here: kinds of rules with their severity, what a lake table is, and the check. What does not: the rules of
any one table (kept with its source), rules on what *we* build (dbt tests), and the handling of a broken row
(`ingestion.landing`).
A rule is `fatal` (the load is refused), `row` (the row is quarantined with its reasons) or `warn` (the row lands and
the load reports it).
"""

from __future__ import annotations

from ingestion.contracts.rules import Rule, Severity
from ingestion.contracts.tables import LakeTable, PersonalRows
from ingestion.contracts.validation import Checked, LoadCheck, Violation

__all__ = ["Checked", "LakeTable", "LoadCheck", "PersonalRows", "Rule", "Severity", "Violation"]
