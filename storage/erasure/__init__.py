"""Erase a person on request from every version of every record, and log it without their data.

What belongs here: finding the person, making the new rows, and the order in which tables are rewritten. What does not:
which tables and columns hold personal data, which the caller says; how a Delta table is rewritten (`storage.purge`);
and what is built from the lake, which is rebuilt (`cli.erase`).
Modules: `structure` describes what stays, `person` finds the person, `rewriting` makes the new rows, `erase` does it
all in order.
"""

from storage.erasure.erase import ERASURE_TABLE, ErasureReport, erase_person
from storage.erasure.person import ErasureError
from storage.erasure.structure import PersonalData, PersonTable

__all__ = ["ERASURE_TABLE", "ErasureError", "ErasureReport", "PersonTable", "PersonalData", "erase_person"]
