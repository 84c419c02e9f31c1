"""Quarantined rows: list them, and replay them once the cause is fixed.

A row is in quarantine while the lake holds it with broken rules and holds no good row of the same version. A row that
its source corrected comes as a new version. A row that was right all along but misjudged (an unlisted stage, a type
changed on purpose) is replayed. A row whose record a later load found gone and marked deleted leaves quarantine:
replaying it would bring the record back to life. A row that was withdrawn left it too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.contracts import LakeTable, LoadCheck
from ingestion.errors import QuarantineError
from ingestion.landing.comparison import same_values
from ingestion.landing.identity import Identity, find_identity
from ingestion.sources.tables import rules_for
from storage.append import append_once
from storage.lake import BROKEN_RULES, LOAD_ID, RESERVED_COLUMNS, Lake
from storage.sql import quote_name
from storage.withdrawals import query_standing

ROWS_AT_A_TIME = 131_072
_DELETED = "IsDeleted"  # `true` in the row with which a load marks a record deleted (ingestion/landing/vanished.py)


@dataclass(frozen=True)
class QuarantinedRows:
    """Quarantined rows of one table that broke the same rules.

    Attributes:
        table: Lake table.
        rules: Names of the broken rules.
        rows: How many.
        first_load: The earliest load that quarantined one of them.
        last_load: The latest load that quarantined one of them.
    """

    table: str
    rules: tuple[str, ...]
    rows: int
    first_load: str
    last_load: str


@dataclass(frozen=True)
class Replayed:
    """What a replay did to one table.

    Attributes:
        table: Lake table.
        landed: Rows that pass now and were landed.
        still_broken: Rows that stay in quarantine.
        load_id: The load they landed with; None where none did.
    """

    table: str
    landed: int
    still_broken: int
    load_id: str | None = None


def list_quarantine(lake: Lake, table: str | None = None) -> list[QuarantinedRows]:
    """List the rows in quarantine, by table and broken rules.

    Args:
        lake: The lake.
        table: One table; by default every table.

    Raises:
        QuarantineError: The lake has no such table.
    """
    if table is not None and lake.open(table) is None:
        raise _no_table(lake, table)
    found = []
    for name in [table] if table else lake.tables():
        identity = find_identity(lake, name)
        if identity is None:
            continue
        counts = f"select {BROKEN_RULES} as rules, count(*) as rows, min({LOAD_ID}) as first, max({LOAD_ID}) as last"
        rows = query_standing(
            lake, name, f"{counts} from ({_in_quarantine(lake, name, identity)}) group by all order by rows desc, rules"
        )
        for row in rows.to_pylist() if rows else []:
            found.append(QuarantinedRows(name, tuple(row["rules"].split(";")), row["rows"], row["first"], row["last"]))
    return found


def replay_quarantine(
    lake: Lake,
    table: str,
    *,
    known_at: datetime,
    run_id: str,
    allowed_values: Mapping[str, Sequence[str]] | None = None,
    is_settled: Callable[[str], bool] = lambda rule: False,
) -> Replayed:
    """Judge a table's rows in quarantine by the rules as they are now, and land those that pass as one commit.

    Rows land with a new load id and are known since now. A row that broke a rule on its whole load (its key was not
    unique) stays: only its source can say which row is right. So does a row that broke a rule of its load only, unless
    that is settled.

    Args:
        lake: The lake.
        table: Lake table.
        known_at: The run's instant, with a time zone.
        run_id: The orchestrator's run.
        allowed_values: Lists that fill `one_of` rules.
        is_settled: Whether a broken rule outside the table's contract (a field's type changed) has been resolved.

    Raises:
        QuarantineError: The lake has no such table, or does not record what identifies its rows.
        StorageError: The disk cannot be written. Nothing landed.
    """
    previous, identity = lake.newest_load(table), find_identity(lake, table)
    if previous is None or identity is None:
        raise _no_table(lake, table)
    rows = query_standing(lake, table, f"{_in_quarantine(lake, table, identity)} order by {LOAD_ID}")
    if rows is None or not rows.num_rows:
        return Replayed(table, 0, 0)
    contract = LakeTable(table, identity.key, rules=rules_for(table))
    judged_by_row = {rule.name for rule in contract.rules if not rule.is_of_load}

    def passing() -> Iterator[pa.Table]:
        for start in range(0, rows.num_rows, ROWS_AT_A_TIME):
            piece = rows.slice(start, ROWS_AT_A_TIME)
            source = piece.drop_columns([name for name in RESERVED_COLUMNS if name in piece.column_names])
            check = LoadCheck(contract, allowed_values=allowed_values)
            unsettled = [
                _is_unsettled(text, judged_by_row, is_settled) for text in piece.column(BROKEN_RULES).to_pylist()
            ]
            passes = pc.and_(pc.is_null(check.check_rows(source)), pc.invert(pa.array(unsettled)))
            if not check.finish({}).fatal:
                yield source.filter(passes)

    details = {**previous.details, "replayed": "true"}
    done = append_once(
        lake,
        table,
        passing(),
        known_at=known_at,
        run_id=run_id,
        after=previous,
        cursor=previous.cursor,
        details=details,
    )
    return Replayed(table, done.landed, rows.num_rows - done.landed, done.load_id)


def _is_unsettled(broken: str, judged_by_row: set[str], is_settled: Callable[[str], bool]) -> bool:
    """Whether one of the broken rules cannot be judged again from the row, and is not settled."""
    return any(rule not in judged_by_row and not is_settled(rule) for rule in broken.split(";"))


def _in_quarantine(lake: Lake, table: str, identity: Identity) -> str:
    """SQL for the rows in quarantine. Without versions only a key's newest row counts: it replaced the older ones."""
    present = set(lake.columns(table))
    key = [column for column in identity.key if column in present]
    if identity.version_column is None:
        newest = (
            f"qualify row_number() over (partition by {', '.join(map(quote_name, key))} order by {LOAD_ID} desc) = 1"
        )
        return f"select * from (from lake {newest}) where {BROKEN_RULES} is not null"
    version = dict.fromkeys([*key, *([identity.version_column] if identity.version_column in present else [])])
    good = f"(from lake where {BROKEN_RULES} is null) as good"
    rows = f"select lake.* from lake anti join {good} on {same_values('good', 'lake', [*version])}"
    if _DELETED in present and identity.version_column in present:
        rows += f" anti join {_tombstones_above(key, identity.version_column)}"
    return f"{rows} where lake.{BROKEN_RULES} is not null"


def _tombstones_above(key: Sequence[str], version_column: str) -> str:
    """Join that finds quarantined rows whose record was later marked deleted.

    The tombstone repeats the newest good row, so a quarantined row has the newer stamp and would outrank it once
    landed. A record that its source sent as deleted has a newer stamp of its own: older versions of it may land as its
    history.
    """
    stamp = quote_name(version_column)
    is_below = f"(tombstone.{stamp} < lake.{stamp} or tombstone.{stamp} is null)"
    return (
        f"(from lake where {BROKEN_RULES} is null and {quote_name(_DELETED)} = 'true') as tombstone "
        f"on {same_values('tombstone', 'lake', key)} and tombstone.{LOAD_ID} > lake.{LOAD_ID} and {is_below}"
    )


def _no_table(lake: Lake, table: str) -> QuarantineError:
    return QuarantineError(
        f"The lake has no table '{table}' whose rows can be set aside.",
        where=str(lake.root),
        fix="`salesops quarantine list` names the tables with rows in quarantine.",
    )
