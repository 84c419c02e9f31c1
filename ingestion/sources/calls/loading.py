"""One provider's load: the window to read, and landing its calls as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import pyarrow as pa

from ingestion.contracts import LakeTable
from ingestion.landing import Delivery, LandingReport, land
from ingestion.sources.calls.rows import Parties, iso, with_e164
from storage.lake import Lake

CALLS_AT_A_TIME = 10_000  # a first load may hold years of them


class Progress:
    """How far a provider's table has been read, and the window to read now.

    A call keeps changing after its start (it is answered, ends, is transferred, gets a price), so each load looks back.

    Attributes:
        table: The provider's table.
        since: Start of the window; None to read everything.
        until: End of the window, exclusive.
        reached: Cursor of the previous load.
    """

    def __init__(self, lake: Lake, table: LakeTable, *, until: datetime, look_back: timedelta) -> None:
        previous = lake.newest_load(table.name)
        self.table = table
        self.until = until
        self.reached = datetime.fromisoformat(previous.cursor) if previous and previous.cursor else None
        self.since = self.reached - look_back if self.reached else None

    @property
    def is_over(self) -> bool:
        """Whether the window is empty: the run's instant is long before what was already read."""
        return self.since is not None and self.since >= self.until

    @property
    def unread(self) -> LandingReport:
        """The report when nothing was read."""
        return LandingReport(self.table.name, cursor=iso(self.reached) if self.reached else None)

    @property
    def cursor(self) -> str:
        """Where the next load continues."""
        return iso(max(self.until, self.reached) if self.reached else self.until)

    @property
    def window(self) -> tuple[str | None, str]:
        """The window as text."""
        return iso(self.since) if self.since else None, iso(self.until)


def land_calls(
    lake: Lake,
    progress: Progress,
    calls: Iterable[dict[str, Any]],
    *,
    make_table: Callable[[list[dict[str, Any]]], pa.Table],
    parties: Parties,
    region: str,
    run_id: str,
) -> LandingReport:
    """Land the calls of a window as one load, batch by batch.

    Args:
        lake: The lake.
        progress: The window.
        calls: The provider's records; an error while reading them refuses the load.
        make_table: Turns a batch of records into text rows.
        parties: See `with_e164`.
        region: Country of numbers without a country code.
        run_id: The orchestrator's run.
    """
    count = 0

    def batches() -> Iterator[pa.Table]:
        nonlocal count
        coming, names = iter(calls), dict[str, None]()
        while batch := list(islice(coming, CALLS_AT_A_TIME)):
            count += len(batch)
            rows = with_e164(make_table(batch), parties, region)
            for name in names:
                if name not in rows.column_names:  # no call of this batch has a value for it
                    rows = rows.append_column(name, pa.nulls(len(batch), pa.string()))
            names |= dict.fromkeys(rows.column_names)
            yield rows

    return land(
        lake,
        progress.table,
        Delivery(batches(), lambda: count, cursor=progress.cursor, window=progress.window),
        known_at=progress.until,
        run_id=run_id,
    )
