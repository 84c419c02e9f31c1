"""The order of an erasure: a kill at any moment leaves what the next erasure needs to continue.

What belongs here: the order of the steps, and the log. What does not: what is built from the lake (warehouse, published
sets, local copies).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa

from storage.append import append_once
from storage.erasure.person import ErasureError, find_person, normalise_address
from storage.erasure.rewriting import Replacing, rewrite_table
from storage.erasure.structure import PersonalData
from storage.lake import Lake
from storage.purge import clean_log, drop_old_files

ERASURE_TABLE = "erasure__log"


@dataclass(frozen=True)
class ErasureReport:
    """The result of an erasure, without the person's data.

    Attributes:
        erasure_id: Its id in `erasure__log` and in the commits it made.
        records: Records of the person.
        rows_changed: Rows rewritten, by table.
        files_dropped: Files of older versions that were deleted.
        shared: How many of the person's names and numbers somebody else on file has too; they stay where the lake
            cannot say whose they are.
    """

    erasure_id: str
    records: int
    rows_changed: dict[str, int]
    files_dropped: int
    shared: int


def erase_person(
    lake: Lake,
    address: str,
    personal: PersonalData,
    *,
    erased_at: datetime,
    run_id: str,
    resumed: bool = False,
    on_table: Callable[[str], None] = lambda table: None,
) -> ErasureReport:
    """Remove everything personal of one person from every version of every table, and log that it was done.

    Records keep their ids, references, stamps, flags, numbers and states, so counts stay the same. No load is lost and
    no cursor moves. Older versions of the changed tables can no longer be read. What a source still holds comes back
    when it is read again: erase it there first.

    Args:
        lake: The lake; no compaction, vacuum or backup may run meanwhile (`storage.upkeep.only_one_upkeep`).
        address: The person's mail address.
        personal: Which tables hold which personal data.
        erased_at: Now.
        run_id: Who asks, for the audit trail.
        resumed: Whether an earlier erasure was not finished: then every table's older files are dropped.
        on_table: Called with the name of each table before it is worked on.

    Raises:
        ErasureError: The address is not valid, is nobody's, or belongs to a member of staff. Nothing was changed.
        StorageError: The disk or store cannot be written. Run it again: it continues where it stopped.
    """
    address = normalise_address(address)
    person = find_person(lake, address, personal)
    token = uuid.uuid5(uuid.NAMESPACE_OID, f"{run_id}:{erased_at.isoformat()}").hex[:8]
    erasure_id = f"erasure:{erased_at.astimezone(UTC):%Y%m%dT%H%M%SZ}:{token}"
    replacing = Replacing(person, personal, token)
    changed: dict[str, int] = {}
    for table in _in_order(lake, personal):
        on_table(table)
        if rows := rewrite_table(lake, table, replacing, change=erasure_id, at=erased_at):
            changed[table] = rows
    if not changed and not resumed:
        raise ErasureError(
            "Nothing in the lake names this address. Nothing was changed.",
            where=str(lake.root),
            fix="Check the spelling. Who was erased before is not found again: see the lake table erasure__log.",
        )
    dropped = 0
    for table in lake.tables() if resumed else sorted(changed):
        on_table(table)
        dropped += drop_old_files(lake, table, now=erased_at)
        clean_log(lake, table, replacing.scrub)
    report = ErasureReport(erasure_id, len(person.record_ids), changed, dropped, person.shared)
    _log(lake, report, erased_at=erased_at, run_id=run_id)
    return report


def _in_order(lake: Lake, personal: PersonalData) -> list[str]:
    """The tables, those with the person's own records last: until then a killed erasure can find the person again."""
    return sorted(lake.tables(), key=lambda table: (table in personal.people, table))


def _log(lake: Lake, report: ErasureReport, *, erased_at: datetime, run_id: str) -> None:
    tables = report.rows_changed or {"": 0}
    rows = pa.table(
        {
            "erasure_id": pa.array([report.erasure_id] * len(tables), pa.string()),
            "table_name": pa.array(list(tables), pa.string()),
            "rows_changed": pa.array(list(tables.values()), pa.int64()),
            "run_id": pa.array([run_id] * len(tables), pa.string()),
        }
    )
    append_once(lake, ERASURE_TABLE, rows, known_at=erased_at, run_id=run_id, key=("erasure_id",))
