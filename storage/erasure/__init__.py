"""Erasing a person on request: every version of every record, everything that names them, logged without their data.

What belongs here: finding the person, making the new rows, in which order tables are rewritten. What does not: which tables and columns hold
personal data, which the caller says; how a Delta table is rewritten (`storage.purge`); and what is built from the lake, which is built again
(`cli.erase`).
The rooms: `structure` is how the caller says what stays, `person` finds the person, `rewriting` makes the new rows, `erase` does it all in order.
"""

from storage.erasure.erase import ERASURE_TABLE, ErasureReport, erase_person
from storage.erasure.person import ErasureError
from storage.erasure.structure import PersonalData, PersonTable

__all__ = ["ERASURE_TABLE", "ErasureError", "ErasureReport", "PersonTable", "PersonalData", "erase_person"]
