"""Erasing a person on request: every version of every record, everything that names them, logged without their data.

What belongs here: whose rows they are, what in a row is personal, in which order tables are rewritten. What does not: how a Delta table is
rewritten (`storage.purge`), and what is built from the lake, which is built again (`cli.erase`).
The rooms: `structure` says what stays, `person` finds the person, `rewriting` makes the new rows, `erase` does it all in order.
"""

from ingestion.erasure.erase import ERASURE_TABLE, ErasureReport, erase_person
from ingestion.erasure.person import ErasureError

__all__ = ["ERASURE_TABLE", "ErasureError", "ErasureReport", "erase_person"]
