"""Load ids: one form for every table, the sources' and our own.

    salesforce__lead:20260105T110000Z:000012        table, instant, number of the load in its table

As text, the load ids of a table sort in commit order; dbt and the comparison of loads rely on it.
"""

from __future__ import annotations

import re
from datetime import datetime

from storage.load_record import LoadRecord
from storage.stamps import to_utc

# App transaction: of two loads racing for one table, the second fails instead of landing the same rows twice.
LOAD_COUNTER = "salesops_load"

_INSTANT = re.compile(r"\d{8}T\d{6}Z")
# Until November 2026 the number came before the instant. Predictions and plans had ids of their own, with dashes, which
# sort before these; their number is not read.
_NUMBER = re.compile(r":(\d{6,})(?=:|$)")


def next_load_id(table: str, previous: LoadRecord | None, known_at: datetime) -> str:
    """The id of the load that follows `previous`.

    It never sorts before the previous one: if the clock went back, it keeps that load's instant and only
    increments the number.

    Raises:
        ValueError: `known_at` has no time zone.

    >>> from datetime import UTC
    >>> first = next_load_id("crm__lead", None, datetime(2026, 1, 5, 11, tzinfo=UTC))
    >>> first, next_load_id("crm__lead", LoadRecord(first, "", 0, 0), datetime(2026, 1, 4, 11, tzinfo=UTC))
    ('crm__lead:20260105T110000Z:000001', 'crm__lead:20260105T110000Z:000002')
    """
    instant = f"{to_utc(known_at):%Y%m%dT%H%M%SZ}"
    if previous is None:
        return f"{table}:{instant}:{1:06d}"
    before = _INSTANT.search(previous.load_id)
    return f"{table}:{max(instant, before[0]) if before else instant}:{number_of(previous.load_id) + 1:06d}"


def number_of(load_id: str) -> int:
    """The number in a load id, from 1; 0 for the ids that predictions and plans had until November 2026."""
    found = _NUMBER.search(load_id)
    return int(found[1]) if found else 0
